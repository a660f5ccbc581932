"""An agent that now and then acts at random: data that are good where the agent goes and still cover what it avoids."""

from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.agent import Agent
from dreamplay.agents.random_agent import RandomAgent


class EpsilonGreedy:
    """Lets an agent act, except that every action is a random one with probability epsilon.

    Args:
        agent: who acts otherwise.
        action_space: what random actions are drawn from.
        epsilon: the probability, in [0, 1].

    Example:
        >>> import gymnasium as gym
        >>> space = gym.spaces.Discrete(4)
        >>> agent = EpsilonGreedy(RandomAgent(space), space, epsilon=0.2)
        >>> agent.reset(seed=0)
        >>> int(agent.act(observation=None)) in range(4)
        True
    """

    def __init__(self, agent: Agent, action_space: gym.Space[Any], epsilon: float) -> None:
        if not 0 <= epsilon <= 1:
            raise ValueError(f"epsilon is {epsilon}; it is a probability and must lie in [0, 1]")
        self._agent, self._epsilon = agent, epsilon
        self._random = RandomAgent(action_space)
        self._rng = np.random.default_rng()

    def reset(self, seed: int | None = None) -> None:
        """Passed on; a seed restarts the random numbers too."""
        self._agent.reset(seed)
        if seed is not None:
            self._rng = np.random.default_rng([seed, 1])
            self._random.reset(int(self._rng.integers(2**31)))

    def act(self, observation: np.ndarray) -> Any:
        """A random action, or the agent's; the agent is asked in any case, so that it knows every frame."""
        chosen = self._agent.act(observation)
        return self._random.act(observation) if self._rng.random() < self._epsilon else chosen

    def observe(self, observation: np.ndarray, action: Any, reward: float, terminated: bool, truncated: bool) -> None:
        """Passed on to an agent that wants to know what came of its actions."""
        if (observe := getattr(self._agent, "observe", None)) is not None:
            observe(observation, action, reward, terminated, truncated)
