"""iCEM: the cross-entropy method for little time: noise of one colour, and nothing good is thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.memory import Best
from dreamplay.agents.planner import Score, valued
from dreamplay.agents.proposals import proposal_for
from dreamplay.agents.refinement import elite_weights, refit, start
from dreamplay.agents.warm_planner import WarmPlanner, check_counts
from dreamplay.errors import UserError


@dataclass(frozen=True)
class ICEMConfig:
    """How far and how hard to plan. A plan costs at most iterations x candidates x horizon simulator steps a row."""

    horizon: int = 15
    """T: steps that a plan looks ahead."""
    candidates: int = 32
    """N: sequences scored in the first iteration."""
    iterations: int = 2
    """How many times the distribution is moved towards the best candidates."""
    elites: int = 8
    """How many of the candidates count as the best; those that tie with the last of them count too."""
    decay: float = 1.25
    """Each iteration scores so many times fewer candidates than the one before, but at least two for an elite."""
    keep: float = 0.3
    """Share of the elites that are candidates again: in the next iteration, and, shifted, in the next plan."""
    momentum: float = 0.1
    """Share of the distribution that each iteration leaves as it was."""
    beta: float = 2.0
    """Colour of the noise: its power falls with frequency f as f ** -beta. 0 is white, 2 nearly a random walk."""

    def __post_init__(self) -> None:
        check_counts(self, "horizon", "candidates", "iterations", "elites")
        if not self.decay >= 1:
            raise UserError(f"decay is {self.decay}; it must be at least 1")
        for name in ("keep", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it is a share and must lie in [0, 1)")
        if not self.beta >= 0:
            raise UserError(f"beta is {self.beta}; it must not be negative")


class ICEMPlanner(WarmPlanner):
    """Plans by the improved cross-entropy method (Pinneri et al. 2020), all rows at once and independently.

    Beyond `CrossEntropyPlanner`: the noise is coloured in every iteration; the elites, not the best alone, stay
    candidates, within a plan and from one plan to the next; the distribution has momentum, and its middle is the last
    candidate. The plan is the best sequence ever scored.

    Args:
        action_space: Discrete, MultiDiscrete, MultiBinary or Box.
        config: How far and how hard to plan.
        seed: Row i draws from a generator of its own, seeded with `seed + i`.

    Raises:
        UserError: If the action space is of another kind.

    Example:
        >>> import gymnasium as gym, numpy as np
        >>> planner = ICEMPlanner(gym.spaces.Discrete(3), ICEMConfig(horizon=4))
        >>> planner.plan(lambda actions: (actions == 2).sum(axis=-1), batch=1).tolist()
        [[2, 2, 2, 2]]
    """

    def __init__(self, action_space: gym.Space[Any], config: ICEMConfig | None = None, *, seed: int = 0) -> None:
        self.config = config or ICEMConfig()
        super().__init__(proposal_for(action_space, self.config.horizon), seed)
        self._elites: dict[int, np.ndarray] = {}  # row -> (E, T, *action_shape), of the plan before

    def reset(self, seed: int | None = None, rows: Sequence[int] | None = None) -> None:
        """Forgets the plans of the given rows, all by default, and reseeds them; see `Planner.reset`."""
        super().reset(seed, rows)
        for row in list(self._elites) if rows is None else rows:
            self._elites.pop(row, None)

    def _search(
        self, score: Score, rows: Sequence[int], generators: Sequence[np.random.Generator], best: Best
    ) -> np.ndarray:
        """The best sequences found."""
        config = self.config
        parameters = start(self._proposal, best)
        kept = [self._shifted(row) for row in rows]
        for iteration in range(config.iterations):
            least = min(2 * config.elites, config.candidates)
            count = max(int(config.candidates * config.decay**-iteration), least)
            noise = np.stack([self._proposal.noise(g, count, config.beta) for g in generators])  # (B, N, T, A)
            candidates = self._proposal.sample(parameters, noise)  # (B, N, T, *action_shape)
            if iteration == config.iterations - 1:
                candidates[:, -1] = self._proposal.centre(parameters)
            for row, elites in zip(candidates, kept, strict=True):
                room = min(len(elites), count - 2)  # the best is the first, the middle the last
                row[1 : 1 + max(room, 0)] = elites[: max(room, 0)]
            best.join(candidates)
            values = valued(score, candidates)  # (B, N)
            best.improve(candidates, values)
            fitted = refit(self._proposal, parameters, candidates, elite_weights(values, config.elites))
            parameters = config.momentum * parameters + (1 - config.momentum) * fitted
            order = np.argsort(-values, axis=1, kind="stable")[:, : ceil(config.keep * config.elites)]
            kept = [row[places] for row, places in zip(candidates, order, strict=True)]
        self._elites.update(zip(rows, kept, strict=True))
        return best.plans

    def _shifted(self, row: int) -> np.ndarray:
        """The elites of the plan before, one step on: (E, T, *action_shape), E = 0 at first."""
        if row not in self._elites:
            return self._proposal.zeros(0)
        elites = self._elites[row]
        return np.concatenate([elites[:, 1:], elites[:, -1:]], axis=1)
