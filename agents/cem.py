"""The cross-entropy method: sample sequences, keep the best, sample closer to them, and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.planner import Score
from dreamplay.agents.proposals import proposal_for
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
        self._seed = seed
        self._generators: dict[int, np.random.Generator] = {}
        self._plans: dict[int, np.ndarray] = {}  # row -> (T, *action_shape)

    def reset(self, seed: int | None = None, rows: Sequence[int] | None = None) -> None:
        """Forgets the plans of the given rows, all by default, and reseeds them; see `Planner.reset`."""
        if rows is None:
            self._plans = {}
            if seed is not None:
                self._seed, self._generators = seed, {}
            return
        for row in rows:
            self._plans.pop(row, None)
            if seed is not None:
                self._generators[row] = np.random.default_rng(seed + row)

    def plan(self, score: Score, batch: int | Sequence[int] = 1) -> np.ndarray:
        """The best sequences found (B, T, *action_shape); see `Planner.plan`. The next call starts from them.

        Raises:
            ValueError: If `score` answers anything but one value per candidate, (B, N).
        """
        rows = range(batch) if isinstance(batch, int) else batch
        warm = np.array([row in self._plans for row in rows], dtype=bool)  # (B,)
        best = self._proposal.zeros(len(rows))  # (B, T, *action_shape), for the rows that start cold a placeholder
        for position, row in enumerate(rows):
            if row in self._plans:
                best[position] = np.concatenate([self._plans[row][1:], self._plans[row][-1:]])
        parameters = self._proposal.prior(len(rows))
        # The last step has only now come into sight and is as open as ever.
        parameters[warm, :-1] = self._proposal.around(best)[warm, :-1]
        best_value = np.full(len(rows), -np.inf)
        have_best = warm
        for iteration in range(self.config.iterations):
            noise = self._noise(rows, self.config.persistence if iteration == 0 else 0.0)
            candidates = self._proposal.sample(parameters, noise)  # (B, N, T, *action_shape)
            candidates[have_best, 0] = best[have_best]
            values = _finite(score(candidates), candidates.shape[:2])  # (B, N)
            index = values.argmax(axis=1)
            value = values[np.arange(len(rows)), index]
            # A row without a best takes its winner even if every candidate scored minus infinity.
            better = (value > best_value) | ~have_best
            best[better], best_value[better] = candidates[better, index[better]], value[better]
            have_best = np.ones_like(warm)
            parameters = self._refit(parameters, candidates, values)
        self._plans.update(zip(rows, best.copy(), strict=True))
        return best

    def _noise(self, rows: Sequence[int], persistence: float) -> np.ndarray:
        generators = [self._generator(row) for row in rows]
        noise = np.stack([self._proposal.noise(g, self.config.candidates) for g in generators])  # (B, N, T, A)
        if persistence > 0:
            kept = np.stack([g.random(noise.shape[1:]) for g in generators]) < persistence
            for t in range(1, noise.shape[2]):
                noise[:, :, t] = np.where(kept[:, :, t], noise[:, :, t - 1], noise[:, :, t])
        return noise

    def _generator(self, row: int) -> np.random.Generator:
        if row not in self._generators:
            self._generators[row] = np.random.default_rng(self._seed + row)
        return self._generators[row]

    def _refit(self, parameters: np.ndarray, candidates: np.ndarray, values: np.ndarray) -> np.ndarray:
        # Candidates that tie with the last elite all count: where nothing tells candidates apart, the distribution
        # stays as wide as it was instead of closing in on an arbitrary few.
        elites = min(self.config.elites, values.shape[1])
        bar = np.partition(values, -elites, axis=1)[:, -elites, None]  # (B, 1)
        weights = ((values >= bar) & np.isfinite(values)).astype(np.float64)  # (B, N)
        some = weights.any(axis=1)  # (B,)
        fitted = self._proposal.fit(candidates, weights)
        return np.where(some.reshape(-1, *[1] * (parameters.ndim - 1)), fitted, parameters)


def _finite(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.shape != shape:
        raise ValueError(f"score returned values of shape {values.shape}; one value per candidate is needed: {shape}")
    return np.where(np.isfinite(values), values, -np.inf)
