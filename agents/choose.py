"""Agents by the names the command line knows them by."""

from typing import Any, Literal

import gymnasium as gym

from dreamplay.agents.agent import Agent
from dreamplay.agents.random_agent import RandomAgent

CollectorName = Literal["random", "sticky"]


def choose_collector(name: CollectorName, action_space: gym.Space[Any]) -> Agent:
    """The agent that collects: `random` draws every action anew, `sticky` repeats the last one 3 times out of 4."""
    return RandomAgent(action_space, sticky={"random": 0.0, "sticky": 0.75}[name])
