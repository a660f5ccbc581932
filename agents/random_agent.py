"""An agent that acts at random: the first collector, and what every other agent has to beat."""

import copy
from typing import Any

import gymnasium as gym
import numpy as np


class RandomAgent:
    """Draws actions uniformly from any action space that Gymnasium can sample.

    Args:
        action_space: copied, so that its own random numbers are left alone.
        sticky: the probability, in [0, 1), of repeating the last random action. Runs of one action reach states that
            independent actions average away: a paddle at the wall instead of one trembling in the middle.

    Example:
        >>> import gymnasium as gym
        >>> agent = RandomAgent(gym.spaces.Discrete(3), sticky=0.9)
        >>> agent.reset(seed=0)
        >>> int(agent.act(observation=None)) in range(3)
        True
    """

    def __init__(self, action_space: gym.Space[Any], sticky: float = 0.0) -> None:
        if not 0 <= sticky < 1:
            raise ValueError(f"sticky is {sticky}; it is a probability and must lie in [0, 1)")
        self._space = copy.deepcopy(action_space)
        self._sticky = sticky
        self._last: Any = None
        self._rng = np.random.default_rng()
        self._space.seed(int(self._rng.integers(2**31)))

    def reset(self, seed: int | None = None) -> None:
        """Forget the last action; with a seed, also restart the random numbers."""
        self._last = None
        if seed is not None:
            self._rng = np.random.default_rng(seed)
            self._space.seed(int(self._rng.integers(2**31)))

    def act(self, observation: np.ndarray | None) -> Any:
        """A random action; the observation is not looked at."""
        if self._last is None or self._rng.random() >= self._sticky:
            self._last = self._space.sample()
        return copy.copy(self._last)
