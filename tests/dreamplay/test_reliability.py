"""Calibration on forecasts whose reliability is known."""

import numpy as np
import pytest

from dreamplay.reliability import count_forecasts, reliability


def judged(probabilities: np.ndarray, happened: np.ndarray, windows: int = 1):
    parts = zip(np.split(probabilities, windows, 1), np.split(happened, windows), strict=True)
    return reliability([count_forecasts(p, h) for p, h in parts], np.random.default_rng(0))


def test_by_hand() -> None:
    certain = np.array([[0.95, 0.95, 0.95, 0.95, 0.05, 0.05]]).repeat(2, 0)
    result = judged(certain, np.array([1, 1, 1, 0, 0, 0], bool))
    assert result.count == 6 and result.true == 0.5 and result.dreamed == pytest.approx(3.9 / 6)
    assert [b["count"] for b in result.bins] == [2, 4]
    assert [b["true"] for b in result.bins] == [0, 0.75]
    assert [b["dreamed"] for b in result.bins] == pytest.approx([0.05, 0.95])
    assert result.error == pytest.approx((2 * 0.05 + 4 * 0.2) / 6)


def test_the_edges_of_the_bins() -> None:
    result = judged(np.array([[0, 0.0009, 0.001, 0.0999, 0.1, 0.95, 1]]).repeat(2, 0), np.zeros(7, bool))
    assert [b["count"] for b in result.bins] == [2, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(("excess", "error"), [(0.0, 0.0), (0.2, 0.2), (-0.1, 0.1)])
def test_an_event_dreamed_too_often_or_too_rarely(excess: float, error: float) -> None:
    rng = np.random.default_rng(1)
    p = rng.choice([0.3, 0.5, 0.7], 40_000)
    result = judged((p + excess)[None].repeat(3, 0), rng.random(40_000) < p, windows=100)
    assert result.error == pytest.approx(error, abs=0.01)
    assert result.excess_ci95 is not None
    assert result.excess_ci95[0] < excess < result.excess_ci95[1]
    assert result.excess_ci95[1] - result.excess_ci95[0] < 0.03


def test_few_samples_of_a_calibrated_dream_are_calibrated() -> None:
    rng = np.random.default_rng(2)
    p = rng.choice([0.2, 0.5, 0.9], 60_000)
    shown = (rng.random((4, len(p))) < p).astype(float)  # each dream shows the event or not
    assert judged(shown, rng.random(len(p)) < p).error == pytest.approx(0, abs=0.015)
    assert judged(shown, rng.random(len(p)) < p**2).error > 0.1


def test_nothing_to_count() -> None:
    result = judged(np.zeros((2, 0)), np.zeros(0, bool))
    assert (result.count, result.true, result.error, result.excess_ci95, result.bins) == (0, None, None, None, [])
