"""Model predictive path integral control: every candidate has a say, the better ones exponentially more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.memory import Best
from dreamplay.agents.planner import Score, valued
from dreamplay.agents.proposals import proposal_for
from dreamplay.agents.refinement import refit, start
from dreamplay.agents.warm_planner import WarmPlanner, check_counts, check_persistence
from dreamplay.errors import UserError


@dataclass(frozen=True)
class MPPIConfig:
    """How far and how hard to plan. One plan costs iterations x candidates x horizon simulator steps per row."""

    horizon: int = 15
    """T: steps that a plan looks ahead."""
    candidates: int = 32
    """N: sequences scored in each iteration."""
    iterations: int = 2
    """How many times the distribution is moved."""
    temperature: float = 0.3
    """Difference in value, in standard deviations of the candidates' values, that makes e times as much of a say."""
    persistence: float = 0.7
    """Probability that a step of the first candidates keeps the noise of the step before: they hold a direction."""

    def __post_init__(self) -> None:
        check_counts(self, "horizon", "candidates", "iterations")
        if not self.temperature > 0:
            raise UserError(f"temperature is {self.temperature}; it must be positive")
        check_persistence(self.persistence)


class MPPIPlanner(WarmPlanner):
    """Plans by path integrals (Williams et al. 2017), row by row independently and all rows at once.

    The plan is the mean of all candidates, weighted by exp(value / temperature), or for finite choices what most of the
    weight chooses at each step. The temperature is relative to the spread of the values, so that it fits rewards of any
    size; the spread of the candidates follows the weights too (Stulp and Sigaud 2012). The plan before, shifted by one
    step, is where the next one starts, and one of its candidates.

    Args:
        action_space: Discrete, MultiDiscrete, MultiBinary or Box.
        config: How far and how hard to plan.
        seed: Row i draws from a generator of its own, seeded with `seed + i`.

    Raises:
        UserError: If the action space is of another kind.

    Example:
        >>> import gymnasium as gym, numpy as np
        >>> planner = MPPIPlanner(gym.spaces.Discrete(3), MPPIConfig(horizon=4))
        >>> planner.plan(lambda actions: (actions == 2).sum(axis=-1), batch=1).tolist()
        [[2, 2, 2, 2]]
    """

    def __init__(self, action_space: gym.Space[Any], config: MPPIConfig | None = None, *, seed: int = 0) -> None:
        self.config = config or MPPIConfig()
        super().__init__(proposal_for(action_space, self.config.horizon), seed)

    def _search(
        self, score: Score, rows: Sequence[int], generators: Sequence[np.random.Generator], best: Best
    ) -> np.ndarray:
        """The weighted means of the sequences tried."""
        parameters = start(self._proposal, best)
        for iteration in range(self.config.iterations):
            persistence = self.config.persistence if iteration == 0 else 0.0
            candidates = self._draw(parameters, generators, self.config.candidates, persistence)
            best.join(candidates)
            weights = path_integral_weights(valued(score, candidates), self.config.temperature)
            parameters = refit(self._proposal, parameters, candidates, weights)
        return self._proposal.centre(parameters)


def path_integral_weights(values: np.ndarray, temperature: float) -> np.ndarray:
    """Weights (B, N), 1 for the best, of values (B, N) that are finite or minus infinity; those of the latter are 0."""
    finite = np.isfinite(values)
    top = np.where(finite.any(axis=1, keepdims=True), values.max(axis=1, keepdims=True), 0.0)
    below = np.where(finite, top - values, 0.0)  # (B, N), at least 0
    count = np.maximum(finite.sum(axis=1, keepdims=True), 1)
    mean = below.sum(axis=1, keepdims=True) / count
    variance = (finite * (below - mean) ** 2).sum(axis=1, keepdims=True) / count
    spread = np.where(variance > 0, np.sqrt(variance), 1.0)
    return finite * np.exp(-below / (temperature * spread))
