"""Real environments, prepared: any Gymnasium id with images becomes frames of uint8 (H, W, C)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import AddRenderObservation, GrayscaleObservation, HumanRendering

from dreamplay.envs import atari
from dreamplay.envs.card import EnvCard, Preparation
from dreamplay.envs.keys import keys_of
from dreamplay.envs.subsample import Subsample, small_stride
from dreamplay.errors import UserError

CARD_FILES = ("checkpoint.json", "data.json")  # of a run folder, of a data folder
DEFAULT_FPS = 30


class Prepared(gym.Wrapper[np.ndarray, Any, np.ndarray, Any]):
    """A prepared environment that knows its card."""

    def __init__(self, env: gym.Env[Any, Any], card: EnvCard) -> None:
        super().__init__(env)
        self.card = card


def make_env(
    env: str | Path | EnvCard,
    *,
    render_mode: str | None = None,
    size: tuple[int, int] | None = None,
    gray: bool = False,
    **kwargs: Any,
) -> gym.Env[np.ndarray, Any]:
    """Make a real environment whose observations are frames, uint8 (H, W, C).

    Image observations (uint8, (H, W), (H, W, 1) or (H, W, 3)) are used as they are; otherwise the frames are what the
    environment renders as "rgb_array". Sides above 84 pixels are subsampled by the smallest whole stride, so that a
    palette survives. Atari games get frameskip 4 and no sticky actions unless told otherwise.

    Args:
        env: the id of a registered environment; or a run or data folder, or a card: its environment, prepared
            identically.
        render_mode: as in `gymnasium.make`; rendering stays at the environment's own size.
        size: exact (height, width) in pixels by nearest subsampling, instead of the stride.
        gray: one gray channel instead of three colours.
        **kwargs: passed on to `gymnasium.make`; JSON values only, so that a folder can name them.

    Returns:
        The environment; `card_of` tells its card.

    Raises:
        UserError: for an unknown id, a folder without a card, missing packages, arguments that the environment does
            not take, or an environment without frames.
    """
    card = _card_in(env)
    if card is not None:
        if size is not None or gray or kwargs:
            raise UserError(f"{card.id} is prepared as it was recorded; leave out size, gray and keyword arguments")
        raw = _open(card.id, card.kwargs, card.preparation.source, render_mode)
        return Prepared(_prepare(raw, card.preparation, render_mode), card)

    env_id = str(env)
    settings = _json_values(atari.settings(env_id, kwargs))
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise UserError(f"size {size} is not possible; give (height, width) in pixels, both at least 1")
    raw = _open(env_id, settings, "observation", None)
    source = "observation" if _is_image(raw.observation_space) else "render"
    if source == "render" or render_mode is not None:
        if source == "render" and "rgb_array" not in raw.metadata.get("render_modes", []):
            raise UserError(f"{env_id} has no image observations and cannot render as rgb_array; choose another")
        raw.close()
        raw = _open(env_id, settings, source, render_mode)
    assert raw.observation_space.shape is not None
    height, width, *channels = raw.observation_space.shape
    stride = (1, 1) if size is not None else small_stride(height, width)
    preparation = Preparation(stride, size and (int(size[0]), int(size[1])), gray and channels == [3], source)
    prepared = _prepare(raw, preparation, render_mode)
    assert isinstance(prepared.observation_space, gym.spaces.Box)
    rate = raw.metadata.get("render_fps") or DEFAULT_FPS
    fps = atari.fps(settings) if atari.is_atari(env_id) else rate
    card = EnvCard(
        id=env_id,
        kwargs=settings,
        preparation=preparation,
        observation_space=prepared.observation_space,
        action_space=prepared.action_space,
        keys_to_action=keys_of(raw),
        fps=max(1, round(fps)),
    )
    card.to_json()  # refuses spaces that a folder could not name
    return Prepared(prepared, card)


def card_of(env: gym.Env[Any, Any]) -> EnvCard:
    """The card of an environment from `make_env`, through any wrappers around it.

    Raises:
        UserError: if the environment was not made by `make_env`.
    """
    if not env.has_wrapper_attr("card"):
        raise UserError(f"{env} is not prepared; make it with dreamplay.make_env")
    return env.get_wrapper_attr("card")


def _card_in(env: str | Path | EnvCard) -> EnvCard | None:
    """The card that was given or that lies in a folder; None for an id."""
    if isinstance(env, EnvCard):
        return env
    for name in CARD_FILES:
        file = Path(env) / name
        if file.is_file():
            try:
                return EnvCard.from_json(json.loads(file.read_text(encoding="utf-8"))["env"])
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UserError(f"{file} is not readable ({error}); record or train it anew") from error
    if isinstance(env, Path) or (Path(env).exists() and env not in gym.registry):
        raise UserError(f"{env} holds neither {' nor '.join(CARD_FILES)}; name a run or a data folder")
    return None


def _json_values(settings: dict[str, Any]) -> dict[str, Any]:
    try:
        return json.loads(json.dumps(settings, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UserError(f"keyword arguments must be plain JSON values, and these are not: {error}") from error


def _open(env_id: str, settings: dict[str, Any], source: str, render_mode: str | None) -> gym.Env[Any, Any]:
    """Make the environment; its observations are frames already if `source` is "render"."""
    if atari.is_atari(env_id):
        atari.register()
    mode = "rgb_array" if source == "render" else render_mode
    try:
        raw = gym.make(env_id, render_mode=mode, **atari.arguments(settings))
    except (gym.error.Error, ImportError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        unknown = isinstance(error, gym.error.UnregisteredEnv)
        hint = "; give the id of a registered environment, or a run or data folder" if unknown else ""
        raise UserError(f"cannot make {env_id}: {said}{hint}") from error
    except TypeError as error:
        if not settings:
            raise
        raise UserError(f"cannot make {env_id} with {settings}: {error}") from error
    return AddRenderObservation(raw) if source == "render" else raw


def _prepare(raw: gym.Env[Any, Any], preparation: Preparation, render_mode: str | None) -> gym.Env[Any, Any]:
    env = raw
    assert env.observation_space.shape is not None
    if preparation.stride != (1, 1) or preparation.size is not None or len(env.observation_space.shape) == 2:
        env = Subsample(env, preparation.stride, preparation.size)
    if preparation.gray:
        env = GrayscaleObservation(env, keep_dim=True)
    if preparation.source == "render" and render_mode == "human":
        env = HumanRendering(env)
    return env


def _is_image(space: gym.Space[Any]) -> bool:
    shape = space.shape or ()
    is_bytes = isinstance(space, gym.spaces.Box) and space.dtype == np.uint8
    return is_bytes and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3)))
