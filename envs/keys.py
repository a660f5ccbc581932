"""The key map of an environment, as JSON values."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.envs.grid_game import ARROW_DOWN, ARROW_LEFT, ARROW_RIGHT, ARROW_UP

ARROW_NAMES = {ARROW_LEFT: "left", ARROW_RIGHT: "right", ARROW_UP: "up", ARROW_DOWN: "down"}
LETTER_TO_ARROW = {"a": "left", "d": "right", "w": "up", "s": "down"}


def keys_of(env: gym.Env[Any, Any]) -> list[tuple[list[str], Any]]:
    """The keys of an environment that has `get_keys_to_action`, else an empty list.

    Keys are single characters or pygame's names ("left"). Maps that steer with the letters a, d, w, s and know no
    arrows (those of Atari games) get the arrows as well.
    """
    if not env.has_wrapper_attr("get_keys_to_action"):
        return []
    try:
        given = env.get_wrapper_attr("get_keys_to_action")()
    except AttributeError:  # how an Atari game with continuous actions says that it has none
        return []
    keys = [([_name(key) for key in _each(combination)], _plain(action)) for combination, action in given.items()]
    keys = [(names, action) for names, action in keys if names]
    known = {name for names, _ in keys for name in names}
    if known.isdisjoint(ARROW_NAMES.values()):
        arrows = [([LETTER_TO_ARROW.get(name, name) for name in names], action) for names, action in keys]
        keys += [entry for entry in arrows if entry not in keys]
    return keys


def _each(combination: Any) -> tuple[Any, ...]:
    """The keys of one combination: a tuple, a string of characters, one key code, or None for no key."""
    if combination is None:
        return ()
    return (combination,) if isinstance(combination, int) else tuple(combination)


def _name(key: str | int) -> str:
    if isinstance(key, str):
        return key
    return ARROW_NAMES[key] if key in ARROW_NAMES else chr(key)


def _plain(action: Any) -> Any:
    return action.tolist() if isinstance(action, np.ndarray | np.generic) else action
