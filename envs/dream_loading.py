"""From the keyword arguments of `gym.make` to a loaded simulator."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from dreamplay.errors import UserError
from dreamplay.shipped import find_run

if TYPE_CHECKING:
    from dreamplay.simulator import Simulator


def load_simulator(checkpoint: str, device: str = "auto", backend: str = "auto") -> Simulator:
    """Load the simulator of a checkpoint; dreams of one checkpoint share it, until the checkpoint is written anew.

    Args:
        checkpoint: folder of the checkpoint or name of a shipped dream; a string, so that an environment's spec
            survives JSON.
        device: "auto", "cpu", "cuda", ...
        backend: "auto" (ONNX Runtime when it is installed and the device is the CPU), "torch" or "onnx".

    Raises:
        UserError: if there is no such backend, or the checkpoint cannot be read.
    """
    if not isinstance(checkpoint, str):
        raise UserError(f"checkpoint must be a string, not {type(checkpoint).__name__}; pass str(path)")
    manifest = find_run(checkpoint).resolve() / "checkpoint.json"
    written = manifest.stat().st_mtime_ns if manifest.is_file() else None
    return _load(checkpoint, str(manifest), written, device, backend)


@lru_cache(maxsize=2)  # the environment checker makes one environment per render mode
def _load(checkpoint: str, manifest: str, written: int | None, device: str, backend: str) -> Simulator:
    from dreamplay.simulator import load

    return load(checkpoint, device, backend)


def check_settings(horizon: int, temperature: float) -> None:
    """Check what single and batched dreams have in common.

    Raises:
        UserError: if the horizon is not a whole number above zero, or the temperature is negative or not finite.
    """
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
        raise UserError(f"horizon is {horizon!r}; pass a whole number of steps, at least 1")
    if isinstance(temperature, str) or not math.isfinite(temperature) or temperature < 0:
        raise UserError(f"temperature is {temperature!r}; pass a number from 0 (most likely frame) up, 1 is as learned")
