"""Actions as vectors of a fixed size A, whatever the kind of action space."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from dreamplay.errors import UserError


def action_size(space: spaces.Space) -> int:
    """A: one-hot entries for discrete actions, one number per dimension for boxes and bits."""
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.MultiDiscrete):
        return int(space.nvec.sum())
    if isinstance(space, spaces.MultiBinary | spaces.Box):
        return int(np.prod(space.shape))
    raise UserError(
        f"action space {space} is not supported; use Discrete, MultiDiscrete, MultiBinary or Box "
        "(gymnasium.wrappers.FlattenObservation-style wrappers can flatten an action space)"
    )


def encode_actions(space: spaces.Space, actions: np.ndarray) -> np.ndarray:
    """Actions (..., *action_shape) -> float32 (..., A): one-hot, bits, or a box scaled to [-1, 1]."""
    if isinstance(space, spaces.Discrete):
        return _one_hot(actions - space.start, int(space.n))
    if isinstance(space, spaces.MultiDiscrete):
        lead = actions.shape[: actions.ndim - space.nvec.ndim]
        flat, sizes = (actions - space.start).reshape(*lead, -1), space.nvec.ravel()
        return np.concatenate([_one_hot(flat[..., i], int(n)) for i, n in enumerate(sizes)], -1)
    flat = actions.reshape(*actions.shape[: actions.ndim - len(space.shape or ())], -1).astype(np.float32)
    if isinstance(space, spaces.Box):
        low, high = space.low.ravel(), space.high.ravel()
        bounded = np.isfinite(low) & np.isfinite(high)
        centre = np.where(bounded, (low + high) / 2, 0)
        scale = np.where(bounded & (high > low), (high - low) / 2, 1)
        return ((flat - centre) / scale).astype(np.float32)
    return flat


def _one_hot(indices: np.ndarray, n: int) -> np.ndarray:
    return (np.asarray(indices)[..., None] == np.arange(n)).astype(np.float32)
