"""From dreamed windows to the numbers of the truth horizon.

N windows · J horizons. What chance decided is no error of the dynamics, so everything exists twice: for what the past
decided (nothing between the context and the step drew on randomness) and for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from dreamplay import metrics
from dreamplay.confidence import Interval, rate_ci95, ratio_ci95, resamples
from dreamplay.events import reward_events, terminations
from dreamplay.horizon_windows import Window
from dreamplay.stretches import STEPS, Stretch, compare_stretch


class Tally(NamedTuple):
    """Counts per window and horizon, (J,) for one window and (N, J) stacked; zero where a window did not last.

    The events are counted step by step up to a horizon, also in windows that ended before it: otherwise an episode's
    end, which no window outlasts, would hardly ever count.
    """

    reached: np.ndarray  # bool: the window lasts that long
    decided: np.ndarray  # bool: and no chance was involved
    wrong: np.ndarray
    squared_error: np.ndarray
    similarity: np.ndarray
    true: np.ndarray  # moving pixels, as in metrics.Found
    true_found: np.ndarray
    dreamed: np.ndarray
    dreamed_found: np.ndarray
    moved: np.ndarray  # and on: as in stretches.Stretch
    froze: np.ndarray
    back: np.ndarray
    back_dreamed: np.ndarray
    back_both: np.ndarray
    events: np.ndarray  # (..., J, 2 decided | undecided, 2 reward | termination, 3 true | dreamed | hit)


@dataclass(frozen=True)
class Scores:
    """How a dream did at one horizon; None where nothing was there to be counted. Rates lie in [0, 1]."""

    windows: int
    exact: float | None
    exact_ci95: Interval
    wrong_pixels: float | None
    wrong_pixels_ci95: Interval
    psnr: float | None
    psnr_ci95: Interval
    ssim: float | None
    ssim_ci95: Interval
    recall: float | None
    recall_ci95: Interval
    precision: float | None
    precision_ci95: Interval
    moved: int
    """Windows in which something moved in truth in the last ten steps."""
    frozen: float | None
    """Share of those in which the dream stood still."""
    frozen_ci95: Interval
    came_back: int
    """Pixels of objects that left and came back in truth in the last ten steps."""
    came_back_recall: float | None
    came_back_recall_ci95: Interval
    came_back_precision: float | None
    came_back_precision_ci95: Interval
    reward_events: int
    reward_recall: float | None
    reward_recall_ci95: Interval
    reward_precision: float | None
    reward_precision_ci95: Interval
    terminations: int
    termination_recall: float | None
    termination_recall_ci95: Interval
    termination_precision: float | None
    termination_precision_ci95: Interval


@dataclass(frozen=True)
class AtHorizon:
    """Scores of what the past decided, and of what chance had a hand in."""

    decided: Scores
    undecided: Scores

    def to_json(self) -> dict[str, Any]:
        """The decided scores, beside them the number of undecided windows and their scores."""
        undecided = asdict(self.undecided) if self.undecided.windows else None
        return asdict(self.decided) | {"undecided": self.undecided.windows, "on_undecided": undecided}


class Dreamed(NamedTuple):
    """What a simulator made of one window, cut to its T steps."""

    observations: np.ndarray  # uint8 (T, H, W, C)
    rewards: np.ndarray  # (T,)
    termination_probability: np.ndarray  # (T,)


def tally(window: Window, dreamed: Dreamed, horizons: np.ndarray, background: np.ndarray, floor: float) -> Tally:
    """Compares one window with its dream.

    Args:
        window: the truth.
        dreamed: the dream of it.
        horizons: int (J,), ascending, in steps.
        background: uint8 (H, W, C), see `metrics.background`.
        floor: see `events.reward_floor`.
    """
    reached = (window.counts_from <= horizons) & (horizons <= window.steps)
    at = horizons[reached]
    true, dream = window.true_frames(at), dreamed.observations[at - 1]
    decided = window.decided
    found = metrics.find_moving(true, dream, background)
    frames = (metrics.wrong_pixels(true, dream), metrics.squared_error(true, dream), metrics.similarity(true, dream))
    stretches = [np.array(values) for values in zip(*_stretches(window, dreamed, at, background), strict=True)]
    rewards = reward_events(window.future(window.episode.rewards), dreamed.rewards, floor)
    ends = terminations(window.future(window.episode.terminated), dreamed.termination_probability)
    happened = np.stack([np.stack(rewards, -1), np.stack(ends, -1)], 1)  # (T, 2, 3)
    groups = np.stack([decided, ~decided], -1)[..., None, None]  # (T, 2, 1, 1)
    so_far = (happened[:, None] & groups).cumsum(0)  # (T, 2, 2, 3)
    of_frames: list[np.ndarray] = [decided[at - 1], *frames, *found, *stretches]
    per_frame = [_filled(values, reached) for values in of_frames]
    events = so_far[np.minimum(horizons, window.steps) - 1] * (window.counts_from == 0)
    return Tally(*[reached, *per_frame, events])


def _stretches(window: Window, dreamed: Dreamed, at: np.ndarray, background: np.ndarray) -> list[Stretch]:
    compared = []
    for horizon in at.tolist():
        first = max(0, horizon - STEPS)  # 0 is the last context frame, which truth and dream share
        true = window.true_frames(np.arange(first, horizon + 1))
        dream = dreamed.observations[max(0, first - 1) : horizon]
        compared.append(compare_stretch(true, dream if first else np.concatenate([true[:1], dream]), background))
    return compared


def _filled(values: np.ndarray, reached: np.ndarray) -> np.ndarray:
    whole = np.zeros(len(reached), values.dtype)
    whole[reached] = values
    return whole


def stack(tallies: Sequence[Tally]) -> Tally:
    """One tally (N, J) of many (J,)."""
    return Tally(*(np.stack(values) for values in zip(*tallies, strict=True)))


def scores(tally: Tally, place: int, rng: np.random.Generator) -> AtHorizon:
    """The scores at one of the horizons, pooled over windows (N, J); `rng` draws the confidence intervals."""
    reached, decided = tally.reached[:, place], tally.decided[:, place]
    return AtHorizon(
        _scores(tally, place, reached & decided, 0, rng), _scores(tally, place, reached & ~decided, 1, rng)
    )


def _scores(tally: Tally, place: int, group: np.ndarray, which: int, rng: np.random.Generator) -> Scores:
    at = Tally(*[column[group, place] for column in tally[:-1]] + [tally.events[:, place, which]])
    n = len(at.wrong)
    ones, times = np.ones(n), resamples(n, rng)
    error, error_ci95 = ratio(at.squared_error, ones), ratio_ci95(at.squared_error, ones, times)
    return Scores(
        windows=n,
        **_share("exact", at.wrong == 0),
        **_rate("wrong_pixels", at.wrong, ones, times),
        psnr=None if error is None else metrics.psnr(error),
        psnr_ci95=None if error_ci95 is None else (metrics.psnr(error_ci95[1]), metrics.psnr(error_ci95[0])),
        **_rate("ssim", at.similarity, ones if np.isfinite(at.similarity).all() else 0 * ones, times),
        **_rate("recall", at.true_found, at.true, times),
        **_rate("precision", at.dreamed_found, at.dreamed, times),
        moved=int(at.moved.sum()),
        **_share("frozen", at.froze[at.moved.astype(bool)]),
        came_back=int(at.back.sum()),
        **_rate("came_back_recall", at.back_both, at.back, times),
        **_rate("came_back_precision", at.back_both, at.back_dreamed, times),
        **_events("reward", "reward_events", at.events[:, 0], rng),
        **_events("termination", "terminations", at.events[:, 1], rng),
    )


def _events(name: str, count: str, events: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    true, dreamed, hit = events.T  # (N,) each
    times = resamples(len(events), rng)
    return {
        count: int(true.sum()),
        **_rate(f"{name}_recall", hit, true, times),
        **_rate(f"{name}_precision", hit, dreamed, times),
    }


def _share(name: str, hits: np.ndarray) -> dict[str, Any]:
    return {name: ratio(hits, np.ones(len(hits))), f"{name}_ci95": rate_ci95(int(hits.sum()), len(hits))}


def _rate(name: str, parts: np.ndarray, wholes: np.ndarray, times: np.ndarray) -> dict[str, Any]:
    return {name: ratio(parts, wholes), f"{name}_ci95": ratio_ci95(parts, wholes, times)}


def ratio(parts: np.ndarray, wholes: np.ndarray) -> float | None:
    """The pooled ratio sum(parts) / sum(wholes); None when there is nothing to divide by."""
    whole = wholes.sum()
    return float(parts.sum() / whole) if whole else None
