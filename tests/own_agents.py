"""Agents of a user's own, as `module:Name` finds them."""

from typing import Any

import numpy as np


class Right:
    """Always takes action 1."""

    def reset(self, seed: int | None = None) -> None:
        """Nothing to forget."""

    def act(self, observation: np.ndarray) -> Any:
        """Action 1."""
        return 1


class Half(Right):
    """Always takes half of everything."""

    def act(self, observation: np.ndarray) -> Any:
        """Half of a Box."""
        return np.full(2, 0.5, np.float32)
