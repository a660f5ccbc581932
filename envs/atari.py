"""What is special about Atari games: their package talks, and its defaults are not ours."""

from __future__ import annotations

from typing import Any

DEFAULTS = {"frameskip": 4, "repeat_action_probability": 0.0, "obs_type": "rgb"}
CONSOLE_FPS = 60


def is_atari(env_id: str) -> bool:
    """Whether the id names an Atari game, e.g. "ALE/Pong-v5"."""
    return env_id.rpartition(":")[2].startswith("ALE/")


def quieten(ale_py: Any) -> None:
    """Keep the emulator from printing its banner."""
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)


def settings(env_id: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments with the defaults for Atari games filled in; others are left as they are."""
    return DEFAULTS | kwargs if is_atari(env_id) else kwargs


def arguments(settings: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments read from JSON, which has no tuples, as `gymnasium.make` needs them: a random frameskip."""
    skip = settings.get("frameskip")
    return settings | {"frameskip": tuple(skip)} if isinstance(skip, list) else settings


def fps(settings: dict[str, Any]) -> float:
    """Steps per second at the console's own pace."""
    skip = settings["frameskip"]
    return CONSOLE_FPS / (sum(skip) / len(skip) if isinstance(skip, list) else skip)
