"""Environments of a user's own, as `module:Name` finds them: small, each with a trait that some test needs."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class Walk(gym.Env[Any, Any]):
    """A white square on black walks along a row of eight cells; at the right end is a reward and the end.

    Args:
        kind: how it is observed: "hwc", "chw", "hw", "float", "bool", "vector" (no image), "dict" (two images and a
            number) or "one" (a Dict with one image).
        actions: the action space: "discrete", "multi", "binary", "box", "text".
        render_mode: "rgb_array", if it is to render at all.
        cells: length of the row.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 5}  # noqa: RUF012

    def __init__(
        self, kind: str = "hwc", actions: str = "discrete", render_mode: str | None = None, cells: int = 8
    ) -> None:
        self.kind, self.render_mode, self.cells = kind, render_mode, cells
        self.action_space = {
            "discrete": gym.spaces.Discrete(2),
            "multi": gym.spaces.MultiDiscrete([2, 3]),
            "binary": gym.spaces.MultiBinary(2),
            "box": gym.spaces.Box(-1, 1, (2,)),
            "text": gym.spaces.Text(3),
        }[actions]
        image = gym.spaces.Box(0, 255, (4, cells, 3), np.uint8)
        self.observation_space = {
            "hwc": image,
            "chw": gym.spaces.Box(0, 255, (3, 4, cells), np.uint8),
            "hw": gym.spaces.Box(0, 255, (4, cells), np.uint8),
            "float": gym.spaces.Box(0, 1, (4, cells, 3), np.float32),
            "bool": gym.spaces.Box(0, 1, (4, cells), np.bool_),
            "vector": gym.spaces.Box(0, cells, (1,), np.float32),
            "dict": gym.spaces.Dict(near=image, far=image, place=gym.spaces.Discrete(cells)),
            "one": gym.spaces.Dict(pixels=image, place=gym.spaces.Discrete(cells)),
        }[kind]

    def image(self) -> np.ndarray:
        """uint8 (4, cells, 3)."""
        image = np.zeros((4, self.cells, 3), np.uint8)
        image[1:3, self.place] = 255, 255, 0
        return image

    def _observe(self) -> Any:
        image = self.image()
        return {
            "hwc": image,
            "chw": np.moveaxis(image, -1, 0),
            "hw": image[..., 0],
            "float": (image / 255).astype(np.float32),
            "bool": image[..., 0] > 0,
            "vector": np.array([self.place], np.float32),
            "dict": {"near": image, "far": 255 - image, "place": self.place},
            "one": {"pixels": image, "place": self.place},
        }[self.kind]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.place = 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        value = np.ravel(action)[0]
        self.place = int(np.clip(self.place + (1 if value > 0 else -1), 0, self.cells - 1))
        over = self.place == self.cells - 1
        return self._observe(), float(over), over, False, {}

    def render(self) -> Any:
        return self.image()


def walk(cells: int = 8) -> gym.Env[Any, Any]:
    """A function that makes an environment, and knows nothing of rendering."""
    return gym.wrappers.TimeLimit(Walk(cells=cells), 20)


class Blind(gym.Env[Any, Any]):
    """Neither frames nor rendering."""

    observation_space = gym.spaces.Box(-1, 1, (3,))
    action_space = gym.spaces.Discrete(2)


class Growing(Walk):
    """Its frames grow."""

    def _observe(self) -> Any:
        return np.zeros((4, self.cells + (self.place > 2), 3), np.uint8)


class NotANumber(Walk):
    """Its reward is no number at the third cell."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, float("nan") if self.place == 3 else reward, terminated, truncated, info


class Restless(Walk):
    """Draws numbers that no seed decides."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, *rest = super().step(action)
        observation = observation.copy()
        observation[0] = np.random.default_rng().integers(0, 2) * 255
        return observation, *rest


class Still(Walk):
    """Nothing ever moves, no action does anything, no reward is earned, no episode ends."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self._observe(), 0.0, False, False, {}


class Mirrored(gym.ObservationWrapper[Any, Any, Any]):
    """A wrapper of a user's own: the frames upside down, times a factor."""

    def __init__(self, env: gym.Env[Any, Any], factor: int = 1) -> None:
        super().__init__(env)
        self._factor = factor

    def observation(self, observation: Any) -> Any:
        return observation[::-1] // self._factor


class Liar(Walk):
    """Says "terminated" in a number, which Gymnasium complains of."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, np.array(reward), int(terminated), truncated, info  # type: ignore[return-value]


class Clumsy(Walk):
    """Its step has a mistake."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return {}["north"]


class Thrower(Walk):
    """Its reset gives no info."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        return super().reset(seed=seed)[0], None
