"""Sampled futures: are they as diverse as real ones, and as probable as they say?

Several dreams of the same context and actions are sampled as learned (temperature 1). If truth is one more draw of
the same distribution, it lies as far from a dream as dreams lie from each other. So the *diversity*, the distance
between two dreams over that between dream and truth, is 1 for a simulator that knows what it does not know, less for
one whose futures are too much alike, 0 for one that knows a single future, and up to 2 for one whose dreams scatter
around a truth that is certain. The distance of two frames is the number of pixels that visibly differ.

Reward and termination are calibrated as forecasts from the context on: that the event comes exactly t steps later, in
an episode that has not ended before. A pixel's event is to differ from the last context frame, at reported horizons.

S samples · B windows · T steps · J horizons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from dreamplay.confidence import Interval, ratio_ci95, resamples
from dreamplay.dreamer import Dreamer
from dreamplay.horizon_scores import ratio
from dreamplay.horizon_windows import LONG_EVERY, LONG_STEPS, Window, batches, inputs
from dreamplay.metrics import visible
from dreamplay.reliability import Forecasts, Reliability, count_forecasts, reliability

SAMPLES = 4


@dataclass(frozen=True)
class Spread:
    """Sampled futures at one horizon; distances in pixels.

    Args:
        windows: contexts with a real frame that far ahead.
        from_truth: mean distance of a dreamed frame from the true one.
        from_each_other: mean distance of two frames dreamed of the same future.
        diversity: the second over the first, 1 when calibrated; None when every dream is true.
        diversity_ci95: its 95 % interval over windows.
    """

    windows: int
    from_truth: float | None
    from_each_other: float | None
    diversity: float | None
    diversity_ci95: Interval


@dataclass(frozen=True)
class Futures:
    """What sampled dreams say of the future.

    Args:
        samples: dreams of each future.
        spread: by horizon in steps.
        calibration: of "reward" (is not zero), "termination", and "pixel" (has changed).
    """

    samples: int
    spread: dict[int, Spread]
    calibration: dict[str, Reliability]

    def to_json(self) -> dict[str, Any]:
        """{"futures": {"samples", "horizons"}, "calibration"}."""
        horizons = {str(h): asdict(spread) for h, spread in self.spread.items()}
        calibration = {event: reliable.to_json() for event, reliable in self.calibration.items()}
        return {"futures": {"samples": self.samples, "horizons": horizons}, "calibration": calibration}


def future_windows(windows: Sequence[Window]) -> list[Window]:
    """Every fourth window, cut to 100 steps: sampling several dreams of each costs as much as one dream of all."""
    fair = [window for window in windows if window.counts_from == 0]
    return [Window(w.episode, w.start, w.context, min(w.steps, LONG_STEPS)) for w in fair[::LONG_EVERY]]


def sampled_futures(
    dreamer: Dreamer,
    windows: Sequence[Window],
    horizons: np.ndarray,
    seed: int = 0,
    on_window: Callable[[int], None] = lambda count: None,
) -> Futures:
    """Samples four dreams of each window and compares them with each other and with the truth.

    Args:
        dreamer: whose dreams.
        windows: at least one.
        horizons: int (J,), ascending, in steps; those longer than every window are left out.
        seed: of the samples.
        on_window: told how many windows were just dreamed, each four times in all.
    """
    rng = np.random.default_rng(seed)
    longest = max(window.steps for window in windows)  # dreamed by all: when a dream ends does not hang on the truth
    horizons = horizons[horizons <= longest]
    distances = np.zeros((3, len(windows), len(horizons)))  # reached, from truth, from each other
    forecasts: dict[str, list[Forecasts]] = {"reward": [], "termination": [], "pixel": []}
    for indices in batches(windows):
        together = [windows[i] for i in indices]
        frames, rewards, ends = [], [], []
        for _ in range(SAMPLES):
            rollout = dreamer.rollout(*inputs(together, longest), temperature=1.0, seed=int(rng.integers(2**31)))
            frames.append(rollout.observations[:, horizons - 1])
            going_on = np.cumprod(1 - rollout.termination_probability[:, :-1], 1)
            alive = np.concatenate([np.ones((len(indices), 1)), going_on], 1)  # (B, T), at the beginning of a step
            rewards.append(alive * rollout.reward_probability)
            ends.append(alive * rollout.termination_probability)
            on_window(len(indices))
        for row, (i, window) in enumerate(zip(indices, together, strict=True)):
            at = horizons[horizons <= window.steps]
            dreamed = [sample[row, : len(at)] for sample in frames]  # S of (J, H, W, C)
            true = window.true_frames(at)
            distances[0, i, : len(at)] = 1
            distances[1, i, : len(at)] = np.mean([_apart(true, one) for one in dreamed], 0)
            distances[2, i, : len(at)] = np.mean([_apart(*pair) for pair in combinations(dreamed, 2)], 0)
            changed = [visible(one, window.context_observations[-1]).ravel() for one in (true, *dreamed)]
            forecasts["pixel"].append(count_forecasts(np.stack(changed[1:]).astype(float), changed[0]))
            for event, probabilities, happened in (
                ("reward", rewards, window.future(window.episode.rewards) != 0),
                ("termination", ends, window.future(window.episode.terminated)),
            ):
                of_window = np.stack([sample[row] for sample in probabilities])  # (S, T)
                if window.ends:  # nothing happens after the end, and that is known
                    happened = np.pad(happened, (0, of_window.shape[1] - len(happened)))
                forecasts[event].append(count_forecasts(of_window[:, : len(happened)], happened))
    times = resamples(len(windows), rng)
    return Futures(
        SAMPLES,
        {int(h): _spread(distances[:, :, place], times) for place, h in enumerate(horizons)},
        {event: reliability(counted, rng) for event, counted in forecasts.items()},
    )


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return visible(a, b).sum((-2, -1))


def _spread(distances: np.ndarray, times: np.ndarray) -> Spread:
    reached, from_truth, from_each_other = distances
    return Spread(
        windows=int(reached.sum()),
        from_truth=ratio(from_truth, reached),
        from_each_other=ratio(from_each_other, reached),
        diversity=ratio(from_each_other, from_truth),
        diversity_ci95=ratio_ci95(from_each_other, from_truth, times),
    )
