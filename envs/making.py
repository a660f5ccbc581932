"""Environments by their names, as they are: registered ids, a user's own class or function, wrappers around them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from dreamplay.envs import atari, packages
from dreamplay.envs.names import find, has, is_name, parse_call
from dreamplay.errors import UserError


def open_raw(
    env_id: str, settings: dict[str, Any], wrappers: Sequence[str], render_mode: str | None, check: bool = False
) -> gym.Env[Any, Any]:
    """Make an environment.

    Args:
        env_id: a registered id, or "module:Name" of a class or function.
        settings: keyword arguments as read from JSON.
        wrappers: "module:Name(argument=value)", the innermost first.
        render_mode: as in `gymnasium.make`.
        check: let Gymnasium watch each step and warn of mistakes.

    Raises:
        UserError: whatever is wrong with these.
    """
    packages.prepare(env_id)
    own = is_name(env_id) and (has(env_id) or env_id.partition(":")[2] not in gym.registry)
    try:
        env = _own(env_id, settings, render_mode, check) if own else _registered(env_id, settings, render_mode, check)
    except (gym.error.Error, ImportError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        unknown = isinstance(error, gym.error.UnregisteredEnv)
        hint = "; give a registered id, module:Name of your own class, or a run or data folder" if unknown else ""
        raise UserError(f"cannot make {env_id}: {said}{hint}") from error
    except TypeError as error:
        if not settings and not own:
            raise
        given = f" with {settings}" if settings else ""
        raise UserError(f"cannot make {env_id}{given}: {' '.join(str(error).split())}") from error
    for wrapper in wrappers:
        name, arguments = parse_call(wrapper)
        try:
            env = find(name)(env, **arguments)
        except (TypeError, AssertionError, ValueError, gym.error.Error) as error:
            raise UserError(f"the wrapper {wrapper} does not fit {env_id}: {' '.join(str(error).split())}") from error
    return env


def _registered(env_id: str, settings: dict[str, Any], render_mode: str | None, check: bool) -> gym.Env[Any, Any]:
    arguments = atari.arguments(settings)
    return gym.make(env_id, render_mode=render_mode, disable_env_checker=not check, **arguments)


def _own(env_id: str, settings: dict[str, Any], render_mode: str | None, check: bool) -> gym.Env[Any, Any]:
    """By a class or function that need not know render modes, with the wrappers Gymnasium puts around everything."""
    known = inspect.signature(find(env_id)).parameters
    takes_mode = "render_mode" in known or any(p.kind is p.VAR_KEYWORD for p in known.values())
    arguments = settings | ({"render_mode": render_mode} if takes_mode else {})
    return gym.make(EnvSpec(env_id, entry_point=env_id), disable_env_checker=not check, **arguments)
