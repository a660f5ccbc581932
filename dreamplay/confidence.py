"""95 % confidence intervals over windows."""

from __future__ import annotations

from math import sqrt

import numpy as np

Z = 1.959964
RESAMPLES = 1000

Interval = tuple[float, float] | None
"""Lower and upper bound; None when there was nothing to count."""


def rate_ci95(successes: int, trials: int) -> Interval:
    """Wilson's interval of a rate, honest at 0 and 1 too; None without trials (Wilson 1927)."""
    if trials == 0:
        return None
    rate, z2 = successes / trials, Z * Z
    centre = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z * sqrt(rate * (1 - rate) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(0.0, centre - half), min(1.0, centre + half)


def resamples(n: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n windows is drawn in each of 1000 bootstrap resamples: float64 (1000, n)."""
    if n == 0:
        return np.zeros((RESAMPLES, 0))
    return rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(np.float64)


def ratio_ci95(parts: np.ndarray, wholes: np.ndarray, times: np.ndarray) -> Interval:
    """Bootstrap interval (percentiles over resamples of the windows) of the pooled ratio sum(parts) / sum(wholes).

    Args:
        parts: (N,), one number per window.
        wholes: (N,).
        times: from `resamples`; windows that are measured in several ways share it.

    Returns:
        The bounds, or None when there is nothing to divide by.
    """
    if not wholes.sum():
        return None
    top, bottom = times @ parts, times @ wholes
    low, high = np.percentile(top[bottom > 0] / bottom[bottom > 0], [2.5, 97.5])
    return float(low), float(high)
