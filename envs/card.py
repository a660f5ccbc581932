"""The card of a prepared real environment: what is needed to make it again, or to dream in its place, as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.errors import UserError


@dataclass(frozen=True)
class Preparation:
    """How observations are made from what the environment gives."""

    stride: tuple[int, int] = (1, 1)
    """Every stride[0]-th row and stride[1]-th column is kept, the first included, so that a palette survives."""
    size: tuple[int, int] | None = None
    """An exact (height, width) in pixels by nearest subsampling instead of a stride; None = by stride."""
    gray: bool = False
    """One gray channel instead of three colours."""
    source: str = "observation"
    """"observation": the environment's own images; "render": what it renders as "rgb_array"; "recorded": there is no
    environment, the frames were recorded elsewhere; else a key of its Dict observations."""
    wrappers: tuple[str, ...] = ()
    """Wrappers around the environment before all this, the innermost first: "module:Name(argument=value)"."""


@dataclass(frozen=True)
class EnvCard:
    """Everything known about a prepared real environment. Goes into data folders and checkpoints as JSON."""

    id: str
    """The registered id, e.g. "ALE/Pong-v5"; "module:Name" of a class or function; or the name of recordings."""
    kwargs: dict[str, Any]
    """Keyword arguments for `gymnasium.make`, JSON values only."""
    preparation: Preparation
    observation_space: gym.spaces.Box
    """uint8 (H, W, C), after preparation."""
    action_space: gym.Space[Any]
    """Discrete, MultiDiscrete, MultiBinary or Box."""
    keys_to_action: list[tuple[list[str], Any]]
    """Keys held together and the action they mean: single characters, or pygame's names such as "left"."""
    fps: int
    """Steps per second at which a person plays it."""

    def to_json(self) -> dict[str, Any]:
        """The card as values that `json.dumps` takes."""
        return {
            "id": self.id,
            "kwargs": self.kwargs,
            "preparation": asdict(self.preparation),
            "observation_space": space_to_json(self.observation_space),
            "action_space": space_to_json(self.action_space),
            "keys_to_action": [[list(keys), action] for keys, action in self.keys_to_action],
            "fps": self.fps,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> EnvCard:
        """The card that `to_json` wrote.

        Raises:
            UserError: if something is missing or of the wrong kind.
        """
        try:
            preparation = data["preparation"]
            size = preparation["size"]
            height, width = preparation["stride"]
            observation_space = space_from_json(data["observation_space"])
            if not isinstance(observation_space, gym.spaces.Box):
                raise TypeError("the observation space is not a Box")
            return cls(
                id=data["id"],
                kwargs=dict(data["kwargs"]),
                preparation=Preparation(
                    stride=(height, width),
                    size=None if size is None else (size[0], size[1]),
                    gray=preparation["gray"],
                    source=preparation["source"],
                    wrappers=tuple(preparation.get("wrappers", ())),  # data of before there were any lack them
                ),
                observation_space=observation_space,
                action_space=space_from_json(data["action_space"]),
                keys_to_action=[(list(keys), action) for keys, action in data["keys_to_action"]],
                fps=data["fps"],
            )
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise UserError(
                f"unreadable description of the environment ({error!r}); record or train it anew"
            ) from error


def space_to_json(space: gym.Space[Any]) -> dict[str, Any]:
    """A space as JSON values; Box bounds are one number where all are equal.

    Raises:
        UserError: for a space other than Box, Discrete, MultiDiscrete and MultiBinary.
    """
    if isinstance(space, gym.spaces.Box):
        low, high = _bound_to_json(space.low), _bound_to_json(space.high)
        return {"type": "Box", "low": low, "high": high, "shape": list(space.shape), "dtype": str(space.dtype)}
    if isinstance(space, gym.spaces.Discrete):
        return {"type": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, gym.spaces.MultiDiscrete):
        start = space.start.tolist()
        return {"type": "MultiDiscrete", "nvec": space.nvec.tolist(), "start": start, "dtype": str(space.dtype)}
    if isinstance(space, gym.spaces.MultiBinary):
        return {"type": "MultiBinary", "n": np.asarray(space.n).tolist()}
    raise UserError(
        f"the space {space} is not supported; wrap the environment (--wrappers module:Name) so that it has a Box, "
        "Discrete, MultiDiscrete or MultiBinary space"
    )


def space_from_json(data: dict[str, Any]) -> gym.Space[Any]:
    """The space that `space_to_json` wrote; KeyError or ValueError if it is no such thing."""
    kind = data["type"]
    if kind == "Box":
        dtype, shape = np.dtype(data["dtype"]), tuple(data["shape"])
        low, high = (_bound_from_json(data[name], shape, dtype) for name in ("low", "high"))
        return gym.spaces.Box(low, high, shape, dtype.type)
    if kind == "Discrete":
        return gym.spaces.Discrete(data["n"], start=data["start"])
    if kind == "MultiDiscrete":
        return gym.spaces.MultiDiscrete(data["nvec"], np.dtype(data["dtype"]).type, start=data["start"])
    if kind == "MultiBinary":
        return gym.spaces.MultiBinary(data["n"])
    raise ValueError(f"unknown kind of space {kind!r}")


def _bound_to_json(bound: np.ndarray) -> Any:
    """One value, or a flat list of them; infinities become words, which strict JSON can hold."""
    values = [value if np.isfinite(value) else str(value) for value in bound.ravel().tolist()]
    return values[0] if len(set(values)) == 1 else values


def _bound_from_json(bound: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    values = [float(value) if isinstance(value, str) else value for value in np.atleast_1d(bound).tolist()]
    return np.array(np.broadcast_to(np.array(values, dtype), np.prod(shape, dtype=int))).reshape(shape)
