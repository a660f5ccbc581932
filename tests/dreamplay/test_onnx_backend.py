"""Both backends dream the same: eager PyTorch and ONNX Runtime, for every kind of network."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

import dreamplay
from dreamplay.errors import UserError
from dreamplay.network import NetworkConfig
from dreamplay.one_step import OneStep
from dreamplay.rewards import RewardBins
from dreamplay.simulator import Context, Simulator, build_network, choose_backend
from toys import StubSimulator

COLOURS = np.array([[0, 0, 0], [0, 90, 200], [120, 3, 70], [255, 250, 1]], np.uint8)
SIZE = (14, 10)  # no multiple of a patch
PATCHES = {"size": SIZE, "side": 4}
SMALL = vars(NetworkConfig(features=8, hidden=12, canvas=3, glance=2, anchor=5))
NETWORKS: dict[str, dict[str, Any]] = {
    "palette": {
        "kind": "default",
        "frames": {"kind": "palette", "colours": COLOURS.tolist(), **PATCHES},
        "config": SMALL,
    },
    "no chance": {
        "kind": "default",
        "frames": {"kind": "palette", "colours": COLOURS.tolist(), **PATCHES},
        "config": SMALL | {"latents": 0},
    },
    "colour": {"kind": "default", "frames": {"kind": "colour", "channels": 3, **PATCHES}, "config": SMALL},
    "classic": {"kind": "classic", "frames": {"kind": "raw", "mean": [0.3, 0.2, 0.1]}, "config": {}},
}
B, T = 5, 12


def simulator(kind: str, backend: str, exact: bool = True) -> Simulator:
    """Random weights, loud enough that rewards, frames and terminations vary."""
    torch.manual_seed(0)
    card = replace(StubSimulator().card, observation_space=gym.spaces.Box(0, 255, (*SIZE, 3), np.uint8))
    rewards = RewardBins(np.array([-1, 0, 1], np.float32), exact)
    network = build_network(NETWORKS[kind], card, rewards)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_((0.01 if kind == "classic" else 0.2) * torch.randn(parameter.shape))  # else it explodes
    return Simulator(network, card, rewards, [context(4)], backend=backend)


def context(n: int) -> Context:
    rng = np.random.default_rng(n)
    return Context(COLOURS[rng.integers(0, 4, (n, *SIZE))], rng.integers(0, 3, n - 1))


def rollout(one: Simulator, temperature: float) -> Any:
    rng = np.random.default_rng(0)
    observations = COLOURS[rng.integers(0, 4, (B, 3, *SIZE))]
    actions, future = rng.integers(0, 3, (B, 2)), rng.integers(0, 3, (B, T))
    return one.rollout(observations, actions, future, temperature=temperature, seed=1)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize("kind", list(NETWORKS))
def test_backends_agree(kind: str, temperature: float, exact: bool) -> None:
    pytest.importorskip("onnxruntime")
    eager, graph = (rollout(simulator(kind, backend, exact), temperature) for backend in ("torch", "onnx"))
    difference = np.abs(eager.observations.astype(int) - graph.observations)
    assert difference.max() <= (1 if kind in ("colour", "classic") else 0)
    assert len(np.unique(eager.observations[:, 1:] != eager.observations[:, :-1])) == 2, "something moves"
    for name in ("rewards", "termination_probability", "reward_probability"):
        np.testing.assert_allclose(getattr(eager, name), getattr(graph, name), atol=1e-4)


@pytest.mark.parametrize("kind", ["palette", "no chance"])
@pytest.mark.parametrize("sampled", [False, True])
def test_the_folded_network_is_the_network(kind: str, sampled: bool) -> None:
    one = simulator(kind, "torch")
    network, step = one.network, OneStep(one.network, one.rewards)
    rng = np.random.default_rng(0)
    state = one.start(COLOURS[rng.integers(0, 4, (B, 3, *SIZE))], rng.integers(0, 3, (B, 2)))
    action = torch.eye(3)[torch.from_numpy(rng.integers(0, 3, B))]
    uniforms = torch.from_numpy(rng.random((B, one.draws), np.float32)) if sampled else None
    with torch.no_grad():
        drawn = None if uniforms is None else uniforms[:, 2:]
        said, hidden = network.step(state["frame"], action, state, uniforms=drawn, temperature=0.5)
        after, events = step(state, action, uniforms, 0.5)
    picture, open_pixels = network.frames.dreamed(said.frame, state)
    assert torch.equal(after["frame"], picture["frame"])
    torch.testing.assert_close(after["doubt"], picture["doubt"], atol=1e-5, rtol=1e-5)
    assert after["frame"].dtype == torch.uint8
    assert not torch.equal(after["frame"], state["frame"])
    for name, value in hidden.items():
        torch.testing.assert_close(after[name], value, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(events[2], said.termination.sigmoid(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(events[3], one.rewards.mean(said.reward), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(events[5], open_pixels, atol=1e-4, rtol=1e-4)
    assert open_pixels.min() > 0


def test_one_graph_takes_batches_of_any_size() -> None:
    pytest.importorskip("onnxruntime")
    one = simulator("palette", "onnx")
    start = one.contexts[0]
    for rows in (1, 3, 1):
        state = one.start(start.observations[None].repeat(rows, 0), start.actions[None].repeat(rows, 0))
        before = {name: value.clone() for name, value in state.items()}
        after, step = one.step(state, np.arange(rows))
        assert step.observations.shape == (rows, *SIZE, 3)
        assert all(torch.equal(state[name], before[name]) for name in state), "the state passed in is left as it was"
        assert {name: (v.shape, v.dtype) for name, v in after.items()} == {
            n: (v.shape, v.dtype) for n, v in state.items()
        }


def test_auto_takes_onnx_on_a_cpu_when_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: Callable[[bool], None] = lambda there: monkeypatch.setattr(  # noqa: E731
        "dreamplay.onnx_backend.importlib.util.find_spec", lambda name: object() if there else None
    )
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    installed(True)
    assert [choose_backend("auto", device) for device in (cpu, gpu)] == ["onnx", "torch"]
    with pytest.raises(UserError, match=r"runs on the CPU, not on cuda; use --device cpu or --backend torch"):
        choose_backend("onnx", gpu)
    installed(False)
    assert choose_backend("auto", cpu) == "torch"
    with pytest.raises(UserError, match=r"ONNX Runtime is not installed: pip install 'dreamplay\[onnx\]'"):
        choose_backend("onnx", cpu)
    with pytest.raises(UserError, match="backend 'tensorflow' is unknown; use one of auto, torch, onnx"):
        choose_backend("tensorflow", cpu)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_an_environment_takes_the_backend(run: Path, backend: str) -> None:
    if backend == "onnx":
        pytest.importorskip("onnxruntime")
    files = sorted(path.name for path in run.iterdir())
    env = gym.make("Dreamplay/Dream-v0", checkpoint=str(run), device="cpu", backend=backend)
    env.reset(seed=0)
    env.step(0)
    assert env.unwrapped.simulator.backend == backend
    envs = gym.make_vec("Dreamplay/Dream-v0", num_envs=2, checkpoint=str(run), device="cpu", backend=backend)
    assert envs.simulator is env.unwrapped.simulator
    assert dreamplay.load(run, "cpu", backend).backend == backend
    assert sorted(path.name for path in run.iterdir()) == files, "nothing is written beside the checkpoint"


def test_eager_dreams_need_no_onnx_runtime(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    env = gym.make("Dreamplay/Dream-v0", checkpoint=str(run), backend="torch")
    env.reset(seed=0)
    env.step(0)
    assert env.unwrapped.simulator.backend == "torch"


def test_large_batches_go_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    whole = rollout(simulator("palette", "onnx"), 0.7)
    monkeypatch.setattr("dreamplay.onnx_backend.NUMBERS_AT_ONCE", 1500)  # two of the five rows
    parts = rollout(simulator("palette", "onnx"), 0.7)
    np.testing.assert_array_equal(parts.observations, whole.observations)
    np.testing.assert_allclose(parts.termination_probability, whole.termination_probability, atol=1e-5)
