"""Receding horizon: plan in the dream, act out the first step in reality, look again."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from dreamplay.agents.planner import Planner
from dreamplay.agents.scoring import DreamScorer
from dreamplay.simulator import State, rows


class PlanningAgent:
    """Acts by planning anew at every step from where reality is.

    The dream follows reality: `observe` keeps the last real frames and the actions between them, and every plan starts
    from a hidden state built out of them. Without `observe` the context is the present frame alone.

    Several episodes can be played at once, one per row: `reset_rows`, `act_rows` and `observe_rows` take a batch of
    them and score all their candidates in the same simulator steps, many times faster than one episode at a time.
    `reset`, `act` and `observe` are the same for a single episode. Rows do not influence one another.

    Args:
        planner: Finds action sequences; keeps the warm start of each row.
        scorer: Says what they are worth in the dream.
        context: Real frames to start the dream from, at most this many; 1 or more.
    """

    def __init__(self, planner: Planner, scorer: DreamScorer, *, context: int = 10) -> None:
        if context < 1:
            raise ValueError(f"context is {context}; the dream starts from at least 1 real frame")
        self._planner = planner
        self._scorer = scorer
        self._context = context
        self._histories: list[_History] = []
        self._plan: np.ndarray | None = None
        self.reset()

    @property
    def plan(self) -> np.ndarray | None:
        """What it means to do, (T, *action_shape), beginning with the last action of `act`; None before one."""
        return self._plan

    def reset(self, seed: int | None = None) -> None:
        """A new episode: forgets frames and plans, and seeds the planner if a seed is given."""
        self.reset_rows(1, seed)

    def act(self, observation: np.ndarray) -> Any:
        """The action to take after this frame, uint8 (H, W, C)."""
        return self.act_rows([0], observation[None])[0]

    def observe(self, observation: np.ndarray, action: Any, reward: float, terminated: bool, truncated: bool) -> None:
        """What reality answered to an action, the agent's own or another: the next frame, uint8 (H, W, C)."""
        self.observe_rows([0], [observation], [action], [reward], [terminated], [truncated])

    def reset_rows(self, count: int, seed: int | None = None) -> None:
        """New episodes in rows 0 to count - 1; row i is seeded with `seed + i`."""
        self._histories = [_History(self._context) for _ in range(count)]
        self._plan = None
        self._planner.reset(seed)

    def act_rows(self, numbers: Sequence[int], observations: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        """Actions (B, *action_shape) of the rows with these numbers, after frames uint8 (B, H, W, C)."""
        for number, observation in zip(numbers, observations, strict=True):
            self._histories[number].see(observation)
        self._scorer.follow(self._start([self._histories[number] for number in numbers]))
        plans = self._planner.plan(self._scorer.score, numbers)  # (B, T, *action_shape)
        self._plan = plans[0].copy()
        return plans[:, 0]

    def observe_rows(
        self,
        numbers: Sequence[int],
        observations: Sequence[np.ndarray] | np.ndarray,
        actions: Sequence[Any] | np.ndarray,
        rewards: Sequence[float] | np.ndarray,
        terminated: Sequence[bool] | np.ndarray,
        truncated: Sequence[bool] | np.ndarray,
    ) -> None:
        """What reality answered in the rows with these numbers. A row whose episode is over is ready for another."""
        for i, number in enumerate(numbers):
            if terminated[i] or truncated[i]:
                self._histories[number] = _History(self._context)
                self._planner.reset(rows=[number])
            else:
                self._histories[number].add(actions[i], observations[i])

    def _start(self, histories: list[_History]) -> State:
        # One start takes contexts of one length; rows whose episodes began at different times may differ.
        lengths = np.array([len(history.frames) for history in histories])
        states, positions = [], []
        for length in np.unique(lengths):
            same = np.flatnonzero(lengths == length)
            states.append(self._start_alike([histories[i] for i in same]))
            positions.append(same)
        if len(states) == 1:
            return states[0]
        joined = {key: torch.cat([state[key] for state in states]) for key in states[0]}
        order = torch.from_numpy(np.argsort(np.concatenate(positions)))
        return rows(joined, order.to(next(iter(joined.values())).device))

    def _start_alike(self, histories: list[_History]) -> State:
        space = self._scorer.simulator.card.action_space
        frames = np.stack([np.stack(history.frames) for history in histories])  # (b, n, H, W, C)
        dtype = np.float32 if isinstance(space, gym.spaces.Box) else np.int64
        actions = np.array([list(history.actions) for history in histories], dtype=dtype)
        shape = (len(histories), frames.shape[1] - 1, *(space.shape or ()))  # an empty list has lost its shape
        return self._scorer.simulator.start(frames, actions.reshape(shape))


class _History:
    """The last frames of an episode and the actions between them: always one frame more than there are actions."""

    def __init__(self, context: int) -> None:
        self.frames: deque[np.ndarray] = deque(maxlen=context)
        self.actions: deque[np.ndarray] = deque(maxlen=context - 1)

    def see(self, observation: np.ndarray) -> None:
        # The frame to act on is the one last observed, or the first of an episode.
        if self.frames:
            self.frames.pop()
        self.frames.append(np.array(observation))

    def add(self, action: Any, observation: np.ndarray) -> None:
        if self.frames:  # an action before the first frame leads from nowhere
            self.actions.append(np.array(action))
        self.frames.append(np.array(observation))
