"""The state of a dream as plain values that any process can pickle, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dreamplay.errors import UserError

if TYPE_CHECKING:
    from dreamplay.simulator import State

Snapshot = dict[str, Any]
FIELDS = {"state", "frames", "elapsed", "done", "generators", "seeds"}


def take_snapshot(
    state: State,
    frames: np.ndarray,
    elapsed: np.ndarray,
    done: np.ndarray,
    generators: Sequence[np.random.Generator],
    seeds: Sequence[int],
) -> Snapshot:
    """Copy the whole state of B dreams.

    Args:
        state: the simulator's, B rows.
        frames: uint8 (B, H, W, C), the last frames.
        elapsed: int64 (B,), steps since the contexts ended.
        done: bool (B,), dreams that wait for a reset.
        generators: the B random generators, PCG64 as Gymnasium's.
        seeds: the seeds they were made with.
    """
    return {
        "state": {name: np.array(value.cpu().numpy()) for name, value in state.items()},
        "frames": frames.copy(),
        "elapsed": elapsed.copy(),
        "done": done.copy(),
        "generators": [deepcopy(generator.bit_generator.state) for generator in generators],
        "seeds": list(seeds),
    }


def read_snapshot(snapshot: Snapshot, like: State, frames: tuple[int, ...]) -> tuple[State, list[np.random.Generator]]:
    """Rebuild a simulator state and the random generators; the snapshot stays independent of both.

    Args:
        snapshot: from `take_snapshot`.
        like: a state of the same simulator: it gives names, sizes, types and the device.
        frames: (B, H, W, C) that the snapshot must hold.

    Raises:
        UserError: if the snapshot belongs to another kind of dream.
    """
    if not isinstance(snapshot, Mapping) or set(snapshot) != FIELDS:
        raise UserError("this is not the snapshot of a dream; pass what snapshot() returned")
    if snapshot["frames"].shape != frames or len(snapshot["generators"]) != frames[0]:
        held = snapshot["frames"].shape
        raise UserError(f"the snapshot holds frames of shape {held}, this dream {frames}; restore it where it fits")
    saved: dict[str, np.ndarray] = snapshot["state"]
    if {name: value.shape[1:] for name, value in saved.items()} != {k: tuple(v.shape[1:]) for k, v in like.items()}:
        raise UserError("the snapshot was taken with another simulator; restore it into a dream of the same checkpoint")
    state = {
        name: torch.from_numpy(saved[name].copy()).to(device=value.device, dtype=value.dtype)
        for name, value in like.items()
    }
    return state, [_generator(saved) for saved in snapshot["generators"]]


def _generator(saved: Any) -> np.random.Generator:
    bits = np.random.PCG64(0)
    bits.state = deepcopy(saved)
    return np.random.Generator(bits)
