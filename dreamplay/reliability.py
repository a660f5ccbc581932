"""Calibration: does an event that is dreamed with probability p happen with frequency p?

Several dreams are sampled of each future. The mean probability that all but the last give an event sorts the future
into a bin; in each bin the frequency of the event in truth is compared with the probability that the last dream gives
it. For a simulator that is calibrated the two are equal on average, however few dreams are sampled: its dreams and the
truth are draws of one distribution. Comparing truth with the sorting probability itself would blame it for the noise of
few samples.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dreamplay.confidence import Interval, ratio_ci95, resamples
from dreamplay.horizon_scores import ratio

EDGES = np.array([0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 0.99, 0.999])  # fine where rare
BINS = len(EDGES) + 1


@dataclass(frozen=True)
class Reliability:
    """How far an event's probabilities can be trusted.

    Args:
        count: how many times it could have happened.
        true: frequency with which it did.
        dreamed: mean probability with which it was dreamed.
        excess_ci95: 95 % interval, over windows, of dreamed - true.
        error: expected calibration error, the mean over `count` of |dreamed - true| in its bin (Guo et al. 2017).
        bins: {"count", "true", "dreamed"} of each bin that is not empty, by rising probability.
    """

    count: int
    true: float | None
    dreamed: float | None
    excess_ci95: Interval
    error: float | None
    bins: list[dict[str, float]]

    def to_json(self) -> dict[str, Any]:
        """JSON values only."""
        return asdict(self)


@dataclass(frozen=True)
class Forecasts:
    """One window's forecasts, counted by bin: each float64 (BINS,)."""

    count: np.ndarray
    true: np.ndarray
    dreamed: np.ndarray


def count_forecasts(probabilities: np.ndarray, happened: np.ndarray) -> Forecasts:
    """Sorts the forecasts of one window into bins.

    Args:
        probabilities: (S, M) in [0, 1], what each of S >= 2 dreams gives each of M events; 0 or 1 where a dream shows
            the event or does not.
        happened: bool (M,).
    """
    places = np.searchsorted(EDGES, probabilities[:-1].mean(0), side="right")
    weights = (np.ones(len(places)), happened, probabilities[-1])
    return Forecasts(*(np.bincount(places, weight, BINS) for weight in weights))


def reliability(windows: list[Forecasts], rng: np.random.Generator) -> Reliability:
    """Pools the forecasts of several windows; `rng` draws the interval."""
    stacked = [np.stack([getattr(w, name) for w in windows]) for name in ("count", "true", "dreamed")]  # (N, BINS)
    per_window = [values.sum(1) for values in stacked]
    count, true, dreamed = (values.sum(0) for values in stacked)
    filled = np.flatnonzero(count)
    return Reliability(
        count=int(count.sum()),
        true=ratio(true, count),
        dreamed=ratio(dreamed, count),
        excess_ci95=ratio_ci95(per_window[2] - per_window[1], per_window[0], resamples(len(windows), rng)),
        error=ratio(np.abs(dreamed - true), count),
        bins=[
            {"count": int(count[b]), "true": float(true[b] / count[b]), "dreamed": float(dreamed[b] / count[b])}
            for b in filled
        ],
    )
