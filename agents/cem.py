"""The cross-entropy method: sample sequences, keep the best, sample closer to them, and again."""

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
from dreamplay.agents.refinement import elite_weights, refit, start
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
        for name in ("horizon", "candidates", "iterations", "elites"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; a planner needs at least 1")
        if not 0 <= self.persistence < 1:
            raise UserError(f"persistence is {self.persistence}; it is a probability and must lie in [0, 1)")
        if not 0 < self.smoothing <= 1:
            raise UserError(f"smoothing is {self.smoothing}; it is a share and must lie in (0, 1]")
        if self.minimum_std <= 0:
            raise UserError(f"minimum_std is {self.minimum_std}; it must be positive, or exploring ends")


class CrossEntropyPlanner:
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
        self._proposal = proposal_for(
            action_space, self.config.horizon, smoothing=self.config.smoothing, minimum_std=self.config.minimum_std
        )
        self._memory = Memory(seed)

    def reset(self, seed: int | None = None, rows: Sequence[int] | None = None) -> None:
        """Forgets the plans of the given rows, all by default, and reseeds them; see `Planner.reset`."""
        self._memory.reset(seed, rows)

    def plan(self, score: Score, batch: int | Sequence[int] = 1) -> np.ndarray:
        """The best sequences found (B, T, *action_shape); see `Planner.plan`. The next call starts from them.

        Raises:
            ValueError: If `score` answers anything but one value per candidate, (B, N).
        """
        rows = range(batch) if isinstance(batch, int) else batch
        generators = [self._memory.generator(row) for row in rows]
        best = self._memory.recall(rows, self._proposal)
        parameters = start(self._proposal, best)
        for iteration in range(self.config.iterations):
            noise = np.stack([self._proposal.noise(g, self.config.candidates) for g in generators])  # (B, N, T, A)
            noise = held(noise, generators, self.config.persistence if iteration == 0 else 0.0)
            candidates = self._proposal.sample(parameters, noise)  # (B, N, T, *action_shape)
            best.join(candidates)
            values = valued(score, candidates)  # (B, N)
            best.improve(candidates, values)
            weights = elite_weights(values, self.config.elites)
            parameters = refit(self._proposal, parameters, candidates, weights)
        self._memory.keep(rows, best.plans)
        return best.plans
