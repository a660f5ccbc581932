"""Receding horizon: plan in the dream, act out the first step in reality, look again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dreamplay.agents.following_agent import FollowingAgent
from dreamplay.agents.planner import Planner
from dreamplay.agents.scoring import DreamScorer


class PlanningAgent(FollowingAgent):
    """Acts by planning anew at every step from where reality is.

    The dream follows reality: `observe` moves its state on by the action and the real frame, from the first frame of
    the episode to its last, and every plan starts from there. Without `observe` the present frame alone is known.

    Episodes played at once have all their candidates scored in the same simulator steps, many times faster than one
    episode at a time.

    Args:
        planner: Finds action sequences; keeps the warm start of each row.
        scorer: Says what they are worth in the dream.
    """

    def __init__(self, planner: Planner, scorer: DreamScorer) -> None:
        super().__init__(scorer.simulator)
        self._planner = planner
        self._scorer = scorer
        self._plan: np.ndarray | None = None
        self.reset()

    @property
    def plan(self) -> np.ndarray | None:
        """What it means to do, (T, *action_shape), beginning with the last action of `act`; None before one."""
        return self._plan

    def reset_rows(self, count: int, seed: int | None = None) -> None:
        """New episodes in rows 0 to count - 1; row i is seeded with `seed + i`."""
        super().reset_rows(count)
        self._plan = None
        self._planner.reset(seed)

    def act_rows(self, numbers: Sequence[int], observations: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        """Actions (B, *action_shape) of the rows with these numbers, after frames uint8 (B, H, W, C)."""
        self._following.see(numbers, observations)
        self._scorer.follow(self._following.state(numbers))
        plans = self._planner.plan(self._scorer.score, numbers)  # (B, T, *action_shape)
        self._plan = plans[0].copy()
        return plans[:, 0]

    def _end(self, numbers: Sequence[int]) -> None:
        super()._end(numbers)
        self._planner.reset(rows=numbers)
