"""Smaller frames that keep their colours: pixels are picked, never mixed."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

LARGEST_SIDE = 84  # pixels: the largest side that is kept as it is


class Subsample(
    gym.ObservationWrapper[np.ndarray, Any, np.ndarray],
    gym.utils.RecordConstructorArgs,
):
    """Keeps every n-th row and column of image observations, or picks the nearest pixels for an exact size.

    Observations become uint8 (H, W, C); a missing channel axis is added.

    Args:
        env: an environment with uint8 image observations (H, W) or (H, W, C).
        stride: every stride[0]-th row and stride[1]-th column is kept, beginning with the first.
        size: (height, width) in pixels; row i of the result is the one under its centre. Overrides `stride`.
    """

    def __init__(
        self, env: gym.Env[Any, Any], stride: tuple[int, int] = (1, 1), size: tuple[int, int] | None = None
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, stride=stride, size=size)
        gym.ObservationWrapper.__init__(self, env)
        assert env.observation_space.shape is not None
        height, width, *channels = env.observation_space.shape
        rows, columns = pick((height, width), stride, size)
        self._index = (rows, columns) if isinstance(rows, slice) else np.ix_(rows, columns)
        if size is None:
            size = -(-height // stride[0]), -(-width // stride[1])
        shape = (*size, *(channels or [1]))
        self.observation_space = gym.spaces.Box(0, 255, shape, np.uint8)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        """Pick the pixels: uint8 (H, W) or (H, W, C) -> a fresh uint8 (H', W', C)."""
        frame = observation[self._index]
        return np.array(frame[:, :, None] if frame.ndim == 2 else frame, order="C")


def pick(before: tuple[int, int], stride: tuple[int, int], size: tuple[int, int] | None) -> tuple[Any, Any]:
    """Which rows and which columns of (height, width) are kept, as indices: by stride, or for an exact size."""
    if size is None:
        return slice(None, None, stride[0]), slice(None, None, stride[1])
    return _nearest(before[0], size[0]), _nearest(before[1], size[1])


def small_stride(height: int, width: int) -> tuple[int, int]:
    """The smallest strides that bring both sides to at most 84 pixels."""
    return max(1, -(-height // LARGEST_SIDE)), max(1, -(-width // LARGEST_SIDE))


def _nearest(before: int, after: int) -> np.ndarray:
    """For each of `after` cells, the old pixel under its centre, in whole-number arithmetic."""
    return (2 * np.arange(after) + 1) * before // (2 * after)
