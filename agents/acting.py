"""Running an agent for some episodes and saying what it earned."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import compress
from typing import Any, Protocol, runtime_checkable

import gymnasium as gym
import numpy as np

from dreamplay.agents.agent import Agent
from dreamplay.errors import UserError

# Environment and agent must not draw the same random numbers, which equal seeds would give them.
_AGENT_SEED_OFFSET = 1_000_003


@runtime_checkable
class RowsAgent(Protocol):
    """An agent that plays several episodes at once, one per row. `FollowingAgent` says what the methods mean."""

    def reset_rows(self, count: int, seed: int | None = None) -> None: ...

    def act_rows(self, numbers: Sequence[int], observations: Sequence[np.ndarray]) -> Sequence[Any] | np.ndarray: ...

    def observe_rows(
        self,
        numbers: Sequence[int],
        observations: Sequence[np.ndarray],
        actions: Sequence[Any] | np.ndarray,
        rewards: Sequence[float],
        terminated: Sequence[bool],
        truncated: Sequence[bool],
    ) -> None: ...


@dataclass(frozen=True)
class Acted:
    """What came of some episodes, in their order."""

    returns: list[float]
    """Sum of rewards of each episode, undiscounted."""
    lengths: list[int]
    """Steps of each episode."""
    seconds: float
    """Wall-clock time of all episodes together, environments included."""

    @property
    def mean_return(self) -> float:
        """Mean over episodes."""
        return float(np.mean(self.returns))

    @property
    def ci95(self) -> float:
        """Half-width of the 95 % confidence interval of the mean return; NaN for one episode, which shows no spread.

        By the normal approximation, 1.96 standard errors: a little too narrow for few episodes.
        """
        if len(self.returns) < 2:
            return float("nan")
        return float(1.96 * np.std(self.returns, ddof=1) / np.sqrt(len(self.returns)))

    @property
    def actions_per_second(self) -> float:
        """Actions of all rows together, per second of wall-clock time."""
        return sum(self.lengths) / max(self.seconds, 1e-9)


def run_episodes(
    make_env: Callable[[], gym.Env[np.ndarray, Any]],
    agent: Agent | RowsAgent,
    episodes: int,
    *,
    seed: int = 0,
    max_steps: int | None = None,
    rows: int = 16,
    on_frames: Callable[[Sequence[int], Sequence[np.ndarray]], None] | None = None,
    on_episode: Callable[[int, float, int], None] | None = None,
) -> Acted:
    """Lets an agent act for some episodes. Episode i is seeded with `seed + i` and does not depend on the others.

    An agent with rows plays up to `rows` episodes side by side, in as many environments; any other agent plays them one
    after another, and is told what happened if it has a method `observe`.

    Args:
        make_env: Makes one environment. They are closed at the end.
        agent: Who acts.
        episodes: How many episodes, at least 1.
        seed: Seed of episode 0, not negative. Agents get a seed that differs from their environment's.
        max_steps: Ends an episode after so many steps at the latest; None leaves that to the environment.
        rows: Episodes played side by side by an agent that can.
        on_frames: Called after each reset and after each step with the numbers of the running episodes and their newest
            frames, uint8 (H, W, C) each.
        on_episode: Called at the end of each episode with its number, return and length.

    Raises:
        UserError: If a number is out of range.
    """
    for name, value, least in (
        ("episodes", episodes, 1),
        ("seed", seed, 0),
        ("max_steps", max_steps, 1),
        ("rows", rows, 1),
    ):
        if value is not None and value < least:
            raise UserError(f"{name} is {value}; it must be at least {least}")
    team: RowsAgent = agent if isinstance(agent, RowsAgent) else _OneRow(agent)
    width = min(rows, episodes) if team is agent else 1
    returns, lengths = [0.0] * episodes, [0] * episodes
    began = time.perf_counter()
    with ExitStack() as stack:
        envs = [stack.enter_context(closing(make_env())) for _ in range(width)]
        for first in range(0, episodes, width):
            group = range(first, min(first + width, episodes))
            for episode, total, length in _side_by_side(envs, team, group, seed, max_steps, on_frames):
                returns[episode], lengths[episode] = total, length
                if on_episode is not None:
                    on_episode(episode, total, length)
    return Acted(returns, lengths, time.perf_counter() - began)


def _side_by_side(
    envs: Sequence[gym.Env[np.ndarray, Any]],
    team: RowsAgent,
    group: range,
    seed: int,
    max_steps: int | None,
    on_frames: Callable[[Sequence[int], Sequence[np.ndarray]], None] | None,
) -> Iterator[tuple[int, float, int]]:
    """Plays the episodes of a group in lockstep, the i-th in row i; yields (episode, return, length) as each ends."""
    running = list(range(len(group)))  # rows
    totals, length = np.zeros(len(group)), 0
    team.reset_rows(len(group), seed + group.start + _AGENT_SEED_OFFSET)
    frames = [envs[row].reset(seed=seed + group[row])[0] for row in running]
    if on_frames is not None:
        on_frames(group, frames)
    while running:
        actions = team.act_rows(running, frames)
        answers = [envs[row].step(action) for row, action in zip(running, actions, strict=True)]
        frames, rewards, terminated, truncated, _ = (list(part) for part in zip(*answers, strict=True))
        totals[running] += rewards
        length += 1  # of every episode that still runs
        truncated = [cut or length == max_steps for cut in truncated]
        if on_frames is not None:
            on_frames([group[row] for row in running], frames)
        team.observe_rows(running, frames, actions, rewards, terminated, truncated)
        over = [bool(end or cut) for end, cut in zip(terminated, truncated, strict=True)]
        yield from ((group[row], float(totals[row]), length) for row in compress(running, over))
        going = [not end for end in over]
        running, frames = list(compress(running, going)), list(compress(frames, going))


class _OneRow:
    """An ordinary agent as one that plays a single row."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._observe = getattr(agent, "observe", None)

    def reset_rows(self, count: int, seed: int | None = None) -> None:
        self._agent.reset(seed)

    def act_rows(self, numbers: Sequence[int], observations: Sequence[np.ndarray]) -> Sequence[Any]:
        return [self._agent.act(observations[0])]

    def observe_rows(
        self,
        numbers: Sequence[int],
        observations: Sequence[np.ndarray],
        actions: Sequence[Any] | np.ndarray,
        rewards: Sequence[float],
        terminated: Sequence[bool],
        truncated: Sequence[bool],
    ) -> None:
        if self._observe is not None:
            self._observe(observations[0], actions[0], rewards[0], terminated[0], truncated[0])
