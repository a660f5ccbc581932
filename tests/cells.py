"""Reading small frames in tests."""

from __future__ import annotations

import numpy as np


def cells(frame: np.ndarray, color: tuple[int, int, int]) -> list[tuple[int, int]]:
    """The (row, column) of every pixel of that colour, row by row; frame uint8 (H, W, 3)."""
    return [(int(row), int(column)) for row, column in np.argwhere((frame == np.array(color)).all(axis=-1))]
