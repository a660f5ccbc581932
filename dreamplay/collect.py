"""Collecting: an agent acts in a real environment, every episode is stored."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.agent import Agent
from dreamplay.envs.card import EnvCard
from dreamplay.episodes import Episode, EpisodeWriter
from dreamplay.errors import UserError
from dreamplay.shards import fields


@dataclass
class Collected:
    """What was collected.

    Attributes:
        steps: transitions.
        returns: the sum of rewards of each episode that came to its own end; one cut short would lower their mean.
    """

    steps: int = 0
    returns: list[float] = field(default_factory=list)

    @property
    def mean_return(self) -> float:
        """The mean return of an episode; NaN when none came to its end."""
        return float(np.mean(self.returns)) if self.returns else float("nan")

    @property
    def status(self) -> str:
        """Episodes and mean return in words; empty before the first end."""
        return f"{len(self.returns)} episodes, mean return {self.mean_return:.2f}" if self.returns else ""


def collect(
    env: gym.Env[np.ndarray, Any],
    agent: Agent,
    steps: int,
    writer: EpisodeWriter,
    *,
    seed: int,
    on_step: Callable[[int, str], None] | None = None,
) -> Collected:
    """Record exactly `steps` transitions, episode after episode.

    The first reset of environment and agent takes the seed, later ones none. The episode that the budget cuts short is
    stored too, neither terminated nor truncated, and so is the one under way when an exception (Ctrl-C, say) arrives.
    Memory: the running episode, and what the writer buffers.

    Args:
        env: a prepared environment, see `dreamplay.make_env`.
        agent: who acts.
        steps: transitions to record, at least 1.
        writer: where the episodes go; left open.
        seed: of environment and agent, not negative. The agent gets one derived from it: with equal seeds both could
            draw the same numbers.
        on_step: called after each step with 1 and a short status text; `Progress.advance` fits.

    Raises:
        UserError: steps < 1, seed < 0, or the environment answers frames of another shape than it declared, or a reward
            that is no finite number.
    """
    check_numbers(steps, seed)
    agent_seed = int(np.random.SeedSequence([seed, 1]).generate_state(1)[0])
    observe = getattr(agent, "observe", None)  # planners want to know what came of their actions
    collected, status = Collected(), ""
    while collected.steps < steps:
        first = collected.steps == 0
        observation, _ = env.reset(seed=seed if first else None)
        agent.reset(agent_seed if first else None)
        running = Running(writer.card, observation)
        try:
            while collected.steps < steps and not running.over:
                action = agent.act(observation)
                observation, reward, terminated, truncated, info = env.step(action)
                running.add(action, reward, terminated, truncated, info.get("chance", False), observation)
                if observe is not None:
                    observe(observation, action, reward, terminated, truncated)
                collected.steps += 1
                if on_step is not None:
                    on_step(1, status)
        finally:
            running.store(writer, collected)
        status = collected.status
    return collected


def check_numbers(steps: int, seed: int) -> None:
    """Refuses a budget or a seed that cannot be.

    Raises:
        UserError: steps < 1 or seed < 0.
    """
    if steps < 1:
        raise UserError(f"{steps} steps cannot be collected; ask for at least 1")
    if seed < 0:
        raise UserError(f"seed {seed} is negative; choose one from 0 on")


class Running:
    """The episode under way, as growing lists.

    Args:
        card: the environment's.
        observation: its first frame.
    """

    def __init__(self, card: EnvCard, observation: np.ndarray) -> None:
        self._fields = fields(card)
        self._columns: dict[str, list[Any]] = {name: [] for name in self._fields}
        self._columns["observations"].append(self._frame(observation))
        self.over = False

    def __len__(self) -> int:
        return len(self._columns["chance"])

    def add(
        self, action: Any, reward: Any, terminated: Any, truncated: Any, chance: Any, observation: np.ndarray
    ) -> None:
        """One transition; `over` tells whether it was the last one."""
        frame = self._frame(observation)
        if not _is_finite(reward):
            raise UserError(
                f"the environment gave the reward {reward} at step {len(self) + 1} of an episode; mend its step(), or "
                "wrap it (gymnasium.wrappers.TransformReward)"
            )
        action = np.array(action, self._fields["actions"].dtype)
        entry = (frame, action, float(reward), bool(terminated), bool(truncated), bool(chance))
        for column, value in zip(self._columns.values(), entry, strict=True):
            column.append(value)
        self.over = bool(terminated or truncated)

    def _frame(self, observation: np.ndarray) -> np.ndarray:
        dtype, shape = self._fields["observations"]
        frame = np.array(observation)  # a copy: some environments draw every frame into one buffer
        if frame.shape != shape or frame.dtype != dtype:
            raise UserError(
                f"the environment gave a frame {frame.dtype} {frame.shape} where it declared {dtype} {shape}; "
                "mend its observation_space, or wrap it so that all frames are alike"
            )
        return frame

    def store(self, writer: EpisodeWriter, collected: Collected) -> None:
        """Hand what there is to the writer; the return of an episode that came to its end is noted."""
        episode = self._episode()
        if len(episode):
            writer.add(episode)
        if self.over:
            collected.returns.append(float(episode.rewards.sum(dtype=np.float64)))

    def _episode(self) -> Episode:
        # Ctrl-C may have come between two columns: the shortest one counts.
        steps = min(len(c) - (name == "observations") for name, c in self._columns.items())
        arrays = {}
        for name, (dtype, shape) in self._fields.items():
            entries = steps + (name == "observations")
            arrays[name] = np.array(self._columns[name][:entries], dtype).reshape(entries, *shape)
        return Episode(**arrays)


def _is_finite(value: Any) -> bool:
    """Whether a value is one finite number."""
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False
