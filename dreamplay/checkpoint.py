"""A checkpoint: a folder of weights as safetensors and everything else as JSON or plain arrays.

`checkpoint.json` names the other files of one moment with their SHA-256, and is renamed into place last: whatever
interrupts a save, the folder holds the whole previous checkpoint or the whole new one. Loading runs no code from it.
"""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor

from dreamplay.errors import UserError
from dreamplay.json_files import plain, write_json
from dreamplay.shipped import hint
from dreamplay.whole_files import write_whole

FORMAT = 8  # of the weights as well: 8 since pixels agree on how many become of a colour
MANIFEST = "checkpoint.json"
KINDS = ("weights", "training", "context")


def save_checkpoint(
    run: Path,
    manifest: dict[str, Any],
    weights: dict[str, Tensor],
    contexts: dict[str, np.ndarray],
    training: dict[str, Tensor] | None,
) -> None:
    """Write one moment of a run, then drop the files of the moment before.

    Args:
        run: the run folder; exists.
        manifest: JSON values; "format", "files" and "checksum" are added.
        weights: the network's parameters and buffers.
        contexts: the start contexts, plain arrays.
        training: optimiser state; None leaves it out, the run can then be dreamed and no longer be continued.

    Raises:
        OSError: the disk is full or not writable; the checkpoint before stays, and nothing else.
    """
    contents = {
        "weights": (serialise_tensors(_plain(weights)), "safetensors"),
        **({} if training is None else {"training": (serialise_tensors(_plain(training)), "safetensors")}),
        **{f"context-{name}": (_npy(array), "npy") for name, array in contexts.items()},
    }
    # Named after what they hold: no file of the checkpoint before is ever replaced by one that differs.
    digests = {name: hashlib.sha256(content).hexdigest() for name, (content, _) in contents.items()}
    files = {f"{name}-{digests[name][:16]}.{suffix}": digests[name] for name, (_, suffix) in contents.items()}
    whole = plain({"format": FORMAT, **manifest, "files": files})
    present = {path.name for path in run.iterdir()}
    try:
        for name, (content, _) in zip(files, contents.values(), strict=True):
            write_whole(run / name, content)
        write_json(run / MANIFEST, whole | {"checksum": _checksum(whole)})
    except BaseException:  # Ctrl-C too
        if not _is_current(run, files):
            for name in set(files) - present:
                (run / name).unlink(missing_ok=True)
        raise
    for kind in KINDS:
        for path in run.glob(f"{kind}-*"):
            if path.name not in files:
                path.unlink()


def read_manifest(run: Path) -> dict[str, Any]:
    """checkpoint.json of a run.

    Raises:
        UserError: it is missing or unreadable, was altered, or is of another version.
    """
    path = run / MANIFEST
    if not path.is_file():
        raise UserError(f"{run} is not a run folder: it has no {MANIFEST}; {hint(run)}")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        raise UserError(f"{path} cannot be read; copy the run again, or train it anew") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UserError(f"{path} is not of format {FORMAT} but of another version of Dreamplay; train the run anew")
    if manifest.pop("checksum", None) != _checksum(manifest):
        raise UserError(f"{path} is damaged: its checksum does not fit; copy the run again, or train it anew")
    return manifest


def read_tensors(run: Path, manifest: dict[str, Any], kind: str) -> dict[str, Tensor]:
    """The tensors of "weights" or "training".

    Raises:
        UserError: the file is missing or was altered, or there never was one.
    """
    if kind == "training" and not any(name.startswith("training-") for name in manifest["files"]):
        raise UserError(f"{run} was stripped of its training state and cannot be continued; train a run of your own")
    try:
        return parse_tensors(_read(run, manifest, f"{kind}-"))
    except SafetensorError as error:
        raise UserError(f"the {kind} of {run} are not in safetensors format ({error}); train it anew") from None


def read_contexts(run: Path, manifest: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arrays "observations" (M, n, H, W, C) and "actions" (M, n-1, ...).

    Raises:
        UserError: a file is missing or was altered.
    """
    names = ("observations", "actions")
    try:
        return {n: np.load(BytesIO(_read(run, manifest, f"context-{n}-")), allow_pickle=False) for n in names}
    except ValueError as error:
        raise UserError(f"the contexts of {run} are no plain arrays ({error}); train it anew") from None


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of an optimiser as named tensors."""
    state = optimiser.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value) for index, entry in state.items() for name, value in entry.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Undo `optimiser_tensors`."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".", 1)
        parameter = parameters[int(index)]
        # In memory as the parameter lies, which is how the optimiser made it: the same arithmetic to the last bit.
        state.setdefault(int(index), {})[name] = (
            torch.empty_like(parameter).copy_(tensor) if tensor.shape == parameter.shape else tensor
        )
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _read(run: Path, manifest: dict[str, Any], prefix: str) -> bytes:
    name, expected = next(((n, h) for n, h in manifest["files"].items() if n.startswith(prefix)), ("", ""))
    path = run / Path(name).name  # never a file outside the run, whatever the manifest says
    try:
        content = path.read_bytes()
    except OSError:
        raise UserError(f"{run} lacks {name or prefix + '...'}; copy the run again, or train it anew") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise UserError(f"{path} is damaged: its checksum is not the one in {MANIFEST}; copy the run again")
    return content


def _checksum(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _is_current(run: Path, files: dict[str, str]) -> bool:
    try:
        return bool(read_manifest(run)["files"] == files)
    except UserError:
        return False


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _npy(array: np.ndarray) -> bytes:
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
