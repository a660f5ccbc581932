"""What an agent is: anything with these two methods, in reality and in a dream alike."""

from typing import Any, Protocol

import numpy as np


class Agent(Protocol):
    """Chooses actions from observations. No base class is needed, only the two methods."""

    def reset(self, seed: int | None = None) -> None:
        """Forget everything about the episode before; a seed also restarts the agent's own random numbers."""
        ...

    def act(self, observation: np.ndarray) -> Any:
        """The action to take after a frame, uint8 (H, W, C)."""
        ...
