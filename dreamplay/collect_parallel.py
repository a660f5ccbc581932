"""Collecting from several real environments at once, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, VectorEnv

from dreamplay.agents.agent import Agent
from dreamplay.collect import Collected, Running, check_numbers
from dreamplay.envs.card import EnvCard
from dreamplay.envs.real import make_env
from dreamplay.episodes import EpisodeWriter


def open_envs(card: EnvCard, count: int) -> VectorEnv:
    """Environments of one card, side by side."""
    return AsyncVectorEnv([partial(make_env, card)] * count, autoreset_mode=AutoresetMode.SAME_STEP)


def collect_parallel(
    envs: VectorEnv,
    agents: Sequence[Agent],
    steps: int,
    writer: EpisodeWriter,
    *,
    seed: int,
    on_step: Callable[[int, str], None] | None = None,
) -> Collected:
    """Record exactly `steps` transitions over all environments together, as `collect` does from one.

    Episodes are stored in the order in which they end, those the budget cuts short last; so the same seed and number of
    environments give the same data. Short episodes of one environment may come before a long one of another.

    Args:
        envs: prepared environments that reset in the step that ends an episode, see `open_envs`.
        agents: who acts, one for each environment.
        steps: transitions to record in all, at least 1.
        writer: where the episodes go; left open.
        seed: environment i is seeded with `seed + i`, agent i with a number derived from both.
        on_step: called after each step of all environments with the transitions recorded and a short status text.

    Raises:
        UserError: steps < 1, seed < 0, or an environment answers what cannot be recorded.
    """
    check_numbers(steps, seed)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    for i, agent in enumerate(agents):
        agent.reset(int(np.random.SeedSequence([seed, 1, i]).generate_state(1)[0]))
    observations, _ = envs.reset(seed=seed)
    running = [Running(writer.card, observation) for observation in observations]
    collected = Collected()
    try:
        while collected.steps < steps:
            actions = [agent.act(observation) for agent, observation in zip(agents, observations, strict=True)]
            observations, rewards, terminated, truncated, infos = envs.step(_stack(envs.single_action_space, actions))
            counted = min(len(agents), steps - collected.steps)
            for i in range(counted):
                over = bool(terminated[i] or truncated[i])
                frame = infos["final_obs"][i] if over else observations[i]
                running[i].add(actions[i], rewards[i], terminated[i], truncated[i], _chance(infos, i, over), frame)
                collected.steps += 1
                if (observe := getattr(agents[i], "observe", None)) is not None:
                    observe(frame, actions[i], rewards[i], terminated[i], truncated[i])
                if over:
                    running[i].store(writer, collected)
                    running[i] = Running(writer.card, observations[i])
                    agents[i].reset()
            if on_step is not None:
                on_step(counted, collected.status)
    finally:
        for unfinished in running:
            unfinished.store(writer, collected)
    return collected


def _stack(space: gym.Space[Any], actions: list[Any]) -> np.ndarray:
    return np.array(actions, space.dtype).reshape(len(actions), *(space.shape or ()))


def _chance(infos: dict[str, Any], row: int, over: bool) -> bool:
    """What `info["chance"]` of a row says; at the end of an episode its info is kept apart."""
    said = infos.get("final_info", {}) if over else infos
    return bool(said["chance"][row]) if "chance" in said else False
