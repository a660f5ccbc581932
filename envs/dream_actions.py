"""The actions a dream takes: checked a whole batch at a time, and brought to the type that data and simulators use."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction

from dreamplay.errors import UserError


class ActionChecker:
    """Checks batches of actions against an action space without a loop over the batch.

    Args:
        space: Discrete, MultiDiscrete, MultiBinary or Box.

    Raises:
        UserError: if the space is of another kind.
    """

    def __init__(self, space: gym.Space) -> None:
        self._space = space
        self._kinds = "iub"  # NumPy's letters for the kinds of numbers that are accepted
        self._dtype: np.dtype[Any] = np.dtype(np.int64)
        if isinstance(space, gym.spaces.Discrete):
            low, high = space.start, space.start + space.n - 1
        elif isinstance(space, gym.spaces.MultiDiscrete):
            low, high = space.start, space.start + space.nvec - 1
        elif isinstance(space, gym.spaces.MultiBinary):
            low, high = np.zeros(space.shape, np.int64), np.ones(space.shape, np.int64)
        elif isinstance(space, gym.spaces.Box):
            low, high = space.low, space.high
            self._kinds, self._dtype = "iubf", np.dtype(np.float32)
        else:
            raise UserError(f"action space {space} is not supported; use Discrete, MultiDiscrete, MultiBinary or Box")
        self._low, self._high = np.asarray(low, self._dtype), np.asarray(high, self._dtype)
        self._neutral = np.clip(np.zeros(self._low.shape, self._dtype), self._low, self._high)

    def check(self, actions: Any, count: int, ignore: np.ndarray | None = None) -> np.ndarray:
        """Return the actions (count, *action_shape) as a fresh array: int64 for discrete kinds, float32 for Box.

        Args:
            actions: array-like (count, *action_shape).
            count: how many actions there must be.
            ignore: bool (count,), rows whose action does not matter: it may be anything, and a valid one replaces it.

        Raises:
            InvalidAction: if the shape or the kind is wrong, or an action lies outside the space.
        """
        given = np.asarray(actions)
        expected = (count, *self._low.shape)
        if given.shape != expected:
            raise InvalidAction(f"actions of shape {given.shape} given, {expected} needed for {self._space}")
        if given.dtype.kind not in self._kinds and given.size:
            raise InvalidAction(f"actions of type {given.dtype} given, {self._dtype} needed for {self._space}")
        checked = given.astype(self._dtype)
        if ignore is not None:
            checked[ignore] = self._neutral
        valid = (checked >= self._low) & (checked <= self._high)  # False for NaN
        if not valid.all():
            row = int(np.argmin(valid.reshape(count, -1).all(1)))
            raise InvalidAction(f"action {given[row].tolist()!r} is not in {self._space}; choose one that is")
        return checked
