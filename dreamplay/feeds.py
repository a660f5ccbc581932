"""From places in episodes to what a network learns from: read at each update, or kept on the device.

Both feeds give the same tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dreamplay.actions import encode_actions
from dreamplay.envs.card import EnvCard
from dreamplay.episodes import Episode
from dreamplay.rewards import RewardBins
from dreamplay.windows import Places, Windows

CHUNK = 1024  # frames encoded at once


class Fed(NamedTuple):
    """B windows of T steps; past an episode's end the last frame is repeated, and all else is that of zeros."""

    frames: Tensor  # codes (B, T + 1, ...)
    actions: Tensor  # (B, T, A)
    rewards: Tensor  # (B, T, R)
    terminated: Tensor  # (B, T) 0 or 1


class Codecs(NamedTuple):
    """How a network sees what episodes hold."""

    frames: Any  # see `dreamplay.frames`
    card: EnvCard
    rewards: RewardBins

    def encode(self, observations: Any, actions: np.ndarray, rewards: np.ndarray, terminated: np.ndarray) -> Fed:
        """Arrays as in an episode, of any leading shape, on the CPU."""
        return Fed(
            self.frames.encode(observations),
            torch.from_numpy(encode_actions(self.card.action_space, actions)),
            self.rewards.encode(rewards),
            torch.from_numpy(terminated).float(),
        )


class Streamed:
    """Reads windows from episodes, which may be memory-mapped and larger than any memory.

    Args:
        windows: of the episodes.
        codecs: of the network.
        device: where it is.
    """

    def __init__(self, windows: Windows, codecs: Codecs, device: torch.device) -> None:
        self._windows, self._codecs, self._device = windows, codecs, device

    def __call__(self, places: Places, length: int) -> Fed:
        """The windows of `length` steps that begin there."""
        batch = self._windows.gather(places, length)
        fed = self._codecs.encode(batch.observations, batch.actions, batch.rewards, batch.terminated)
        return Fed(*(part.to(self._device, non_blocking=True) for part in fed))


class Resident:
    """Encodes all episodes once and keeps them on the device: an update then sends it nothing but indices.

    Args:
        episodes: all of them; `resident_bytes` says what they take.
        codecs: of the network.
        device: where it is.
    """

    def __init__(self, episodes: Sequence[Episode], codecs: Codecs, device: torch.device) -> None:
        self._device = device
        self._lengths = np.array([len(episode) for episode in episodes])
        self._steps = np.cumsum(self._lengths) - self._lengths  # where the steps of each episode begin
        nothing = np.zeros_like(episodes[0].actions[:1]), np.zeros(1, np.float32), np.zeros(1, bool)
        first = episodes[0].observations[:1]
        self._padding = int(self._lengths.sum())  # where a step of zeros lies, after all others
        columns = [
            np.concatenate([*(getattr(episode, name) for episode in episodes), zero])
            for name, zero in zip(("actions", "rewards", "terminated"), nothing, strict=True)
        ]
        _, *events = codecs.encode(first, *columns)
        self._events = [event.to(device) for event in events]
        code = codecs.frames.encode(first)
        self._frames = code.new_empty((self._padding + len(episodes), *code.shape[1:]), device=device)
        at = 0
        for episode in episodes:
            for start in range(0, len(episode.observations), CHUNK):
                codes = codecs.frames.encode(episode.observations[start : start + CHUNK])
                self._frames[at : at + len(codes)] = codes.to(device)
                at += len(codes)

    def __call__(self, places: Places, length: int) -> Fed:
        """The windows of `length` steps that begin there."""
        lengths, steps = self._lengths[places.episodes, None], self._steps[places.episodes, None]
        times = places.starts[:, None] + np.arange(length + 1)
        frames = steps + places.episodes[:, None] + np.minimum(times, lengths)  # an episode has a frame more than steps
        events = np.where(times < lengths, steps + times, self._padding)[:, :-1]
        at, when = (torch.from_numpy(each).to(self._device, non_blocking=True) for each in (frames, events))
        return Fed(self._frames[at], *(event[when] for event in self._events))


def resident_bytes(episodes: Sequence[Episode], codecs: Codecs) -> int:
    """What the frames of all episodes take on a device, encoded; the rest is little."""
    code = codecs.frames.encode(episodes[0].observations[:1])
    return sum(len(episode.observations) for episode in episodes) * code.numel() * code.element_size()
