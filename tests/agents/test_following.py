"""Following reality step by step comes to the same as starting from everything that was seen."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from networks import SIZE, classic_network, colour_network, every, palette_network

from dreamplay.agents.following import Following
from dreamplay.envs.card import EnvCard, Preparation
from dreamplay.rewards import RewardBins
from dreamplay.simulator import Simulator

STEPS = 12


def simulator_of(network) -> Simulator:
    space = gym.spaces.Box(0, 255, (*SIZE, 1), np.uint8)
    card = EnvCard("Toy-v0", {}, Preparation(), space, gym.spaces.Discrete(3), [], 10)
    return Simulator(network, card, RewardBins(np.array([0, 1], np.float32), True), [])


def episodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames (count, STEPS + 1, H, W, 1) and actions (count, STEPS)."""
    rng = np.random.default_rng(0)
    frames = rng.choice(np.array([0, 9, 99], np.uint8), (count, STEPS + 1, *SIZE, 1))
    return frames, rng.integers(0, 3, (count, STEPS))


def assert_same(one, other) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], atol=1e-5, rtol=1e-5)


@every
def test_frames_observed_one_after_the_other_equal_a_start_from_all_of_them(make_network) -> None:
    simulator = simulator_of(make_network())
    frames, actions = episodes(3)
    following = Following(simulator)
    following.see([0, 1, 2], frames[:, 0])
    for t in range(STEPS):
        assert_same(following.state([0, 1, 2]), simulator.start(frames[:, : t + 1], actions[:, :t]))
        following.advance([0, 1, 2], actions[:, t], frames[:, t + 1])
    assert_same(following.state([2, 0]), simulator.start(frames[[2, 0]], actions[[2, 0]]))


@pytest.mark.parametrize("make_network", [palette_network, colour_network, classic_network])
def test_episodes_may_begin_and_end_at_different_times(make_network) -> None:
    simulator = simulator_of(make_network())
    frames, actions = episodes(2)
    following = Following(simulator)
    following.see([0], frames[:1, 0])
    for t in range(4):
        following.advance([0], actions[:1, t], frames[:1, t + 1])
    following.advance([0, 1], actions[[0, 1], [4, 0]], [frames[0, 5], frames[1, 0]])  # row 1 begins
    following.advance([1, 0], actions[[1, 0], [0, 5]], [frames[1, 1], frames[0, 6]])
    assert_same(following.state([0]), simulator.start(frames[:1, :7], actions[:1, :6]))
    assert_same(following.state([1]), simulator.start(frames[1:, :2], actions[1:, :1]))
    following.forget([0])
    following.see([0, 1], [frames[0, 3], frames[1, 1]])
    assert_same(following.state([0]), simulator.start(frames[:1, 3:4], actions[:1, :0]))
    assert_same(following.state([1]), simulator.start(frames[1:, :2], actions[1:, :1]))
