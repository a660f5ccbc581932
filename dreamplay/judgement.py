"""All that `dreamplay evaluate` finds out about a simulator: the truth horizon, and what single frames do not tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dreamplay import chance, futures
from dreamplay.chance import ChanceMoves, chance_moves, chance_windows
from dreamplay.dreamer import Dreamer
from dreamplay.episodes import Episode
from dreamplay.events import reward_floor
from dreamplay.from_start import FromStart, from_start, start_windows
from dreamplay.futures import Futures, future_windows, sampled_futures
from dreamplay.horizon import TruthHorizon, held_out_windows, horizon_grid, truth_horizon
from dreamplay.horizon_windows import Window

BASELINES = 2  # last frame and mean frame


@dataclass(frozen=True)
class Judgement:
    """What was measured.

    Args:
        truth: most likely dreams, frame by frame, beside the baselines.
        futures: sampled dreams.
        from_start: whole episodes.
        from_start_beside: the same of the simulators beside it, by name.
        chance: moves of chance, None if the data knows of none.
    """

    truth: TruthHorizon
    futures: Futures
    from_start: FromStart
    from_start_beside: dict[str, FromStart]
    chance: ChanceMoves | None

    def to_json(self) -> dict[str, Any]:
        """The truth horizon's JSON, and "futures", "calibration", "from_start" and "chance" beside it."""
        beside = {name: scores.to_json() for name, scores in self.from_start_beside.items()}
        return {
            **self.truth.to_json(),
            **self.futures.to_json(),
            "from_start": self.from_start.to_json() | {"baselines": beside},
            "chance": None if self.chance is None else self.chance.to_json(),
        }


@dataclass(frozen=True)
class Plan:
    """The held-out windows of each measurement, drawn by one seed.

    Args:
        count: how many windows were asked for.
        windows: for the truth horizon.
        futures: to sample dreams of.
        starts: whole episodes.
        chance: single steps that drew on chance.
        horizon: most steps of a window.
        seed: what drew them.
    """

    count: int
    windows: list[Window]
    futures: list[Window]
    starts: list[Window]
    chance: list[Window]
    horizon: int
    seed: int

    @classmethod
    def draw(cls, held_out: Sequence[Episode], windows: int, horizon: int, seed: int) -> Plan:
        """Draws all windows.

        Raises:
            UserError: no held-out episode has a step, or a number is below 1.
        """
        chosen = held_out_windows(held_out, windows, horizon, seed)
        starts = start_windows(held_out, horizon, seed)
        return cls(windows, chosen, future_windows(chosen), starts, chance_windows(held_out, seed), horizon, seed)

    def work(self, against: int) -> int:
        """How many windows `judge` reports, with so many simulators beside the judged one."""
        sampled = futures.SAMPLES * len(self.futures) + chance.SAMPLES * len(self.chance)
        return (1 + BASELINES + against) * len(self.windows) + (1 + against) * len(self.starts) + sampled


def judge(
    simulator: Dreamer,
    train: Sequence[Episode],
    held_out: Sequence[Episode],
    plan: Plan,
    *,
    against: Mapping[str, Dreamer] | None = None,
    on_window: Callable[[int], None] = lambda count: None,
) -> Judgement:
    """Measures a simulator in every way there is.

    Args:
        simulator: the one to judge.
        train: episodes that background and mean frame are taken from.
        held_out: episodes to judge on.
        plan: its windows.
        against: further simulators, by name; they share the truth horizon and the whole episodes.
        on_window: told how many windows were just done, `plan.work` in all.
    """
    against = against or {}
    truth = truth_horizon(
        simulator,
        train,
        held_out,
        against=against,
        windows=plan.count,
        horizon=plan.horizon,
        seed=plan.seed,
        on_window=on_window,
    )
    floor = reward_floor(np.concatenate([episode.rewards for episode in held_out]))
    grid = horizon_grid(max(window.steps for window in plan.futures), plan.horizon)
    return Judgement(
        truth,
        sampled_futures(simulator, plan.futures, grid, plan.seed, on_window),
        from_start(simulator, plan.starts, floor, on_window),
        {name: from_start(other, plan.starts, floor, on_window) for name, other in against.items()},
        chance_moves(simulator, plan.chance, plan.seed, on_window),
    )
