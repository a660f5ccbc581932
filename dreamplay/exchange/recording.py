"""What somebody recorded, whatever the files: raw episodes, and how they become `Episode`s of one card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np

from dreamplay.envs.card import EnvCard, Preparation
from dreamplay.envs.images import RECORDED
from dreamplay.envs.real import card_of, make_env
from dreamplay.envs.subsample import pick, small_stride
from dreamplay.episodes import Episode
from dreamplay.errors import UserError
from dreamplay.shards import fields

LUMINANCE = np.array([0.2125, 0.7154, 0.0721])  # as gymnasium.wrappers.GrayscaleObservation weighs colours


class RawEpisode(NamedTuple):
    """Arrays as they were found; those with a default may be missing."""

    observations: np.ndarray  # (T+1, H, W), (T+1, H, W, C) or (T+1, C, H, W): uint8, bool, or floats in [0, 1]
    actions: np.ndarray  # (T, ...), or (T+1, ...) where nothing was seen after the last one
    rewards: np.ndarray | None = None  # (T,)
    terminated: np.ndarray | None = None
    truncated: np.ndarray | None = None
    chance: np.ndarray | None = None


class KnownEnv(NamedTuple):
    """An environment that recordings are of, as arguments of `dreamplay.make_env`."""

    id: str
    source: str | None = None
    args: dict[str, Any] | None = None


class Recording(Protocol):
    """Recorded episodes in some kind of files, read one at a time."""

    name: str
    """What to call the environment."""
    fps: int
    """Steps per second."""
    card: EnvCard | None
    """The environment and how it was prepared, where the files tell."""
    env: KnownEnv | None
    """The environment whose unprepared frames are recorded, where the files tell."""
    action_space: gym.Space[Any] | None
    """Where the files tell."""

    def __len__(self) -> int:
        """How many episodes there are, or files of them."""
        ...

    def place(self, index: int) -> str:
        """What to call one of them in a message."""
        ...

    def actions(self, index: int) -> np.ndarray:
        """The actions of one, without reading its frames."""
        ...

    def load(self, index: int) -> Iterator[RawEpisode]:
        """The episodes of one."""
        ...


@dataclass(frozen=True)
class Wishes:
    """What the user wants of recorded data."""

    size: tuple[int, int] | None = None
    gray: bool = False
    action_space: gym.Space[Any] | None = None
    fps: int | None = None


def card_for(recording: Recording, wishes: Wishes) -> EnvCard:
    """The card of recorded data: spaces from the files, or guessed from what is in them.

    Raises:
        UserError: the files hold no frames, or actions of several kinds.
    """
    if recording.card is not None:
        if wishes != Wishes():
            raise UserError(f"{recording.name} says itself what it holds; leave out everything that would change it")
        return recording.card
    first = as_bytes(next(iter(recording.load(0))).observations, recording.place(0))
    _, height, width, channels = first.shape
    stride = (1, 1) if wishes.size else small_stride(height, width)
    gray = wishes.gray and channels == 3
    shape = _picked(first[:1], stride, wishes.size, gray).shape[1:]
    if recording.env is not None:
        return _card_of_env(recording.env, wishes, shape)
    space = wishes.action_space or recording.action_space
    if space is None:
        space = guess_space([recording.actions(i) for i in range(len(recording))])
    return EnvCard(
        id=recording.name,
        kwargs={},
        preparation=Preparation(stride, wishes.size, gray, RECORDED),
        observation_space=gym.spaces.Box(0, 255, shape, np.uint8),
        action_space=space,
        keys_to_action=[],
        fps=wishes.fps or recording.fps,
    )


def _card_of_env(env: KnownEnv, wishes: Wishes, shape: tuple[int, ...]) -> EnvCard:
    """The card of an environment, if recorded frames look as its own do."""
    made = make_env(env.id, size=wishes.size, gray=wishes.gray, source=env.source, env_args=env.args)
    made.close()
    card = card_of(made)
    if card.observation_space.shape != shape:
        raise UserError(
            f"{env.id} gives frames {card.observation_space.shape}, the recordings hold {shape}; see --size, or leave "
            "out --env"
        )
    return card


def episodes(recording: Recording, card: EnvCard, index: int) -> Iterator[tuple[Episode, int]]:
    """The episodes of one file, checked and converted, and how many of their actions are left out: 0, or 1 where
    nothing was seen after the last one.

    Raises:
        UserError: something in it does not fit; the message names the file.
    """
    place = recording.place(index)
    for raw in recording.load(index):
        frames = as_bytes(raw.observations, place)
        if recording.card is None:
            frames = _picked(frames, card.preparation.stride, card.preparation.size, card.preparation.gray)
        steps = len(frames) - 1
        if len(raw.actions) not in (steps, steps + 1):
            raise UserError(
                f"{place} holds {len(frames)} frames and {len(raw.actions)} actions; of T actions there must be T + 1 "
                "frames (before and after each action), or T without the last"
            )
        if steps < 1:
            raise UserError(f"{place} holds an episode without a step; leave it out")
        wanted = fields(card)
        columns: dict[str, np.ndarray] = {"observations": frames, "actions": _actions(raw.actions[:steps], card, place)}
        for name in ("rewards", "terminated", "truncated", "chance"):
            given = getattr(raw, name)
            column = np.zeros(steps) if given is None else np.asarray(given)[:steps]
            if column.shape != (steps,):
                raise UserError(f"{place} holds {name} {column.shape}, {(steps,)} needed: one for each action")
            columns[name] = column.astype(wanted[name].dtype)
        if not np.isfinite(columns["rewards"]).all():
            raise UserError(f"{place} holds rewards that are no finite numbers; mend them first")
        if frames.shape[1:] != wanted["observations"].shape:
            raise UserError(
                f"{place} holds frames {frames.shape[1:]}, the ones before {wanted['observations'].shape}; all must be "
                "of one size, see --size"
            )
        yield Episode(**columns), len(raw.actions) - steps


def split_at_ends(raw: RawEpisode) -> Iterator[RawEpisode]:
    """Several episodes in one array, each ending where terminated or truncated says so.

    What was seen after the last action of an episode is not in such an array, except at its very end: that action, its
    reward and its end are left out.
    """
    steps = len(raw.actions)
    flags = [np.asarray(flag).astype(bool) for flag in (raw.terminated, raw.truncated) if flag is not None]
    ends = np.flatnonzero(np.any(flags, axis=0)) if flags else np.empty(0, np.int64)
    if not len(ends) or ends[0] >= steps - 1:
        yield raw
        return
    start = 0
    for stop in [*(int(end) + 1 for end in ends if end < steps - 1), steps]:
        frames = raw.observations[start : stop + (stop == steps)]
        if len(frames) > 1:
            rest = (None if column is None else column[start:stop] for column in raw[2:])
            yield RawEpisode(frames, raw.actions[start:stop], *rest)
        start = stop


def guess_space(columns: Sequence[np.ndarray]) -> gym.Space[Any]:
    """The action space that recorded actions, (T, ...) each, seem to come from: whole numbers are choices.

    Raises:
        UserError: they are of different kinds.
    """
    arrays = [np.asarray(column) for column in columns if len(column)]
    if len({array.shape[1:] for array in arrays}) != 1 or any(array.dtype.kind not in "iubf" for array in arrays):
        raise UserError(
            "the actions are not all of one shape, or no numbers; give the space: --action-space 'Box(...)'"
        )
    low = np.min([array.min(0) for array in arrays], 0)
    high = np.max([array.max(0) for array in arrays], 0)
    if all(array.dtype.kind in "iub" for array in arrays):
        if low.min() < 0:
            raise UserError("actions below 0 are no choices; give the space, such as --action-space 'Discrete(3)'")
        if high.ndim == 0:
            return gym.spaces.Discrete(int(high) + 1)
        if high.max() <= 1:
            return gym.spaces.MultiBinary(list(high.shape))
        return gym.spaces.MultiDiscrete(high + 1)
    if low.min() >= -1 and high.max() <= 1:
        return gym.spaces.Box(-1, 1, low.shape, np.float32)
    return gym.spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)


def as_bytes(frames: np.ndarray, place: str) -> np.ndarray:
    """Recorded frames as uint8 (T, H, W, C).

    Raises:
        UserError: they are no images.
    """
    frames = np.asarray(frames)
    if frames.ndim == 3:
        frames = frames[..., None]
    if frames.ndim == 4 and frames.shape[3] not in (1, 3) and frames.shape[1] in (1, 3):
        frames = np.moveaxis(frames, 1, -1)
    if frames.ndim != 4 or frames.shape[3] not in (1, 3):
        raise UserError(f"{place} holds observations {frames.shape}; frames must be (T, H, W), (T, H, W, 1 or 3)")
    if frames.dtype == np.uint8:
        return frames
    if frames.dtype == np.bool_ or (frames.dtype.kind == "f" and frames.min() >= 0 and frames.max() <= 1):
        return np.round(frames * 255.0).astype(np.uint8)
    raise UserError(f"{place} holds frames of type {frames.dtype}; they must be uint8, or floats from 0 to 1")


def _picked(frames: np.ndarray, stride: tuple[int, int], size: tuple[int, int] | None, gray: bool) -> np.ndarray:
    rows, columns = pick((frames.shape[1], frames.shape[2]), stride, size)
    frames = np.ascontiguousarray(frames[:, rows][:, :, columns])
    return (frames * LUMINANCE).sum(-1, keepdims=True).astype(np.uint8) if gray else frames


def _actions(actions: np.ndarray, card: EnvCard, place: str) -> np.ndarray:
    wanted = fields(card)["actions"]
    given = np.asarray(actions)
    if given.shape[1:] == (*wanted.shape, 1):
        given = given[..., 0]
    if given.shape[1:] != wanted.shape or (wanted.dtype.kind == "i" and not np.array_equal(given, np.trunc(given))):
        raise UserError(f"{place} holds actions {given.dtype} {given.shape[1:]} that are not in {card.action_space}")
    converted = given.astype(wanted.dtype)
    typed = converted.astype(card.action_space.dtype)
    outside = next((action for action in typed if not card.action_space.contains(action)), None)
    if outside is not None:
        raise UserError(f"{place} holds the action {outside.tolist()}, not in {card.action_space}; see --action-space")
    return converted
