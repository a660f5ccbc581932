"""Where frames come from, and how they become uint8 (H, W, C) whatever the environment gives."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.errors import UserError

OBSERVATION, RENDER, RECORDED = "observation", "render", "recorded"  # Preparation.source; else a key of a Dict


def choose_source(env_id: str, space: gym.Space[Any], renders: bool, asked: str | None) -> str:
    """Where frames come from: OBSERVATION, RENDER, or a key of Dict observations.

    Image observations are used as they are. Others, Dict observations included, are replaced by what is rendered;
    where nothing is, images of other types and a single image in a Dict are made use of.

    Args:
        env_id: for messages.
        space: the observation space.
        renders: whether the environment renders as "rgb_array".
        asked: what the user wants; None = choose.

    Raises:
        UserError: what was asked for is not there, or there is nothing to choose.
    """
    parts = space.spaces if isinstance(space, gym.spaces.Dict) else {}
    images = [key for key, part in parts.items() if is_image(part)]
    if asked is not None and asked in parts:
        if asked not in images:
            raise UserError(f"{env_id}: observation {asked!r} is {parts[asked]}, no image; {_keys(images)}")
        return asked
    if asked == RENDER or (asked is None and renders and not is_plain_image(space)):
        if not renders:
            raise UserError(f"{env_id} cannot render as rgb_array; leave out the source, or add that render mode")
        return RENDER
    if asked not in (None, OBSERVATION):
        raise UserError(f"{env_id} has no source {asked!r}; choose observation, render" + _or(list(parts)))
    if is_image(space):
        return OBSERVATION
    if len(images) == 1:
        return images[0]
    if images:
        raise UserError(f"{env_id} observes several images; {_keys(images)}")
    raise UserError(
        f"{env_id} has no image observations ({_short(space)}) and cannot render as rgb_array; give it a render() that "
        "returns uint8 (H, W, 3) and metadata = {'render_modes': ['rgb_array']}"
    )


def is_plain_image(space: gym.Space[Any]) -> bool:
    """Whether a space is of uint8 images: (H, W), (H, W, 1), (H, W, 3), or channels first."""
    return space.dtype == np.uint8 and is_image(space)


def is_image(space: gym.Space[Any]) -> bool:
    """Whether a space is of images: uint8, bool, or floats in [0, 1] or [0, 255]."""
    if not isinstance(space, gym.spaces.Box) or _channels(space.shape) is None:
        return False
    if space.dtype == np.uint8 or space.dtype == np.bool_:
        return True
    bounds = (float(space.low.min()), float(space.high.max()))
    return space.dtype.kind == "f" and bounds in ((0.0, 1.0), (0.0, 255.0))


class Images(gym.ObservationWrapper[np.ndarray, Any, Any], gym.utils.RecordConstructorArgs):
    """Observations as images, uint8 (H, W) or (H, W, C), checked one by one.

    Args:
        env: observes images, or renders them as "rgb_array".
        source: OBSERVATION, RENDER, or a key of Dict observations.

    Raises:
        UserError: an image is not as the first one, or as declared.
    """

    def __init__(self, env: gym.Env[Any, Any], source: str) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, source=source)
        gym.ObservationWrapper.__init__(self, env)
        self._source = source
        self.raw_observation_space = env.observation_space
        self.raw_observation: Any = None
        """The newest observation of the environment itself, for agents that know it rather than the frames."""
        if source == RENDER:
            env.reset()
            picture: Any = env.render()
            shape = np.shape(picture)
            self._type = np.asarray(picture).dtype
            if len(shape) != 3 or shape[2] not in (1, 3) or self._type.kind not in "ufb":
                raise UserError(
                    f"{_name(env)} renders {self._type} {shape}; its render() must return uint8 (H, W, 3) for rgb_array"
                )
            self._scale = 255.0 if self._type.kind in "fb" else 1.0
        else:
            space = env.observation_space
            part = space if source == OBSERVATION else space[source]  # type: ignore[index]
            assert isinstance(part, gym.spaces.Box)
            shape, self._type = part.shape, part.dtype
            self._scale = 255.0 if self._type == np.bool_ or part.high.max() <= 1 else 1.0
        self._shape = shape
        self._channels_first = _channels(shape) == "first"
        if self._channels_first:
            shape = (*shape[1:], shape[0])
        self.observation_space = gym.spaces.Box(0, 255, shape, np.uint8)

    def observation(self, observation: Any) -> np.ndarray:
        """The image: uint8 (H, W) or (H, W, C)."""
        self.raw_observation = observation
        image: Any = observation
        if self._source == RENDER:
            image = self.env.render()
        elif self._source != OBSERVATION:
            image = observation[self._source]
        image = np.asarray(image)
        if image.shape != self._shape or image.dtype.kind != self._type.kind:
            raise UserError(
                f"{_name(self.env)} gave a frame {image.dtype} {image.shape} after {self._type} {self._shape}; all "
                "frames must be alike: mend the environment, or wrap it so that it resizes them"
            )
        if self._channels_first:
            image = np.ascontiguousarray(np.moveaxis(image, 0, -1))
        if image.dtype == np.uint8:
            return image
        image = image * self._scale
        if not (np.min(image) >= 0 and np.max(image) <= 255):  # NaN too
            raise UserError(f"{_name(self.env)} gave a frame outside its bounds; mend it, or return uint8 frames")
        return np.round(image).astype(np.uint8)


def _channels(shape: tuple[int, ...]) -> str | None:
    """Where the channels of an image of this shape are: "none", "last", "first"; None if it is no image."""
    if len(shape) == 2:
        return "none"
    if len(shape) != 3:
        return None
    if shape[2] in (1, 3):
        return "last"
    return "first" if shape[0] in (1, 3) else None


def _name(env: gym.Env[Any, Any]) -> str:
    return env.spec.id if env.spec is not None else str(env.unwrapped)


def _short(space: gym.Space[Any]) -> str:
    text = " ".join(str(space).split())
    return text if len(text) < 100 else f"{text[:97]}..."


def _keys(images: list[str]) -> str:
    return f"choose its source among {', '.join(images)}" if images else "choose another source"


def _or(keys: list[str]) -> str:
    return f" or one of its keys {', '.join(keys)}" if keys else ""
