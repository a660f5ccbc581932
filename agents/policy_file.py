"""A learned policy as one file: weights as safetensors, everything else as JSON in its header. Loading runs no code.

The features that a policy sees are those of one simulator with one set of weights, so the file names the run and what
its weights were.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor

from dreamplay.agents.action_heads import head_for
from dreamplay.agents.learning import LearnConfig, Learner, make_optimiser
from dreamplay.agents.policy import Policy
from dreamplay.checkpoint import optimiser_tensors, restore_optimiser
from dreamplay.envs.card import space_from_json, space_to_json
from dreamplay.errors import UserError
from dreamplay.shipped import find_run, shipped_name
from dreamplay.simulator import Simulator
from dreamplay.whole_files import write_whole

FORMAT = 1
HEADER = "dreamplay policy"
NAME = "policy.safetensors"


def policy_path(run: str | Path) -> Path:
    """Where the policy of a run is unless told otherwise; that of a shipped dream is kept here, not in the package."""
    folder = find_run(run)
    name = shipped_name(folder)
    return folder / NAME if name is None else Path("policies") / f"{name}.safetensors"


def save_policy(path: Path, learner: Learner, run: Path, simulator: Simulator) -> None:
    """Write the file, whole or not at all.

    Args:
        path: the file; one that exists is replaced.
        learner: policy, optimiser and progress.
        run: the run folder in whose dream it learned; named relative to the file, so that both can be moved together.
        simulator: that of the run.

    Raises:
        OSError: the disk is full or not writable; what was there before stays.
    """
    optimiser = {f"optimiser.{name}": tensor for name, tensor in optimiser_tensors(learner.optimiser).items()}
    tensors = {**{f"policy.{n}": t for n, t in learner.policy.state_dict().items()}, **optimiser}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    description = {
        "format": FORMAT,
        "run": Path(os.path.relpath(run.resolve(), path.resolve().parent)).as_posix(),
        "simulator": weights_of(simulator),
        "action_space": space_to_json(simulator.card.action_space),
        "features": learner.policy.features,
        "config": asdict(learner.config),
        "least": learner.least,
        "steps": learner.steps,
        "minutes": learner.minutes,
        "checksum": _checksum(plain),
    }
    write_whole(path, serialise_tensors(plain, {HEADER: json.dumps(description)}))


def read_policy(path: Path) -> tuple[Learner, dict[str, Any]]:
    """A policy, ready to act or to go on learning, and what the file says of itself.

    The latter has "run", the run folder; "simulator", the `weights_of` it; and "action_space".

    Raises:
        UserError: there is no such file, or it is none, or damaged.
    """
    if not path.is_file():
        raise UserError(f"there is no policy {path}; learn one: dreamplay learn RUN --out {path}")
    try:
        with safe_open(path, "pt") as file:
            header = (file.metadata() or {}).get(HEADER)
        tensors = parse_tensors(path.read_bytes())
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is no policy or a damaged one ({error}); learn it anew") from None
    if header is None:
        raise UserError(f"{path} is no policy of Dreamplay; learn one: dreamplay learn RUN --out POLICY")
    try:
        said = json.loads(header)
        if said["format"] != FORMAT:
            raise UserError(f"{path} is of another version of Dreamplay; learn it anew")
        if said["checksum"] != _checksum(tensors):
            raise UserError(f"{path} is damaged: its checksum does not fit; copy it again, or learn it anew")
        said["action_space"] = space_from_json(said["action_space"])
        head, config = head_for(said["action_space"]), LearnConfig(**said["config"])
        policy = Policy(int(said["features"]), head.outputs, config.width)
        policy.load_state_dict(_part(tensors, "policy."))
        optimiser = make_optimiser(policy, config)
        restore_optimiser(optimiser, _part(tensors, "optimiser."))
        least, steps, minutes = float(said["least"]), int(said["steps"]), float(said["minutes"])
        said["run"], said["simulator"] = (path.parent / said["run"]).resolve(), str(said["simulator"])
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise UserError(f"{path} does not fit its own description ({error!r}); learn it anew") from None
    return Learner(config, policy, head, optimiser, least, steps, minutes), said


def weights_of(simulator: Simulator) -> str:
    """What tells a simulator from others, and from itself before it was trained on: the checksum of its weights."""
    return _checksum(simulator.network.state_dict())


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _checksum(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name].detach().cpu().contiguous().numpy()
        digest.update(f"{name} {array.shape} {array.dtype}".encode() + array.tobytes())
    return digest.hexdigest()
