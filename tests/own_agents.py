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
