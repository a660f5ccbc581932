"""Random shooting: draw sequences, take the best. What every cleverer planner has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.memory import Memory
from dreamplay.agents.noise_in_time import held
from dreamplay.agents.planner import Score, valued
from dreamplay.agents.proposals import proposal_for
from dreamplay.errors import UserError


@dataclass(frozen=True)
class ShootingConfig:
    """How far and how hard to plan. One plan costs candidates x horizon simulator steps per row."""

    horizon: int = 15
    """T: steps that a plan looks ahead."""
    candidates: int = 64
    """N: sequences scored."""
    persistence: float = 0.7
    """Probability that a step keeps the noise of the step before: candidates hold a direction."""

    def __post_init__(self) -> None:
        for name in ("horizon", "candidates"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; a planner needs at least 1")
        if not 0 <= self.persistence < 1:
            raise UserError(f"persistence is {self.persistence}; it is a probability and must lie in [0, 1)")


class ShootingPlanner:
    """Plans by random shooting. The plan before, shifted by one step, is a candidate, and only given up for a better.

    Args:
        action_space: Discrete, MultiDiscrete, MultiBinary or Box.
        config: How far and how hard to plan.
        seed: Row i draws from a generator of its own, seeded with `seed + i`.

    Raises:
        UserError: If the action space is of another kind.

    Example:
        >>> import gymnasium as gym, numpy as np
        >>> planner = ShootingPlanner(gym.spaces.Discrete(3), ShootingConfig(horizon=2))
        >>> planner.plan(lambda actions: (actions == 2).sum(axis=-1), batch=1).tolist()
        [[2, 2]]
    """

    def __init__(self, action_space: gym.Space[Any], config: ShootingConfig | None = None, *, seed: int = 0) -> None:
        self.config = config or ShootingConfig()
        self._proposal = proposal_for(action_space, self.config.horizon)
        self._memory = Memory(seed)

    def reset(self, seed: int | None = None, rows: Sequence[int] | None = None) -> None:
        """Forgets the plans of the given rows, all by default, and reseeds them; see `Planner.reset`."""
        self._memory.reset(seed, rows)

    def plan(self, score: Score, batch: int | Sequence[int] = 1) -> np.ndarray:
        """The best sequences found (B, T, *action_shape); see `Planner.plan`."""
        rows = range(batch) if isinstance(batch, int) else batch
        generators = [self._memory.generator(row) for row in rows]
        best = self._memory.recall(rows, self._proposal)
        noise = np.stack([self._proposal.noise(g, self.config.candidates) for g in generators])  # (B, N, T, A)
        noise = held(noise, generators, self.config.persistence)
        candidates = self._proposal.sample(self._proposal.prior(len(rows)), noise)  # (B, N, T, *action_shape)
        best.join(candidates)
        best.improve(candidates, valued(score, candidates))
        self._memory.keep(rows, best.plans)
        return best.plans
