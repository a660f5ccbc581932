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
from dreamplay.confidence import rate_ci95, ratio_ci95
from dreamplay.events import reward_events, terminations
from dreamplay.horizon_windows import Window


class Tally(NamedTuple):
    """Counts per window and horizon, (J,) for one window and (N, J) stacked; zero where a window did not last.

    The events are counted step by step up to a horizon, also in windows that ended before it: otherwise an episode's
    end, which no window outlasts, would hardly ever count.
    """

    reached: np.ndarray  # bool: the window lasts that long
    decided: np.ndarray  # bool: and no chance was involved
    wrong: np.ndarray
    squared_error: np.ndarray
    true: np.ndarray  # moving pixels, as in metrics.Found
    true_found: np.ndarray
    dreamed: np.ndarray
    dreamed_found: np.ndarray
    events: np.ndarray  # (..., J, 2 decided | undecided, 2 reward | termination, 3 true | dreamed | hit)


@dataclass(frozen=True)
class Scores:
    """How a dream did at one horizon; None where nothing was there to be counted. Rates lie in [0, 1]."""

    windows: int
    exact: float | None
    exact_ci95: tuple[float, float] | None
    wrong_pixels: float | None
    psnr: float | None
    recall: float | None
    recall_ci95: tuple[float, float] | None
    precision: float | None
    precision_ci95: tuple[float, float] | None
    reward_events: int
    reward_recall: float | None
    reward_precision: float | None
    terminations: int
    termination_recall: float | None
    termination_precision: float | None


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
    reached = horizons <= window.steps
    at = horizons[reached]
    true, dream = window.true_frames(at), dreamed.observations[at - 1]
    decided = window.decided
    found = metrics.find_moving(true, dream, background)
    of_frames = (metrics.wrong_pixels(true, dream), metrics.squared_error(true, dream), *found)
    rewards = reward_events(window.future(window.episode.rewards), dreamed.rewards, floor)
    ends = terminations(window.future(window.episode.terminated), dreamed.termination_probability)
    happened = np.stack([np.stack(rewards, -1), np.stack(ends, -1)], 1)  # (T, 2, 3)
    groups = np.stack([decided, ~decided], -1)[..., None, None]  # (T, 2, 1, 1)
    so_far = (happened[:, None] & groups).cumsum(0)  # (T, 2, 2, 3)
    per_frame = [_filled(values, reached) for values in (decided[at - 1], *of_frames)]
    return Tally(*[reached, *per_frame, so_far[np.minimum(horizons, window.steps) - 1]])


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
    wrong, error, true, true_found, dreamed, dreamed_found = (column[group, place] for column in tally[2:8])
    events = tally.events[:, place, which].sum(0)  # (2, 3)
    n, exact = len(wrong), int((wrong == 0).sum())
    return Scores(
        windows=n,
        exact=_ratio(exact, n),
        exact_ci95=rate_ci95(exact, n),
        wrong_pixels=float(wrong.mean()) if n else None,
        psnr=metrics.psnr(error.mean()) if n else None,
        recall=_ratio(true_found.sum(), true.sum()),
        recall_ci95=ratio_ci95(true_found, true, rng),
        precision=_ratio(dreamed_found.sum(), dreamed.sum()),
        precision_ci95=ratio_ci95(dreamed_found, dreamed, rng),
        **_events("reward", "reward_events", events[0]),
        **_events("termination", "terminations", events[1]),
    )


def _events(name: str, count: str, events: np.ndarray) -> dict[str, Any]:
    true, dreamed, hit = events
    return {count: int(true), f"{name}_recall": _ratio(hit, true), f"{name}_precision": _ratio(hit, dreamed)}


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
