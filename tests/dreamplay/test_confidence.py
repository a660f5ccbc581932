"""Confidence intervals: known values, and the coverage they promise."""

import numpy as np
import pytest

from dreamplay.confidence import rate_ci95, ratio_ci95, resamples


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (81, 263, 0.2553, 0.3662)],  # the last: Newcombe 1998, table I
)
def test_wilson(successes: int, trials: int, low: float, high: float) -> None:
    assert rate_ci95(successes, trials) == pytest.approx((low, high), abs=1e-4)


def test_nothing_to_count() -> None:
    assert rate_ci95(0, 0) is None
    assert ratio_ci95(np.zeros(0), np.zeros(0), resamples(0, np.random.default_rng(0))) is None
    assert ratio_ci95(np.zeros(5), np.zeros(5), resamples(5, np.random.default_rng(0))) is None


def test_the_bootstrap_covers_the_truth_and_repeats_with_its_seed() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        wholes = rng.integers(1, 9, 80)
        interval = ratio_ci95(rng.binomial(wholes, 0.3), wholes, resamples(80, rng))
        assert interval is not None
        covered += interval[0] <= 0.3 <= interval[1]
    assert 88 <= covered <= 100
    parts, wholes = np.array([1, 2, 0, 4]), np.array([4, 4, 4, 4])
    first, second = (ratio_ci95(parts, wholes, resamples(4, np.random.default_rng(7))) for _ in range(2))
    assert first == second


def test_windows_that_agree_leave_no_doubt() -> None:
    assert ratio_ci95(np.full(9, 2), np.full(9, 4), resamples(9, np.random.default_rng(0))) == (0.5, 0.5)
