"""What agents have in common whose dream follows reality: many episodes at once, or one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import compress
from typing import Any

import numpy as np

from dreamplay.agents.following import Following
from dreamplay.simulator import Simulator


class FollowingAgent(ABC):
    """Several episodes can be played at once, one per row, by `reset_rows`, `act_rows` and `observe_rows`.

    `reset`, `act` and `observe` are the same for a single episode. Rows do not influence one another. The dream's state
    moves on with what `observe` is told; without it the present frame alone is known.

    Args:
        simulator: Its hidden state follows reality.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._following = Following(simulator)

    def reset(self, seed: int | None = None) -> None:
        """A new episode: forgets the one before, and restarts the agent's random numbers if a seed is given."""
        self.reset_rows(1, seed)

    def act(self, observation: np.ndarray) -> Any:
        """The action to take after this frame, uint8 (H, W, C)."""
        return self.act_rows([0], [observation])[0]

    def observe(self, observation: np.ndarray, action: Any, reward: float, terminated: bool, truncated: bool) -> None:
        """What reality answered to an action, the agent's own or another: the next frame, uint8 (H, W, C)."""
        self.observe_rows([0], [observation], [action], [reward], [terminated], [truncated])

    def reset_rows(self, count: int, seed: int | None = None) -> None:
        """New episodes in rows 0 to count - 1; row i is seeded with `seed + i`."""
        self._following.forget()

    @abstractmethod
    def act_rows(self, numbers: Sequence[int], observations: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        """Actions (B, *action_shape) of the rows with these numbers, after frames uint8 (B, H, W, C)."""

    def observe_rows(
        self,
        numbers: Sequence[int],
        observations: Sequence[np.ndarray] | np.ndarray,
        actions: Sequence[Any] | np.ndarray,
        rewards: Sequence[float] | np.ndarray,
        terminated: Sequence[bool] | np.ndarray,
        truncated: Sequence[bool] | np.ndarray,
    ) -> None:
        """What reality answered in the rows with these numbers. A row whose episode is over is ready for another."""
        over = [bool(end or cut) for end, cut in zip(terminated, truncated, strict=True)]
        if ended := list(compress(numbers, over)):
            self._end(ended)
        going = [not end for end in over]
        self._following.advance(*(list(compress(part, going)) for part in (numbers, actions, observations)))

    def _end(self, numbers: Sequence[int]) -> None:
        """The episodes in these rows are over."""
        self._following.forget(numbers)
