"""The cross-entropy method: sample sequences, keep the best, sample closer to them, and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.memory import Best
from dreamplay.agents.planner import Score, valued
from dreamplay.agents.proposals import proposal_for
from dreamplay.agents.refinement import elite_weights, refit, start
from dreamplay.agents.warm_planner import WarmPlanner, check_counts, check_persistence
from dreamplay.errors import UserError


@dataclass(frozen=True)
class CEMConfig:
    """How far and how hard to plan. One plan costs iterations x candidates x horizon simulator steps per row."""

    horizon: int = 15
    """T: steps that a plan looks ahead."""
    candidates: int = 32
    """N: sequences scored in each iteration."""
    iterations: int = 2
    """How many times the distribution is moved towards the best candidates."""
    elites: int = 8
    """How many of the candidates count as the best; those that tie with the last of them count too."""
    persistence: float = 0.7
    """Probability that a step of the first candidates keeps the noise of the step before: they hold a direction."""
    smoothing: float = 0.1
    """Share of the uniform distribution that every finite choice keeps."""
    minimum_std: float = 0.05
    """Smallest standard deviation of a continuous action, in half-widths of its Box."""

    def __post_init__(self) -> None:
        check_counts(self, "horizon", "candidates", "iterations", "elites")
        check_persistence(self.persistence)
        if not 0 < self.smoothing <= 1:
            raise UserError(f"smoothing is {self.smoothing}; it is a share and must lie in (0, 1]")
        if self.minimum_std <= 0:
            raise UserError(f"minimum_std is {self.minimum_std}; it must be positive, or exploring ends")


class CrossEntropyPlanner(WarmPlanner):
    """Plans by the cross-entropy method (Rubinstein and Kroese 2004), row by row independently and all rows at once.

    Of the additions of iCEM (Pinneri et al. 2020) it takes the warm start by the plan before, shifted by one step; the
    best sequence so far as a candidate of every iteration; and noise that is correlated in time, but only in the first
    iteration: later ones are to refine single steps. The plan before is only given up for one that scores strictly
    better. Scores that are not finite count as minus infinity.

    Args:
        action_space: Discrete, MultiDiscrete, MultiBinary or Box.
        config: How far and how hard to plan.
        seed: Row i draws from a generator of its own, seeded with `seed + i`.

    Raises:
        UserError: If the action space is of another kind.

    Example:
        >>> import gymnasium as gym, numpy as np
        >>> planner = CrossEntropyPlanner(gym.spaces.Discrete(3), CEMConfig(horizon=4))
        >>> planner.plan(lambda actions: (actions == 2).sum(axis=-1), batch=1).tolist()
        [[2, 2, 2, 2]]
    """

    def __init__(self, action_space: gym.Space[Any], config: CEMConfig | None = None, *, seed: int = 0) -> None:
        self.config = config or CEMConfig()
        smoothing, minimum_std = self.config.smoothing, self.config.minimum_std
        super().__init__(
            proposal_for(action_space, self.config.horizon, smoothing=smoothing, minimum_std=minimum_std), seed
        )

    def _search(
        self, score: Score, rows: Sequence[int], generators: Sequence[np.random.Generator], best: Best
    ) -> np.ndarray:
        """The best sequences found."""
        parameters = start(self._proposal, best)
        for iteration in range(self.config.iterations):
            persistence = self.config.persistence if iteration == 0 else 0.0
            candidates = self._draw(parameters, generators, self.config.candidates, persistence)
            best.join(candidates)
            values = valued(score, candidates)  # (B, N)
            best.improve(candidates, values)
            weights = elite_weights(values, self.config.elites)
            parameters = refit(self._proposal, parameters, candidates, weights)
        return best.plans
