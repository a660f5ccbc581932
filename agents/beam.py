"""Beam search: go on from the best beginnings by every action, keep the best again, one step deeper each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.memory import Best
from dreamplay.agents.planner import Score, valued
from dreamplay.agents.proposals import proposal_for
from dreamplay.agents.warm_planner import WarmPlanner, check_counts
from dreamplay.errors import UserError

MOST_ACTIONS = 256  # that every beginning is gone on from by


@dataclass(frozen=True)
class BeamConfig:
    """How far and how hard to plan. One plan costs width x actions x horizon simulator steps per row."""

    horizon: int = 15
    """T: steps that a plan looks ahead."""
    width: int = 32
    """How many beginnings are gone on from, by every action there is."""

    def __post_init__(self) -> None:
        check_counts(self, "horizon", "width")


class BeamPlanner(WarmPlanner):
    """Plans by beam search over finite choices, row by row independently and all rows at once.

    Beginnings of one length compete; among equals chance decides, so that a beam that knows nothing yet stays wide.
    With a width of at least actions ** (horizon - 1) nothing is left out: the search is exhaustive. The plan before,
    shifted by one step, stays in the beam, and is only given up for one that scores strictly better.

    The score is asked for beginnings, N sequences of 1, 2, ... T steps, each one step longer than one of the call
    before.

    Args:
        action_space: Discrete, MultiDiscrete or MultiBinary, of at most 256 actions in all.
        config: How far and how hard to plan.
        seed: Row i draws from a generator of its own, seeded with `seed + i`.

    Raises:
        UserError: If the action space is of another kind, or has too many actions.

    Example:
        >>> import gymnasium as gym, numpy as np
        >>> planner = BeamPlanner(gym.spaces.Discrete(3), BeamConfig(horizon=4, width=2))
        >>> planner.plan(lambda actions: (actions == 2).sum(axis=-1), batch=1).tolist()
        [[2, 2, 2, 2]]
    """

    def __init__(self, action_space: gym.Space[Any], config: BeamConfig | None = None, *, seed: int = 0) -> None:
        self.config = config or BeamConfig()
        self._actions = every_action(action_space)  # (K, *action_shape)
        super().__init__(proposal_for(action_space, self.config.horizon), seed)

    def _search(
        self, score: Score, rows: Sequence[int], generators: Sequence[np.random.Generator], best: Best
    ) -> np.ndarray:
        """The best sequences found."""
        beams = self._proposal.zeros(len(rows))[:, None, :0]  # (B, W, t, *action_shape): one beginning of no steps
        for t in range(self.config.horizon):
            candidates = self._further(beams)  # (B, N, t + 1, *action_shape)
            values = valued(score, candidates)  # (B, N)
            chance = np.stack([generator.random(values.shape[1]) for generator in generators])
            order = np.lexsort((chance, -values))[:, : self.config.width]  # best first
            warm = _same(candidates, best.plans[:, None, : t + 1])  # (B, N), where the plan before begins
            warm &= best.known[:, None]
            if t == self.config.horizon - 1:
                break
            there = np.take_along_axis(warm, order, axis=1).any(axis=1)
            lost = best.known & ~there
            order[lost, -1] = warm[lost].argmax(axis=1)
            beams = _pick(candidates, order)
        # First the plan before, then the others by value: `improve` wants to see something strictly better.
        known = best.known & warm.any(axis=1)
        best.values[known] = values[known, warm[known].argmax(axis=1)]
        best.improve(_pick(candidates, order), np.take_along_axis(values, order, axis=1))
        return best.plans

    def _further(self, beams: np.ndarray) -> np.ndarray:
        """Beginnings (B, W, t, *action_shape), each by every action: (B, W * K, t + 1, *action_shape)."""
        batch, width, _, *shape = beams.shape
        count = len(self._actions)
        ends = np.broadcast_to(self._actions, (batch, width, *self._actions.shape)).reshape(batch, -1, 1, *shape)
        return np.concatenate([beams.repeat(count, axis=1), ends], axis=2)


def every_action(space: gym.Space[Any]) -> np.ndarray:
    """All actions of a finite space, int64 (K, *action_shape).

    Raises:
        UserError: If it is not finite, or has more than 256 of them.
    """
    if isinstance(space, gym.spaces.Discrete):
        ranges = [range(int(space.start), int(space.start + space.n))]
    elif isinstance(space, gym.spaces.MultiDiscrete):
        starts, counts = space.start.reshape(-1).tolist(), space.nvec.reshape(-1).tolist()
        ranges = [range(first, first + count) for first, count in zip(starts, counts, strict=True)]
    elif isinstance(space, gym.spaces.MultiBinary):
        ranges = [range(2)] * int(np.prod(space.shape))
    else:
        raise UserError(f"beam search needs a finite choice of actions, not {space}; use cem, icem or mppi")
    count = int(np.prod([float(len(values)) for values in ranges]))
    if count > MOST_ACTIONS:
        raise UserError(f"beam search tries every action, and {space} has {count:,}; use cem, icem or mppi")
    return np.array(list(product(*ranges)), dtype=np.int64).reshape(count, *(space.shape or ()))


def _same(candidates: np.ndarray, plans: np.ndarray) -> np.ndarray:
    """Whether candidates (B, N, t, ...) equal a plan (B, 1, t, ...): bool (B, N)."""
    return (candidates == plans).reshape(*candidates.shape[:2], -1).all(axis=-1)


def _pick(candidates: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Candidates (B, N, ...) by their places (B, W): (B, W, ...)."""
    return candidates[np.arange(len(candidates))[:, None], order]
