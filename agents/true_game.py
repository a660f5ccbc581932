"""The ceiling: a planner that looks ahead in copies of the real game instead of a dream of it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.planner import Planner
from dreamplay.envs.images import Images


class NoCopyError(Exception):
    """The environment cannot be copied in the middle of an episode."""


class TrueGame:
    """Plays as `PlanningAgent` does, but scores action sequences in copies of the environments that it acts in.

    A copy is made by `copy.deepcopy` of all that is below the frames, or where the environment knows how to go back
    (`clone_state`, `restore_state`, as ALE does), by letting it play on and setting it back.

    Args:
        planner: Finds action sequences.
        discount: Worth of a reward one step later, in (0, 1].
        alive_bonus: Worth of a step survived, in reward; that of the dream it is compared with.
    """

    def __init__(self, planner: Planner, *, discount: float = 0.99, alive_bonus: float = 0.0) -> None:
        self._planner, self._discount, self._bonus = planner, discount, alive_bonus
        self._games: list[gym.Env[Any, Any]] = []  # by number of the row

    def adopt(self, env: gym.Env[np.ndarray, Any]) -> gym.Env[np.ndarray, Any]:
        """The environment of the next row, from `dreamplay.make_env`; acts in it are planned in copies of it."""
        self._games.append(below_frames(env))
        return env

    def release(self) -> None:
        """Lets go of all environments; others can be adopted."""
        self._games = []

    def reset_rows(self, count: int, seed: int | None = None) -> None:
        """New episodes in rows 0 to count - 1; row i is seeded with `seed + i`."""
        self._planner.reset(seed)

    def act_rows(self, numbers: Sequence[int], observations: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        """Actions (B, *action_shape) of the rows with these numbers."""
        games = [self._games[number] for number in numbers]

        def score(actions: np.ndarray) -> np.ndarray:
            return np.array([self._values(game, row) for game, row in zip(games, actions, strict=True)])

        return self._planner.plan(score, numbers)[:, 0]

    def observe_rows(
        self,
        numbers: Sequence[int],
        observations: Sequence[np.ndarray] | np.ndarray,
        actions: Sequence[Any] | np.ndarray,
        rewards: Sequence[float] | np.ndarray,
        terminated: Sequence[bool] | np.ndarray,
        truncated: Sequence[bool] | np.ndarray,
    ) -> None:
        """A row whose episode is over is ready for another."""
        ended = [n for n, end, cut in zip(numbers, terminated, truncated, strict=True) if end or cut]
        if ended:
            self._planner.reset(rows=ended)

    def _values(self, game: gym.Env[Any, Any], sequences: np.ndarray) -> list[float]:
        """Values of N sequences (N, T, *action_shape)."""
        if can_go_back(game):
            raw: Any = game.unwrapped
            values, state = [], raw.clone_state(include_rng=True)
            for sequence in sequences:
                values.append(self._value(raw, sequence))
                raw.restore_state(state)
            return values
        return [self._value(copied(game), sequence) for sequence in sequences]

    def _value(self, game: gym.Env[Any, Any], sequence: np.ndarray) -> float:
        value = 0.0
        for t, action in enumerate(sequence):
            _, reward, terminated, truncated, _ = game.step(action)
            alive = not terminated
            value += self._discount**t * (float(reward) + self._bonus * alive)
            if terminated or truncated:
                break
        return value


def below_frames(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """What a prepared environment takes its frames from, the user's own wrappers included."""
    inner = env
    while isinstance(inner, gym.Wrapper):
        if isinstance(inner, Images):
            return inner.env
        inner = inner.env
    return env


def can_go_back(game: gym.Env[Any, Any]) -> bool:
    """Whether the environment can save its state and return to it."""
    return all(hasattr(game.unwrapped, name) for name in ("clone_state", "restore_state"))


def copied(game: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """A copy of a game in the middle of an episode; spaces are shared, they do not change.

    Raises:
        NoCopyError: it holds something that cannot be copied.
    """
    shared: dict[int, Any] = {}
    inner: gym.Env[Any, Any] = game
    while True:
        shared |= {id(space): space for space in (inner.observation_space, inner.action_space)}
        if not isinstance(inner, gym.Wrapper):
            break
        inner = inner.env
    try:
        return copy.deepcopy(game, shared)
    except Exception as error:  # whatever the environment holds may refuse in its own way
        raise NoCopyError(f"{game} cannot be copied: {error!r}") from error
