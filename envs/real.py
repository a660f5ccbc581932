"""Real environments, prepared: any Gymnasium environment becomes frames of uint8 (H, W, C)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import GrayscaleObservation, HumanRendering

from dreamplay.envs import atari
from dreamplay.envs.card import EnvCard, Preparation
from dreamplay.envs.images import RECORDED, RENDER, Images, choose_source
from dreamplay.envs.keys import keys_of
from dreamplay.envs.making import open_raw
from dreamplay.envs.names import name_of, parse_call
from dreamplay.envs.subsample import Subsample, small_stride
from dreamplay.errors import UserError
from dreamplay.shipped import find_run

CARD_FILES = ("checkpoint.json", "data.json")  # of a run folder, of a data folder
DEFAULT_FPS = 30


class Prepared(gym.Wrapper[np.ndarray, Any, np.ndarray, Any]):
    """A prepared environment that knows its card."""

    def __init__(self, env: gym.Env[Any, Any], card: EnvCard) -> None:
        super().__init__(env)
        self.card = card


def make_env(
    env: str | Path | EnvCard | Callable[..., gym.Env[Any, Any]],
    *,
    render_mode: str | None = None,
    size: tuple[int, int] | None = None,
    gray: bool = False,
    source: str | None = None,
    wrappers: Sequence[str | type] = (),
    env_args: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> gym.Env[np.ndarray, Any]:
    """Make a real environment whose observations are frames, uint8 (H, W, C).

    Image observations are used as they are, channels first or last, uint8 (or bool or float where nothing is rendered);
    otherwise the frames are what the environment renders as "rgb_array". Sides above 84 pixels are subsampled by the
    smallest whole stride, so that a palette survives. Atari games get frameskip 4 and no sticky actions unless told
    otherwise.

    Args:
        env: the id of a registered environment; "module:Name" of a class or function that makes one, or that class or
            function itself; or a run or data folder, the name of a shipped dream, or a card: its environment, prepared
            identically.
        render_mode: as in `gymnasium.make`; rendering stays at the environment's own size.
        size: exact (height, width) in pixels by nearest subsampling, instead of the stride.
        gray: one gray channel instead of three colours.
        source: "observation", "render", or a key of Dict observations; None chooses as said above.
        wrappers: "module:Name" or "module:Name(argument=value)" of Gymnasium wrappers, or their classes, around the
            environment before frames are taken from it; the first is the innermost.
        env_args: passed on to `gymnasium.make` too, for names that are taken here, such as "size".
        **kwargs: passed on to `gymnasium.make`; JSON values only, so that a folder can name them. "max_episode_steps"
            limits the length of episodes.

    Returns:
        The environment; `card_of` tells its card.

    Raises:
        UserError: for an unknown id, a folder without a card, missing packages, arguments that the environment does
            not take, or an environment without frames.

    Example:
        >>> import dreamplay
        >>> env = dreamplay.make_env("Dreamplay/Bricks-v0", gray=True, max_episode_steps=100)
        >>> env.reset(seed=0)[0].shape
        (10, 10, 1)
    """
    asked = {**(env_args or {}), **kwargs}
    if isinstance(env, gym.Env):
        raise UserError(f"{env} is made already; give its id, or its class or function, so that a folder can name it")
    known = _card_in(env) if isinstance(env, str | Path | EnvCard) else None
    if known is not None:
        if size is not None or gray or source is not None or wrappers or asked:
            raise UserError(f"{known.id} is prepared as it was recorded; leave out everything that would change it")
        return _from_card(known, render_mode)

    env_id = name_of(env) if callable(env) else str(env)
    settings = _json_values(atari.settings(env_id, asked))
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise UserError(f"size {size} is not possible; give (height, width) in pixels, both at least 1")
    named = tuple(wrapper if isinstance(wrapper, str) else name_of(wrapper) for wrapper in wrappers)
    for wrapper in named:
        parse_call(wrapper)
    raw = open_raw(env_id, settings, named, None)
    renders = "rgb_array" in (raw.metadata.get("render_modes") or []) or raw.render_mode == "rgb_array"
    chosen = choose_source(env_id, raw.observation_space, renders, source)
    if render_mode is not None or (chosen == RENDER and raw.render_mode != "rgb_array"):
        raw.close()
        raw = open_raw(env_id, settings, named, "rgb_array" if chosen == RENDER else render_mode)
    images = Images(raw, chosen)
    height, width, *channels = images.observation_space.shape or ()
    stride = (1, 1) if size is not None else small_stride(height, width)
    exact = None if size is None else (int(size[0]), int(size[1]))
    preparation = Preparation(stride, exact, gray and channels == [3], chosen, named)
    prepared = _shape(images, preparation, render_mode)
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


def _from_card(card: EnvCard, render_mode: str | None) -> Prepared:
    """The environment of a card, as it was."""
    preparation = card.preparation
    if preparation.source == RECORDED:
        raise UserError(f"{card.id} was recorded elsewhere, there is no real environment; use the dream alone")
    raw = open_raw(
        card.id, card.kwargs, preparation.wrappers, "rgb_array" if preparation.source == RENDER else render_mode
    )
    prepared = _shape(Images(raw, preparation.source), preparation, render_mode)
    if (prepared.observation_space, prepared.action_space) != (card.observation_space, card.action_space):
        raise UserError(
            f"{card.id} has changed since it was recorded: it gives {prepared.observation_space} and takes "
            f"{prepared.action_space}, not {card.observation_space} and {card.action_space}; collect and train anew"
        )
    return Prepared(prepared, card)


def _card_in(env: str | Path | EnvCard) -> EnvCard | None:
    """The card that was given or that lies in a folder; None for an id."""
    if isinstance(env, EnvCard):
        return env
    folder = find_run(env)
    for name in CARD_FILES:
        file = folder / name
        if file.is_file():
            try:
                return EnvCard.from_json(json.loads(file.read_text(encoding="utf-8"))["env"])
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UserError(f"{file} is not readable ({error}); record or train it anew") from error
    if isinstance(env, Path) or (Path(env).exists() and env not in gym.registry):
        raise UserError(
            f"{env} holds neither {' nor '.join(CARD_FILES)}; name a run or data folder, or make one: dreamplay import"
        )
    return None


def _json_values(settings: dict[str, Any]) -> dict[str, Any]:
    try:
        return json.loads(json.dumps(settings, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UserError(f"keyword arguments must be plain JSON values, and these are not: {error}") from error


def _shape(images: Images, preparation: Preparation, render_mode: str | None) -> gym.Env[Any, Any]:
    """Size and colours."""
    env: gym.Env[Any, Any] = images
    if preparation.stride != (1, 1) or preparation.size is not None or len(env.observation_space.shape or ()) == 2:
        env = Subsample(env, preparation.stride, preparation.size)
    if preparation.gray:
        env = GrayscaleObservation(env, keep_dim=True)
    if preparation.source == RENDER and render_mode == "human":
        env = HumanRendering(env)
    return env
