"""The real game beside the dream, and what it takes to return to an earlier moment of it: its seed and its actions."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from dreamplay.errors import UserError

CONTEXT = 10  # frames the dream is given: as many as the truth horizon is measured with
REPLAY_LIMIT = 5_000  # actions: about two seconds of ALE; a longer replay would freeze the window


class Outcome(NamedTuple):
    """What one step of the real game gave."""

    frame: np.ndarray  # uint8 (H, W, C)
    reward: float
    over: bool


def open_reality(run: str | Path, idle: Any) -> tuple["Reality | None", str]:
    """The real game of a run, and an empty notice; or None and why the dream is alone."""
    from dreamplay.envs.real import make_env

    try:
        return Reality(make_env(run), idle), ""
    except (UserError, ImportError, gym.error.Error) as error:
        return None, f"the dream alone, without the real game: {error}"


class Reality:
    """A real environment that remembers how it came to where it is.

    Args:
        env: The prepared real environment, with uint8 (H, W, C) observations.
        idle: The action that means "do nothing"; it is played while the first context is gathered.
    """

    def __init__(self, env: gym.Env, idle: Any) -> None:
        self.env = env
        self.idle = idle
        self.over = False
        self._seed = 0
        self._actions: list[Any] = []
        self._frames: deque[np.ndarray] = deque(maxlen=CONTEXT)

    @property
    def frame(self) -> np.ndarray:
        """The present frame, uint8 (H, W, C)."""
        return self._frames[-1]

    @property
    def steps(self) -> int:
        """Actions taken since the reset."""
        return len(self._actions)

    def begin(self, seed: int) -> None:
        """Start a new game and idle until there is a context to dream on: motion shows only over several frames.

        A game that idling loses within twice that time (a ball nobody catches) gets half of what it survives, so
        that the player still has time to act.
        """
        self._reset(seed)
        while not self.over and self.steps < 2 * CONTEXT:
            self.step(self.idle)
        idling = min(CONTEXT - 1, self.steps // 2)
        self._reset(seed)
        while not self.over and self.steps < idling:
            self.step(self.idle)

    def step(self, action: Any) -> Outcome:
        """Play one action."""
        frame, reward, terminated, truncated, _ = self.env.step(action)
        self._actions.append(action)
        self._frames.append(np.array(frame))
        self.over = bool(terminated or truncated)
        return Outcome(self.frame, float(reward), self.over)

    def context(self) -> dict[str, np.ndarray]:
        """What a dream starts from: the last frames, uint8 (n, H, W, C), and the actions between them, (n-1, ...)."""
        space = self.env.action_space
        frames = np.stack(self._frames)
        recent = self._actions[len(self._actions) - len(frames) + 1 :]
        actions = np.array(recent, dtype=space.dtype).reshape(len(frames) - 1, *(space.shape or ()))
        return {"observations": frames, "actions": actions}

    def return_to(self, steps: int, frames: Mapping[int, np.ndarray]) -> bool:
        """Play the game again from its seed up to an earlier step.

        A real game has no general way to be set back, and one that is not deterministic arrives elsewhere.

        Args:
            steps: Actions to play again.
            frames: Known frames by step; the replay must show the same ones.

        Returns:
            Whether the game stands where it stood. If not, it stands wherever the replay led.
        """
        if steps == self.steps:
            return True
        if steps > REPLAY_LIMIT:
            return False
        actions = self._actions[:steps]
        self._reset(self._seed)
        same = True
        for action in actions:
            if self.over:
                return False
            self.step(action)
            known = frames.get(self.steps)
            same = same and (known is None or np.array_equal(known, self.frame))
        return same

    def _reset(self, seed: int) -> None:
        frame, _ = self.env.reset(seed=seed)
        self._seed = seed
        self._actions = []
        self._frames.clear()
        self._frames.append(np.array(frame))
        self.over = False
