"""Receding horizon: plan in the dream, act out the first step in reality, look again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

import numpy as np

from dreamplay.agents.following import Following
from dreamplay.agents.planner import Planner
from dreamplay.agents.scoring import DreamScorer


class PlanningAgent:
    """Acts by planning anew at every step from where reality is.

    The dream follows reality: `observe` moves its state on by the action and the real frame, from the first frame of
    the episode to its last, and every plan starts from there. Without `observe` the present frame alone is known.

    Several episodes can be played at once, one per row: `reset_rows`, `act_rows` and `observe_rows` take a batch of
    them and score all their candidates in the same simulator steps, many times faster than one episode at a time.
    `reset`, `act` and `observe` are the same for a single episode. Rows do not influence one another.

    Args:
        planner: Finds action sequences; keeps the warm start of each row.
        scorer: Says what they are worth in the dream.
    """

    def __init__(self, planner: Planner, scorer: DreamScorer) -> None:
        self._planner = planner
        self._scorer = scorer
        self._following = Following(scorer.simulator)
        self._plan: np.ndarray | None = None
        self.reset()

    @property
    def plan(self) -> np.ndarray | None:
        """What it means to do, (T, *action_shape), beginning with the last action of `act`; None before one."""
        return self._plan

    def reset(self, seed: int | None = None) -> None:
        """A new episode: forgets frames and plans, and seeds the planner if a seed is given."""
        self.reset_rows(1, seed)

    def act(self, observation: np.ndarray) -> Any:
        """The action to take after this frame, uint8 (H, W, C)."""
        return self.act_rows([0], observation[None])[0]

    def observe(self, observation: np.ndarray, action: Any, reward: float, terminated: bool, truncated: bool) -> None:
        """What reality answered to an action, the agent's own or another: the next frame, uint8 (H, W, C)."""
        self.observe_rows([0], [observation], [action], [reward], [terminated], [truncated])

    def reset_rows(self, count: int, seed: int | None = None) -> None:
        """New episodes in rows 0 to count - 1; row i is seeded with `seed + i`."""
        self._following.forget()
        self._plan = None
        self._planner.reset(seed)

    def act_rows(self, numbers: Sequence[int], observations: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        """Actions (B, *action_shape) of the rows with these numbers, after frames uint8 (B, H, W, C)."""
        self._following.see(numbers, observations)
        self._scorer.follow(self._following.state(numbers))
        plans = self._planner.plan(self._scorer.score, numbers)  # (B, T, *action_shape)
        self._plan = plans[0].copy()
        return plans[:, 0]

    def observe_rows(
        self,
        numbers: Sequence[int],
        observations: Sequence[np.ndarray] | np.ndarray,
        actions: Sequence[Any] | np.ndarray,
        rewards: Sequence[float] | np.ndarray,
        terminated: Sequence[bool] | np.ndarray,
        truncated: Sequence[bool] | np.ndarray,
    ) -> None:
        """What reality answered in the rows with these numbers. A row whose episode is over is ready for another."""
        over = [bool(end or cut) for end, cut in zip(terminated, truncated, strict=True)]
        ended, going = list(compress(numbers, over)), [not end for end in over]
        if ended:
            self._following.forget(ended)
            self._planner.reset(rows=ended)
        on = tuple(list(compress(part, going)) for part in (numbers, actions, observations))
        self._following.advance(*on)
