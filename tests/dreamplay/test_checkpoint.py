"""A checkpoint survives what machines do to files: killed processes, full disks, flipped bits."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.optim import RMSprop

from dreamplay.checkpoint import (
    FORMAT,
    MANIFEST,
    optimiser_tensors,
    read_contexts,
    read_manifest,
    read_tensors,
    restore_optimiser,
    save_checkpoint,
)
from dreamplay.errors import UserError
from dreamplay.muon import Muon

RENAMES = 5  # weights, training, two contexts, checkpoint.json


def save(run: Path, value: int) -> None:
    """A checkpoint in which everything says `value`."""
    save_checkpoint(
        run,
        {"value": value},
        {"a.weight": torch.full((2, 3), float(value)), "steps": torch.tensor(value)},
        {"observations": np.full((2, 3, 4, 4, 1), value, np.uint8), "actions": np.full((2, 2), value)},
        {"0.step": torch.tensor(float(value))},
    )


def what_is_there(run: Path) -> int:
    """The value of the checkpoint, in all of its files."""
    manifest = read_manifest(run)
    value = manifest["value"]
    weights, contexts = read_tensors(run, manifest, "weights"), read_contexts(run, manifest)
    assert torch.equal(weights["a.weight"], torch.full((2, 3), float(value))) and weights["steps"] == value
    assert read_tensors(run, manifest, "training")["0.step"] == value
    assert (contexts["observations"] == value).all() and contexts["observations"].dtype == np.uint8
    assert (contexts["actions"] == value).all() and contexts["actions"].shape == (2, 2)
    return value


def names(run: Path) -> set[str]:
    return {path.name for path in run.iterdir()}


def test_a_save_replaces_the_one_before_and_its_files(tmp_path):
    for value in (1, 2):
        save(tmp_path, value)
        assert what_is_there(tmp_path) == value
        assert names(tmp_path) == {*read_manifest(tmp_path)["files"], MANIFEST}
    assert len(names(tmp_path)) == RENAMES


def test_the_weights_are_plain_safetensors(tmp_path):
    save(tmp_path, 3)
    assert set(load_file(next(tmp_path.glob("weights-*.safetensors")))) == {"a.weight", "steps"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("kill_at", range(RENAMES))
def test_killed_at_any_rename_it_still_loads(kill_at, before, tmp_path, monkeypatch):
    save(tmp_path, 1)
    child = os.fork()
    if child == 0:  # dies as by kill -9: nothing is cleaned up
        count, replace = 0, Path.replace

        def deadly(path, target):
            nonlocal count
            if count == kill_at and before:
                os._exit(9)
            replace(path, target)
            if count == kill_at:
                os._exit(9)
            count += 1

        monkeypatch.setattr(Path, "replace", deadly)
        save(tmp_path, 2)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    done = kill_at == RENAMES - 1 and not before
    assert what_is_there(tmp_path) == (2 if done else 1)
    save(tmp_path, 3)
    assert what_is_there(tmp_path) == 3
    assert len(names(tmp_path)) == RENAMES, "leftovers of the killed save are gone"


@pytest.mark.parametrize("call", ["pathlib.Path.replace", "os.fsync"])
@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("fail_at", range(RENAMES))
def test_a_full_disk_or_ctrl_c_leaves_the_checkpoint_before_and_nothing_else(
    fail_at, fault, call, tmp_path, monkeypatch
):
    save(tmp_path, 1)
    there = names(tmp_path)
    count, real = 0, Path.replace if call.endswith("replace") else os.fsync

    def failing(*arguments):
        nonlocal count
        count += 1
        if count == fail_at + 1:
            raise fault
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(call, failing)
        with pytest.raises(type(fault)):
            save(tmp_path, 2)
    assert what_is_there(tmp_path) == 1
    assert names(tmp_path) == there


def test_saving_the_same_again_is_as_safe(tmp_path, monkeypatch):
    save(tmp_path, 1)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError):
            save(tmp_path, 1)
    assert what_is_there(tmp_path) == 1


def test_every_flipped_bit_is_noticed(tmp_path):
    save(tmp_path, 1)
    for name in sorted(names(tmp_path)):
        path = tmp_path / name
        good = path.read_bytes()
        for place in np.linspace(0, len(good) - 1, 25).astype(int):
            if name == MANIFEST and good[place : place + 1].isspace():
                continue  # white space in JSON means nothing
            path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            with pytest.raises(UserError, match=r"damaged|cannot be read|not of format"):
                what_is_there(tmp_path)
        path.write_bytes(good)
    assert what_is_there(tmp_path) == 1


def test_cut_and_missing_files_are_noticed(tmp_path):
    save(tmp_path, 1)
    for name in sorted(names(tmp_path)):
        path = tmp_path / name
        good = path.read_bytes()
        for length in (0, 1, len(good) // 2):
            path.write_bytes(good[:length])
            with pytest.raises(UserError, match=name.split("-")[0]):
                what_is_there(tmp_path)
        path.unlink()
        with pytest.raises(UserError, match=r"lacks|has no"):
            what_is_there(tmp_path)
        path.write_bytes(good)


def test_other_things_are_no_checkpoint(tmp_path):
    for content in ("[]", "3", '{"format": 99}', "{}", "\xff"):
        (tmp_path / MANIFEST).write_bytes(content.encode("latin-1"))
        with pytest.raises(UserError, match=r"checkpoint\.json"):
            read_manifest(tmp_path)
    with pytest.raises(UserError, match="not a run folder"):
        read_manifest(tmp_path / "nowhere")


def test_a_manifest_cannot_name_a_file_outside_the_run(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    save(run, 1)
    manifest = read_manifest(run)
    name = next(name for name in manifest["files"] if name.startswith("weights-"))
    (run / name).rename(tmp_path / name)
    manifest["files"] = {f"weights-/../../{name}": manifest["files"][name]}
    with pytest.raises(UserError, match="lacks"):
        read_tensors(run, manifest, "weights")


def test_numbers_survive_to_the_last_bit(tmp_path):
    manifest = {"x": 0.1 + 0.2, "big": 2**127 + 1, "nested": {"list": [1e-300, -0.0], "none": None, "yes": True}}
    save_checkpoint(tmp_path, manifest, {}, {}, {})
    read = read_manifest(tmp_path)
    assert {name: read[name] for name in manifest} == manifest
    assert json.loads((tmp_path / MANIFEST).read_text())["format"] == FORMAT


@pytest.mark.parametrize(
    ("make", "average"),
    [(lambda layer: Muon(layer, 0.01), "momentum"), (lambda layer: RMSprop(layer.parameters(), 0.01), "square_avg")],
)
def test_an_optimiser_goes_on_as_if_never_stopped(make, average):
    def network():
        torch.manual_seed(0)
        return torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)

    def update(layer, optimiser, seed):
        x = torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(seed))
        optimiser.zero_grad()
        layer(x).square().sum().backward()
        optimiser.step()

    straight, halved = network(), network()
    one, first = make(straight), make(halved)
    for seed in range(3):
        update(straight, one, seed)
        update(halved, first, seed)
    second = make(halved)
    restore_optimiser(second, {name: tensor.clone() for name, tensor in optimiser_tensors(first).items()})
    layout = second.state_dict()["state"][0][average]
    assert layout.is_contiguous(memory_format=torch.channels_last)
    for seed in range(3, 6):
        update(straight, one, seed)
        update(halved, second, seed)
    assert torch.equal(straight.weight, halved.weight) and torch.equal(straight.bias, halved.bias)
