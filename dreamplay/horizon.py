"""The truth horizon: how long a dream stays true.

Windows of held-out episodes; the context is real, then truth and dream take the same actions. Per horizon, in steps
since the context: exact frames, wrong pixels, signal-to-noise ratio, moving objects found and real, rewards and
terminations, beside baselines on the same windows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dreamplay.baselines import LastFrame, MeanFrame
from dreamplay.dreamer import Dreamer, dream
from dreamplay.episodes import Episode
from dreamplay.errors import UserError
from dreamplay.events import reward_floor
from dreamplay.further_windows import further_windows
from dreamplay.horizon_scores import AtHorizon, scores, stack, tally
from dreamplay.horizon_windows import CONTEXT, Window, batches, choose_windows
from dreamplay.metrics import background

HORIZONS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
BACKGROUND_FRAMES = 512

Curve = dict[int, AtHorizon]  # by horizon in steps


@dataclass(frozen=True)
class TruthHorizon:
    """The measurement of one simulator.

    Args:
        dream: the simulator's scores.
        baselines: those of the others, by name.
        context: context frames of a window.
        windows: how many windows were rolled out.
        seed: what drew them.
    """

    dream: Curve
    baselines: dict[str, Curve]
    context: int
    windows: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """JSON values only; what could not be counted is null."""
        return {
            "horizons": _curve_to_json(self.dream),
            "baselines": {name: _curve_to_json(curve) for name, curve in self.baselines.items()},
            "context": self.context,
            "windows": self.windows,
            "seed": self.seed,
        }


def truth_horizon(
    simulator: Dreamer,
    train: Sequence[Episode],
    held_out: Sequence[Episode],
    *,
    against: Mapping[str, Dreamer] | None = None,
    windows: int = 200,
    horizon: int = 1000,
    seed: int = 0,
    on_window: Callable[[int], None] = lambda count: None,
) -> TruthHorizon:
    """Measures a simulator beside the last frame, the mean frame and other simulators; all dream what is most likely.

    Args:
        simulator: the one to judge.
        train: episodes that background and mean frame are taken from.
        held_out: episodes to judge on.
        against: further simulators, by name.
        windows: most windows, apart from further ones where few are decided.
        horizon: most steps.
        seed: draws windows and confidence intervals.
        on_window: told how many windows were just done, `windows` for each dreamer in all.

    Raises:
        UserError: no held-out episode has a step, or a number is below 1.
    """
    chosen = held_out_windows(held_out, windows, horizon, seed)
    frames = sample_frames(train or held_out, BACKGROUND_FRAMES)
    still = background(frames)
    floor = reward_floor(np.concatenate([episode.rewards for episode in held_out]))
    horizons = horizon_grid(max(window.steps for window in chosen), horizon)

    def measure(dreamer: Dreamer) -> Curve:
        tallies = {}
        for indices in batches(chosen):
            together = [chosen[i] for i in indices]
            dreams = dream(dreamer, together, seed)
            for i, window, dreamed in zip(indices, together, dreams, strict=True):
                tallies[i] = tally(window, dreamed, horizons, still, floor)
            on_window(len(indices))
        stacked = stack([tallies[i] for i in range(len(chosen))])
        rng = np.random.default_rng(seed)
        return {int(h): scores(stacked, place, rng) for place, h in enumerate(horizons)}

    others: dict[str, Dreamer] = {"last frame": LastFrame(), "mean frame": MeanFrame.of(frames), **(against or {})}
    curve = measure(simulator)
    return TruthHorizon(curve, {name: measure(other) for name, other in others.items()}, CONTEXT, len(chosen), seed)


def held_out_windows(held_out: Sequence[Episode], windows: int, horizon: int, seed: int) -> list[Window]:
    """The windows that `truth_horizon` judges on, drawn by the seed: so many, and a few more that stay decided.

    Raises:
        UserError: there are none, or a number is below 1.
    """
    for name, value in (("windows", windows), ("horizon", horizon)):
        if value < 1:
            raise UserError(f"--{name} {value} measures nothing; ask for at least 1")
    rng = np.random.default_rng(seed)
    chosen = choose_windows(held_out, windows, horizon, rng)
    if not chosen:
        raise UserError("the data holds out no episode with a step in it; collect more")
    grid = horizon_grid(max(window.steps for window in chosen), horizon)
    return chosen + further_windows(held_out, chosen, grid, windows, rng)


def horizon_grid(longest: int, horizon: int) -> np.ndarray:
    """Horizons to report, int (J,): those of the grid, and the largest asked for, as far as a window lasts."""
    return np.array(sorted(h for h in {*HORIZONS, horizon} if h <= min(longest, horizon)))


def sample_frames(episodes: Sequence[Episode], count: int) -> np.ndarray:
    """At most `count` observations, evenly spread over all of them: uint8 (N, H, W, C)."""
    ends = np.cumsum([0] + [len(episode.observations) for episode in episodes])
    places = np.unique(np.linspace(0, ends[-1] - 1, min(count, int(ends[-1]))).astype(np.int64))
    picked = [
        episode.observations[places[(places >= first) & (places < last)] - first]
        for episode, first, last in zip(episodes, ends[:-1], ends[1:], strict=True)
    ]
    return np.concatenate(picked)


def _curve_to_json(curve: Curve) -> dict[str, Any]:
    return {str(h): at.to_json() for h, at in curve.items()}
