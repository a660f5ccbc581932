"""Dreams of real networks, untrained: many at once are single ones to within one gray level."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import SyncVectorEnv

from dreamplay.classic import RawFrames
from dreamplay.envs.dream import DreamEnv
from dreamplay.envs.dream_vector import DreamVectorEnv
from dreamplay.frames import ColourFrames, PaletteFrames, Patches
from dreamplay.rewards import RewardBins
from dreamplay.simulator import Context, Simulator, build_network
from toys import StubSimulator

COLOURS = np.array([[0, 0, 0], [0, 90, 200], [120, 3, 70], [255, 250, 1]], np.uint8)
FRAMES = {
    "palette": PaletteFrames(Patches((16, 16), 4), COLOURS),
    "colour": ColourFrames(Patches((16, 16), 4), 3),
    "classic": RawFrames(np.array([0.3, 0.2, 0.1])),
}


def simulator(kind: str) -> Simulator:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    card = replace(StubSimulator().card, observation_space=gym.spaces.Box(0, 255, (16, 16, 3), np.uint8))
    rewards = RewardBins(np.array([-1, 0, 1], np.float32), True)
    network_kind = "classic" if kind == "classic" else "default"
    network = build_network({"kind": network_kind, "frames": FRAMES[kind].to_json(), "config": {}}, card, rewards)
    with torch.no_grad():
        for parameter in network.parameters():  # away from zero, so that rewards, frames and terminations vary
            parameter.add_(0.05 * torch.randn(parameter.shape))
    contexts = [Context(COLOURS[rng.integers(0, 4, (n, 16, 16))], rng.integers(0, 3, n - 1)) for n in (1, 4, 10)]
    return Simulator(network, card, rewards, contexts)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("kind", list(FRAMES))
def test_many_dreams_are_single_ones(kind: str, temperature: float, mode: str) -> None:
    one = simulator(kind)
    batched = DreamVectorEnv(one, 6, horizon=7, temperature=temperature, autoreset_mode=mode)
    single = [lambda: DreamEnv(one, horizon=7, temperature=temperature)] * 6
    reference = SyncVectorEnv(single, autoreset_mode=mode)
    np.testing.assert_array_equal(batched.reset(seed=3)[0], reference.reset(seed=3)[0])
    ends = 0
    for actions in np.random.default_rng(1).integers(0, 3, (20, 6)):
        given, expected = batched.step(actions), reference.step(actions)
        assert np.abs(given[0].astype(int) - expected[0]).max() <= 1
        for one_value, other in zip(given[1:4], expected[1:4], strict=True):
            np.testing.assert_allclose(one_value, other, atol=1e-4)
        ends += (given[2] | given[3]).sum()
    assert ends >= 12


def test_restoring_rewinds_a_real_network() -> None:
    envs = DreamVectorEnv(simulator("palette"), 3, temperature=1.0, horizon=5)
    envs.reset(seed=0)
    envs.step(np.array([0, 1, 2]))
    snapshot = envs.snapshot()
    futures = []
    for _ in range(2):
        futures.append([envs.step(np.array([2, 1, 0]))[0] for _ in range(9)])
        envs.restore(snapshot)
    np.testing.assert_array_equal(futures[0], futures[1])
