"""The planning seam: a planner sees a function that scores action sequences, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

Score = Callable[[np.ndarray], np.ndarray]
"""`score(actions (B, N, T, *action_shape)) -> values (B, N)`: higher is better, non-finite loses."""


def valued(score: Score, candidates: np.ndarray) -> np.ndarray:
    """Values (B, N), float64, of candidates (B, N, T, *action_shape); those that are not finite are minus infinity.

    Raises:
        ValueError: If `score` answers anything but one value per candidate.
    """
    values, shape = np.asarray(score(candidates), dtype=np.float64), candidates.shape[:2]
    if values.shape != shape:
        raise ValueError(f"score returned values of shape {values.shape}; one value per candidate is needed: {shape}")
    return np.where(np.isfinite(values), values, -np.inf)


class Planner(Protocol):
    """Chooses action sequences for B rows at once. A row is one episode: its own plan and its own generator."""

    def plan(self, score: Score, batch: int | Sequence[int] = 1) -> np.ndarray:
        """The best action sequence of every row.

        Args:
            score: Values of candidate sequences; its B rows are those of `batch`, in that order.
            batch: How many rows (0 to batch - 1), or the numbers of the rows to plan.

        Returns:
            Action sequences (B, T, *action_shape), of which the caller acts out the first step.
        """
        ...

    def reset(self, seed: int | None = None, rows: Sequence[int] | None = None) -> None:
        """Forgets everything about the given rows, all rows by default.

        Args:
            seed: Row i starts anew from the seed `seed + i`, as in Gymnasium's vector envs. None: generators run on.
            rows: The numbers of the rows.
        """
        ...
