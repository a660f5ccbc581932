"""What a GPU is used for, run on the CPU: learning from rounder numbers, from data that lie there, compiled."""

import shutil
from dataclasses import replace

import pytest
import torch
from networks import batch_for, gradients, palette_network

from dreamplay.acceleration import PLAIN, Acceleration
from dreamplay.curriculum import window
from dreamplay.objective import objective
from dreamplay.simulator import load
from dreamplay.starting import start_training
from dreamplay.training import TrainConfig, train

CPU = torch.device("cpu")


def trained(bricks, run, acceleration, **settings):
    reports = []
    training = start_training(TrainConfig(**{"updates": 8, "batch_steps": 32, **settings}), bricks, "data", "cpu")
    run.mkdir()
    train(training, bricks.split()[0], run, reports.append, acceleration=acceleration)
    return training.network.state_dict(), [report.losses.total.item() for report in reports]


def test_data_kept_on_the_device_change_nothing(bricks, tmp_path):
    one, losses = trained(bricks, tmp_path / "one", PLAIN, curriculum="carried")
    other, same = trained(bricks, tmp_path / "other", replace(PLAIN, resident=True), curriculum="carried")
    assert losses == same
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("simulator", ["default", "classic"])
def test_bfloat16_trains_about_as_float32_does_and_is_stored_as_such(simulator, bricks, tmp_path):
    settings = {"simulator": simulator, "curriculum": {"default": "default", "classic": "pdt-33"}[simulator]}
    _, losses = trained(bricks, tmp_path / "one", PLAIN, **settings)
    weights, rounder = trained(bricks, tmp_path / "other", Acceleration(bfloat16=True), **settings)
    assert rounder == pytest.approx(losses, rel=0.05) and rounder != losses
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    load(tmp_path / "other", "cpu")


def test_weights_cast_for_dreams_still_learn():
    """A cache of weights cast without gradient would leave them without one."""
    network, stage = palette_network(), window(3, 4)
    batch = batch_for(network, 7)
    expected = gradients(network, objective(network, batch, stage).total)
    with Acceleration(bfloat16=True).autocast(CPU):
        losses = objective(network, batch, stage)
    rounder = gradients(network, losses.total)
    assert losses.total.dtype == torch.float32
    assert {name for name, value in expected.items() if value.any()} == {n for n, v in rounder.items() if v.any()}


def test_the_recurrence_stays_in_float32():
    network = palette_network()
    batch = batch_for(network, 7)
    with torch.no_grad(), Acceleration(bfloat16=True).autocast(CPU):
        _, hidden = network.observe(batch.frames[:, :-1], batch.actions, network.initial(batch.frames[:, 0]))
    assert hidden["memory"].dtype == torch.float32


def test_in_bfloat16_what_runs_over_all_cells_is_bfloat16_throughout():
    """One float32 among them would have all that follows computed in float32 and cast at each convolution."""
    network = palette_network()
    seen = []
    for layer in (network.mix, *network.blocks, network.change):
        layer.register_forward_hook(lambda module, inputs, output: seen.append((inputs[0].dtype, output.dtype)))
    with Acceleration(bfloat16=True).autocast(CPU):
        objective(network, batch_for(network, 7), window(7))
    assert set(seen) == {(torch.bfloat16, torch.bfloat16)}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
def test_compiled_trains_as_it_does_otherwise(bricks, tmp_path):
    _, losses = trained(bricks, tmp_path / "one", PLAIN, updates=3, curriculum="teacher-forcing")
    fast = replace(PLAIN, compiled=True)
    _, compiled = trained(bricks, tmp_path / "other", fast, updates=3, curriculum="teacher-forcing")
    assert compiled == pytest.approx(losses, rel=1e-3)


def test_what_is_used_follows_the_device_and_is_said(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, "avx2": True}, raising=False)
    assert Acceleration.of(CPU, 10**3) == PLAIN
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert Acceleration.of(CPU, 10**3) == Acceleration(bfloat16=True)
    assert Acceleration.of(CPU, 10**3, "float32") == PLAIN
    monkeypatch.delattr(torch.cpu, "get_capabilities")  # an older PyTorch
    assert Acceleration.of(CPU, 10**3) == PLAIN
    assert Acceleration.of(CPU, 10**3, "bfloat16", compiled=True) == Acceleration(True, False, True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10**9, 2 * 10**9))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    gpu = torch.device("cuda", 0)
    assert Acceleration.of(gpu, 10**8) == Acceleration(bfloat16=True, resident=True, recorded=True)
    assert Acceleration.of(gpu, 10**10) == Acceleration(bfloat16=True, recorded=True)
    assert Acceleration.of(gpu, 10**8, "float32") == Acceleration(resident=True, recorded=True)
    assert Acceleration.of(gpu, 10**8, compiled=True) == Acceleration(True, True, True)
    assert str(Acceleration(True, True, True)) == (
        "bfloat16 with float32 weights and losses, data kept on the device, compiled"
    )
    assert str(Acceleration(recorded=True)).endswith(", updates recorded")
    assert str(PLAIN) == "float32, data memory-mapped, never loaded as a whole"
