"""Agents by the names the command line knows them by."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.agent import Agent
from dreamplay.agents.planners import PLANNERS, PlannerName
from dreamplay.agents.random_agent import RandomAgent
from dreamplay.errors import UserError
from dreamplay.shipped import find_run

STICKY = 0.75


def choose_collector(
    name: str, env: gym.Env[np.ndarray, Any], epsilon: float = 0.0, run: str | Path | None = None
) -> Agent:
    """The agent that collects.

    Args:
        name: "random" draws every action anew, "sticky" repeats the last one 3 times out of 4; a planner (see
            `dreamplay.agents.planners`) plans in the dream of `run`; a .safetensors file is a policy learned in a
            dream, a .zip file one of Stable-Baselines3, "module:Name" an agent of the user's own.
        env: the prepared environment it will act in.
        epsilon: the probability with which an action is a random one instead.
        run: a run folder, for planners.

    Raises:
        UserError: there is no such agent, or it does not fit the environment.
    """
    if not 0 <= epsilon <= 1:
        raise UserError(f"--epsilon {epsilon} is no probability; choose one from 0 to 1")
    agent = _agent(name, env, run)
    if epsilon == 0:
        return agent
    from dreamplay.agents.epsilon_greedy import EpsilonGreedy

    return EpsilonGreedy(agent, env.action_space, epsilon)


def _agent(name: str, env: gym.Env[np.ndarray, Any], run: str | Path | None) -> Agent:
    from dreamplay.envs.names import is_name

    if name in ("random", "sticky"):
        return RandomAgent(env.action_space, sticky=STICKY if name == "sticky" else 0.0)
    if name in PLANNERS:
        return _planning_agent(name, env.action_space, run)
    if name == "human":
        raise UserError("a person plays in a window: dreamplay play ENV records the real game as a data folder")
    if name.endswith(".zip"):
        from dreamplay.agents.sb3_policy import SB3Policy

        return SB3Policy(Path(name), env)
    if name.endswith(".safetensors"):
        from dreamplay.agents.policy_agent import load_agent

        return load_agent(Path(name), action_space=env.action_space)
    if is_name(name):
        return own_agent(name, env.action_space)
    raise UserError(
        f"--agent {name!r} is unknown; choose random, sticky, a planner ({', '.join(PLANNERS)}), a policy learned in a "
        "dream (a .safetensors file) or by Stable-Baselines3 (a .zip file), or module:Name of your own"
    )


def _planning_agent(name: PlannerName, action_space: gym.Space[Any], run: str | Path | None) -> Agent:
    if run is None or not (find_run(run) / "checkpoint.json").is_file():
        raise UserError(f"--agent {name} plans in a dream, and {run} is no run folder: dreamplay collect RUN")
    from dreamplay.agents.planners import make_planner
    from dreamplay.agents.planning_agent import PlanningAgent
    from dreamplay.agents.scoring import DreamScorer
    from dreamplay.envs.dream_loading import load_simulator

    return PlanningAgent(make_planner(name, action_space), DreamScorer(load_simulator(str(run))))


def own_agent(name: str, action_space: gym.Space[Any]) -> Agent:
    """An agent of the user's own: a class or function that takes the action space, or nothing.

    Raises:
        UserError: it cannot be found, or what it makes is no agent.
    """
    from dreamplay.envs.names import find

    make = find(name)
    agent = make(action_space) if inspect.signature(make).parameters else make()
    if not all(callable(getattr(agent, method, None)) for method in ("reset", "act")):
        raise UserError(f"{name} is no agent: it needs reset(seed=None) and act(observation)")
    return agent
