"""The real game beside the dream, how it came to where it is, and what of it is worth keeping as data."""

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.episodes import Episode
from dreamplay.errors import UserError
from dreamplay.play.moment import Past

CONTEXT = 10  # frames the dream is given: as many as the truth horizon is measured with
REPLAY_LIMIT = 5_000  # actions: about two seconds of ALE; a longer replay would freeze the window


def open_reality(
    run: str | Path, idle: Any, keep: Callable[[Episode], None] | None = None
) -> tuple["Reality | None", str]:
    """The real game of a run, and an empty notice; or None and why the dream is alone. See `Reality` for the rest."""
    from dreamplay.envs.real import make_env

    try:
        return Reality(make_env(run), idle, keep), ""
    except (UserError, ImportError, gym.error.Error) as error:
        return None, f"the dream alone, without the real game: {error}"


class Reality:
    """A real environment that remembers how it came to where it is.

    Args:
        env: The prepared real environment, with uint8 (H, W, C) observations.
        idle: The action that means "do nothing"; it is played while the first context is gathered.
        keep: Takes each game that was played, as an episode, when another one begins or at `close`. Only the course
            that was played to the end is told: what was rewound is not in it.

    Attributes:
        over: Whether the game has ended.
        total: Rewards since the player took over.
    """

    def __init__(self, env: gym.Env, idle: Any, keep: Callable[[Episode], None] | None = None) -> None:
        self.env = env
        self.idle = idle
        self.over = False
        self.total = 0.0
        self._keep = keep
        self._seed = 0
        self._actions: list[Any] = []
        self._frames: deque[np.ndarray] = deque(maxlen=CONTEXT)
        self._tape: _Tape | None = None

    @property
    def frame(self) -> np.ndarray:
        """The present frame, uint8 (H, W, C)."""
        return self._frames[-1]

    @property
    def past(self) -> Past:
        """How the game came to where it stands."""
        return Past(self._seed, self._actions, len(self._actions), self.total)

    def begin(self, seed: int, *, idle_first: bool = True) -> None:
        """Start a new game; idle at first until there is a context to dream on: motion shows only over several frames.

        A game that idling loses within twice that time (a ball nobody catches) gets half of what it survives, so
        that the player still has time to act.
        """
        self.finish()
        self._reset(seed)
        if not idle_first:
            return
        while not self.over and len(self._actions) < 2 * CONTEXT:
            self.step(self.idle)
        idling = min(CONTEXT - 1, len(self._actions) // 2)
        self._reset(seed)
        while not self.over and len(self._actions) < idling:
            self.step(self.idle)
        self.total = 0.0

    def step(self, action: Any) -> float:
        """Play one action; the reward."""
        frame, reward, terminated, truncated, info = self.env.step(action)
        self._actions.append(action)
        self._frames.append(np.array(frame))
        self.over = bool(terminated or truncated)
        if self._tape is not None:
            self._tape.add(self.frame, float(reward), bool(terminated), bool(truncated), bool(info.get("chance")))
        self.total += float(reward)
        return float(reward)

    def context(self) -> dict[str, np.ndarray]:
        """What a dream starts from: the last frames, uint8 (n, H, W, C), and the actions between them, (n-1, ...)."""
        frames = np.stack(self._frames)
        recent = self._actions[len(self._actions) - len(frames) + 1 :]
        return {"observations": frames, "actions": self._array(recent, len(frames) - 1)}

    def return_to(self, past: Past, frames: Mapping[int, np.ndarray]) -> bool:
        """Play the game again from its seed up to an earlier point, or one of another course.

        A real game has no general way to be set back, and one that is not deterministic arrives elsewhere.

        Args:
            past: How the game came there.
            frames: Known frames by step; the replay must show the same ones.

        Returns:
            Whether the game stands where it stood. If not, it stands wherever the replay led.
        """
        if past.course is self._actions and past.steps == len(self._actions):
            return True
        if past.steps > REPLAY_LIMIT:
            return False
        actions = past.actions
        self._reset(past.seed)
        same = True
        for action in actions:
            if self.over:
                return False
            self.step(action)
            known = frames.get(len(self._actions))
            same = same and (known is None or np.array_equal(known, self.frame))
        self.total = past.total
        return same

    def episode(self) -> Episode | None:
        """The game so far as data, if it keeps any and a step was taken."""
        if self._tape is None or not self._actions:
            return None
        return self._tape.episode(self._array(self._actions, len(self._actions)))

    def finish(self) -> None:
        """Hand over the game so far to `keep`: another one is about to begin."""
        episode = self.episode()
        self._tape = None
        if episode is not None and self._keep is not None:
            self._keep(episode)

    def close(self) -> None:
        """Hand over the last game to `keep`, and close the environment."""
        self.finish()
        self.env.close()

    def _reset(self, seed: int) -> None:
        frame, _ = self.env.reset(seed=seed)
        self._seed = seed
        self._actions = []  # a new list: moments of the course before still refer to the old one
        self._frames.clear()
        self._frames.append(np.array(frame))
        self.over, self.total = False, 0.0
        self._tape = None if self._keep is None else _Tape(self.frame)

    def _array(self, actions: list[Any], count: int) -> np.ndarray:
        space = self.env.action_space
        dtype = np.float32 if isinstance(space, gym.spaces.Box) else np.int64  # as data and simulators have them
        return np.array(actions, dtype=dtype).reshape(count, *(space.shape or ()))


class _Tape:
    """What the running game gave, step by step."""

    def __init__(self, first: np.ndarray) -> None:
        self._frames = [first]
        self._answers: list[tuple[float, bool, bool, bool]] = []

    def add(self, frame: np.ndarray, *answer: Any) -> None:
        self._frames.append(frame)
        self._answers.append(answer)

    def episode(self, actions: np.ndarray) -> Episode:
        rewards, *flags = zip(*self._answers, strict=True)
        return Episode(np.stack(self._frames), actions, np.array(rewards, np.float32), *map(np.array, flags))
