"""Random shooting: draw sequences, take the best. What every cleverer planner has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.memory import Best
from dreamplay.agents.planner import Score, valued
from dreamplay.agents.proposals import proposal_for
from dreamplay.agents.warm_planner import WarmPlanner, check_counts, check_persistence


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
        check_counts(self, "horizon", "candidates")
        check_persistence(self.persistence)


class ShootingPlanner(WarmPlanner):
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
        super().__init__(proposal_for(action_space, self.config.horizon), seed)

    def _search(
        self, score: Score, rows: Sequence[int], generators: Sequence[np.random.Generator], best: Best
    ) -> np.ndarray:
        """The best sequences drawn."""
        widest = self._proposal.prior(len(rows))
        candidates = self._draw(widest, generators, self.config.candidates, self.config.persistence)
        best.join(candidates)
        best.improve(candidates, valued(score, candidates))
        return best.plans
