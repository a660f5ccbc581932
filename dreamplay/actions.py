"""Actions as vectors of a fixed size A, whatever the kind of action space."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from dreamplay.errors import UserError


def action_size(space: spaces.Space) -> int:
    """A: one-hot entries for discrete actions, one number per dimension for boxes and bits.

    Raises:
        UserError: the space is none of Discrete, MultiDiscrete, MultiBinary and Box.
    """
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.MultiDiscrete):
        return int(space.nvec.sum())
    if isinstance(space, spaces.MultiBinary | spaces.Box):
        return int(np.prod(space.shape))
    raise UserError(
        f"action space {space} is not supported; wrap the environment (gymnasium.wrappers.TransformAction) "
        "so that its actions are Discrete, MultiDiscrete, MultiBinary or Box"
    )


def encode_actions(space: spaces.Space, actions: np.ndarray) -> np.ndarray:
    """Actions (..., *action_shape) -> float32 (..., A): one-hot, bits, or a box scaled to [-1, 1].

    A dimension of a box that lacks a bound is passed on as it is.
    """
    if isinstance(space, spaces.Discrete):
        return _one_hot(actions - space.start, int(space.n))
    if isinstance(space, spaces.MultiDiscrete):
        lead = actions.shape[: actions.ndim - space.nvec.ndim]
        flat, sizes = (actions - space.start).reshape(*lead, -1), space.nvec.ravel()
        return np.concatenate([_one_hot(flat[..., i], int(n)) for i, n in enumerate(sizes)], -1)
    flat = actions.reshape(*actions.shape[: actions.ndim - len(space.shape or ())], -1).astype(np.float32)
    if isinstance(space, spaces.Box):
        low, high = space.low.ravel().astype(float), space.high.ravel().astype(float)  # a sum of int8 would overflow
        bounded = np.isfinite(low) & np.isfinite(high)
        low, high = np.where(bounded, low, -1), np.where(bounded, high, 1)
        scale = np.where(high > low, (high - low) / 2, 1)
        return ((flat - (low + high) / 2) / scale).astype(np.float32)
    return flat


def _one_hot(indices: np.ndarray, n: int) -> np.ndarray:
    return (np.asarray(indices)[..., None] == np.arange(n)).astype(np.float32)
