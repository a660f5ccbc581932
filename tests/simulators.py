"""Small untrained simulators of every kind of network, and episodes for them."""

from typing import Any

import gymnasium as gym
import numpy as np
from networks import SIZE, A

from dreamplay.envs.card import EnvCard, Preparation
from dreamplay.episodes import Episode
from dreamplay.rewards import RewardBins
from dreamplay.simulator import Simulator

COLOURS = np.array([0, 9, 99], np.uint8)


def small_simulator(make_network: Any) -> Simulator:
    """A simulator of an environment with three actions and frames of three gray levels."""
    space = gym.spaces.Box(0, 255, (*SIZE, 1), np.uint8)
    card = EnvCard("Small-v0", {}, Preparation(), space, gym.spaces.Discrete(A), [], 10)
    return Simulator(make_network(), card, RewardBins(np.array([0, 1], np.float32), True), [])


def small_episode(steps: int, seed: int = 0, terminated: bool = True) -> Episode:
    """Random frames, actions and rewards."""
    rng = np.random.default_rng(seed)
    none, last = np.zeros(steps, bool), np.arange(steps) == steps - 1
    return Episode(
        rng.choice(COLOURS, (steps + 1, *SIZE, 1)),
        rng.integers(0, A, steps),
        rng.integers(0, 2, steps).astype(np.float32),
        last & terminated,
        none,
        none,
    )
