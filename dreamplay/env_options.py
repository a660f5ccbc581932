"""How an environment is to be made and seen: the options that every command taking an ENV shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gymnasium as gym
    import numpy as np


@dataclass(frozen=True)
class EnvOptions:
    """Options of the environment."""

    env_args: tuple[str, ...] = ()
    """Arguments of the environment, NAME=VALUE each, such as difficulty=2 or max_episode_steps=500."""

    source: str | None = None
    """Where frames come from: observation, render, or a key of Dict observations. By default image observations, and
    where there are none what the environment renders."""

    size: tuple[int, int] | None = None
    """Height and width of frames in pixels, picked from the full ones. By default sides above 84 are subsampled."""

    gray: bool = False
    """One gray channel instead of three colours."""

    wrappers: tuple[str, ...] = ()
    """Gymnasium wrappers, the innermost first: module:Name or 'module:Name(argument=value)'."""

    @property
    def given(self) -> bool:
        """Whether anything differs from the defaults."""
        return self != EnvOptions()

    def make(self, env: str) -> gym.Env[np.ndarray, Any]:
        """The environment, prepared as asked for.

        Args:
            env: an id, "module:Name", or a run or data folder.

        Raises:
            UserError: see `make_env`.
        """
        from dreamplay.envs.names import parse_settings
        from dreamplay.envs.real import make_env

        return make_env(
            env,
            size=self.size,
            gray=self.gray,
            source=self.source,
            wrappers=self.wrappers,
            env_args=parse_settings(self.env_args),
        )
