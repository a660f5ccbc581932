"""A checkpoint: a folder of weights as safetensors and everything else as JSON or plain arrays.

`checkpoint.json` names the other files of one moment with their SHA-256, and is renamed into place last: whatever
interrupts a save, the folder holds the whole previous checkpoint or the whole new one. Loading runs no code from it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor

from dreamplay.errors import UserError
from dreamplay.folders import write_json

FORMAT = 1
MANIFEST = "checkpoint.json"


def save_checkpoint(
    run: Path, moment: int, manifest: dict[str, Any], weights: dict[str, Tensor], contexts: dict[str, np.ndarray], training: dict[str, Tensor]
) -> None:
    """Write one moment of a run, then drop the files of the moment before.

    Args:
        run: the run folder; exists.
        moment: number of updates so far; distinguishes the file names.
        manifest: JSON values; "format" and "files" are added.
        weights: the network's parameters and buffers.
        contexts: the start contexts, plain arrays.
        training: optimiser and random state.
    """
    contents = {
        f"weights-{moment:08d}.safetensors": serialise_tensors(_plain(weights)),
        f"training-{moment:08d}.safetensors": serialise_tensors(_plain(training)),
        **{f"context-{name}-{moment:08d}.npy": _npy(array) for name, array in contexts.items()},
    }
    for name, content in contents.items():
        _write(run / name, content)
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    write_json(run / MANIFEST, {"format": FORMAT, **manifest, "moment": moment, "files": files})
    for pattern in ("weights-*", "training-*", "context-*"):
        for path in run.glob(pattern):
            if path.name not in files:
                path.unlink()


def read_manifest(run: Path) -> dict[str, Any]:
    """checkpoint.json of a run.

    Raises:
        UserError: it is missing or unreadable.
    """
    path = run / MANIFEST
    if not path.is_file():
        raise UserError(f"{run} is not a run folder: it has no {MANIFEST}; make one with `dreamplay train`")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        raise UserError(f"{path} cannot be read; copy the run again, or train it anew") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UserError(f"{path} is not of format {FORMAT}; it was written by another version of Dreamplay")
    return manifest


def read_tensors(run: Path, manifest: dict[str, Any], kind: str) -> dict[str, Tensor]:
    """The tensors of "weights" or "training".

    Raises:
        UserError: the file is missing or was altered.
    """
    return parse_tensors(_read(run, manifest, f"{kind}-"))


def read_contexts(run: Path, manifest: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arrays "observations" (M, n, H, W, C) and "actions" (M, n-1, ...).

    Raises:
        UserError: a file is missing or was altered.
    """
    from io import BytesIO

    return {
        name: np.load(BytesIO(_read(run, manifest, f"context-{name}-")), allow_pickle=False)
        for name in ("observations", "actions")
    }


def _read(run: Path, manifest: dict[str, Any], prefix: str) -> bytes:
    name, expected = next(((n, h) for n, h in manifest["files"].items() if n.startswith(prefix)), ("", ""))
    path = run / Path(name).name
    try:
        content = path.read_bytes()
    except OSError:
        raise UserError(f"{run} lacks {name or prefix + '...'}; copy the run again, or train it anew") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise UserError(f"{path} is damaged: its checksum is not the one in {MANIFEST}; copy the run again")
    return content


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _npy(array: np.ndarray) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of an optimiser as named tensors."""
    state = optimiser.state_dict()["state"]
    return {f"{index}.{name}": torch.as_tensor(value) for index, entry in state.items() for name, value in entry.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Undo `optimiser_tensors`."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
