"""What a planner remembers of its rows: a random generator each, and the plan before, which warms the next one up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dreamplay.agents.proposals import Proposal


class Memory:
    """Generators and plans by row number; a row is one episode and knows nothing of the others.

    Args:
        seed: row i draws from a generator of its own, seeded with `seed + i`.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._generators: dict[int, np.random.Generator] = {}
        self._plans: dict[int, np.ndarray] = {}  # row -> (T, *action_shape)

    def reset(self, seed: int | None = None, rows: Sequence[int] | None = None) -> None:
        """Forgets plans and, given a seed, reseeds; see `dreamplay.agents.planner.Planner.reset`."""
        if rows is None:
            self._plans = {}
            if seed is not None:
                self._seed, self._generators = seed, {}
            return
        for row in rows:
            self._plans.pop(row, None)
            if seed is not None:
                self._generators[row] = np.random.default_rng(seed + row)

    def generator(self, row: int) -> np.random.Generator:
        """The random numbers of a row."""
        if row not in self._generators:
            self._generators[row] = np.random.default_rng(self._seed + row)
        return self._generators[row]

    def recall(self, rows: Sequence[int], proposal: Proposal) -> Best:
        """The plans before, shifted by the step that was acted out; the new last step repeats the one before it."""
        best = Best(proposal.zeros(len(rows)), [row in self._plans for row in rows])
        for position, row in enumerate(rows):
            if row in self._plans:
                best.plans[position] = np.concatenate([self._plans[row][1:], self._plans[row][-1:]])
        return best

    def keep(self, rows: Sequence[int], plans: np.ndarray) -> None:
        """Remembers the plans (B, T, *action_shape) that are now acted out."""
        self._plans.update(zip(rows, plans.copy(), strict=True))


class Best:
    """The best sequence of each of B rows so far; it is only given up for one that scores strictly better.

    Attributes:
        plans: (B, T, *action_shape); a placeholder where nothing is known.
        known: bool (B,), whether the row has one.
        values: (B,), minus infinity until it is scored.
    """

    def __init__(self, plans: np.ndarray, known: Sequence[bool]) -> None:
        self.plans = plans
        self.known = np.array(known, dtype=bool)
        self.values = np.full(len(plans), -np.inf)

    def join(self, candidates: np.ndarray) -> None:
        """Makes the best so far the first of the candidates (B, N, T, *action_shape), where there is one."""
        candidates[self.known, 0] = self.plans[self.known]

    def improve(self, candidates: np.ndarray, values: np.ndarray) -> None:
        """Takes in candidates (B, N, T, *action_shape) and their values (B, N)."""
        index = values.argmax(axis=1)
        value = values.max(axis=1)
        # A row without a best takes its winner even if every candidate scored minus infinity.
        better = (value > self.values) | ~self.known
        self.plans[better], self.values[better] = candidates[better, index[better]], value[better]
        self.known = np.ones_like(self.known)
