"""Dreamplay learns a recurrent simulator of a Gymnasium environment and hands it back as one: a dream.

Importing this package registers the `Dreamplay/*` ids; everything heavy is imported when it is first used.

>>> import gymnasium as gym
>>> import dreamplay
>>> gym.make("Dreamplay/Bricks-v0").observation_space
Box(0, 255, (10, 10, 3), uint8)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dreamplay.envs.registration import register_all

if TYPE_CHECKING:
    from dreamplay.envs.real import make_env
    from dreamplay.simulator import load

    __version__: str

__all__ = ["__version__", "load", "make_env"]

register_all()


def __getattr__(name: str) -> Any:
    if name == "make_env":
        from dreamplay.envs.real import make_env

        return make_env
    if name == "load":
        from dreamplay.simulator import load

        return load
    if name == "__version__":
        from importlib.metadata import version

        return version("dreamplay")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
