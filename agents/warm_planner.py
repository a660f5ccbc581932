"""What all planners here have in common: rows with a generator each, and a search that starts from the plan before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from dreamplay.agents.memory import Best, Memory
from dreamplay.agents.noise_in_time import held
from dreamplay.agents.planner import Score
from dreamplay.agents.proposals import Proposal
from dreamplay.errors import UserError


class WarmPlanner(ABC):
    """Plans row by row independently and all rows at once, each from its plan before, shifted by one step.

    Args:
        proposal: Distribution over sequences of the action space.
        seed: Row i draws from a generator of its own, seeded with `seed + i`.
    """

    def __init__(self, proposal: Proposal, seed: int) -> None:
        self._proposal = proposal
        self._memory = Memory(seed)

    def reset(self, seed: int | None = None, rows: Sequence[int] | None = None) -> None:
        """Forgets the plans of the given rows, all by default, and reseeds them; see `Planner.reset`."""
        self._memory.reset(seed, rows)

    def plan(self, score: Score, batch: int | Sequence[int] = 1) -> np.ndarray:
        """The plan of each row (B, T, *action_shape); see `Planner.plan`. The next call starts from them.

        Raises:
            ValueError: If `score` answers anything but one value per candidate, (B, N).
        """
        rows = range(batch) if isinstance(batch, int) else batch
        generators = [self._memory.generator(row) for row in rows]
        plans = self._search(score, rows, generators, self._memory.recall(rows, self._proposal))
        self._memory.keep(rows, plans)
        return plans

    @abstractmethod
    def _search(
        self, score: Score, rows: Sequence[int], generators: Sequence[np.random.Generator], best: Best
    ) -> np.ndarray:
        """Plans (B, T, *action_shape) of the rows, given their generators and, in `best`, the plans before."""

    def _draw(
        self, parameters: np.ndarray, generators: Sequence[np.random.Generator], count: int, persistence: float
    ) -> np.ndarray:
        """Candidates (B, count, T, *action_shape); a step keeps the noise of the one before with a probability."""
        noise = np.stack([self._proposal.noise(generator, count) for generator in generators])  # (B, N, T, A)
        return self._proposal.sample(parameters, held(noise, generators, persistence))


def check_counts(config: Any, *names: str) -> None:
    """Refuses a configuration in which one of these numbers is below 1.

    Raises:
        UserError: It names the number.
    """
    for name in names:
        if getattr(config, name) < 1:
            raise UserError(f"{name} is {getattr(config, name)}; a planner needs at least 1")


def check_persistence(persistence: float) -> None:
    """Refuses what is no probability, or would hold the first step for ever.

    Raises:
        UserError: It says so.
    """
    if not 0 <= persistence < 1:
        raise UserError(f"persistence is {persistence}; it is a probability and must lie in [0, 1)")
