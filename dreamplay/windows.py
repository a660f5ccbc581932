"""Windows: batches of slices of episodes, the only form in which training sees data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dreamplay.episodes import Episode


@dataclass(frozen=True)
class Batch:
    """B windows of T transitions. Past an episode's end the last observation is repeated and all else is zero.

    Attributes:
        observations: uint8 (B, T+1, H, W, C).
        actions: (B, T, *action_shape), int64 or float32.
        rewards: float32 (B, T).
        terminated: bool (B, T).
        mask: bool (B, T), False past the episode's end.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    mask: np.ndarray


class Places(NamedTuple):
    """Where B windows begin."""

    episodes: np.ndarray  # int64 (B,), which episode
    starts: np.ndarray  # int64 (B,), steps since its beginning; past its end there is nothing but padding

    def after(self, steps: int) -> "Places":
        """Where the windows begin that follow on these, `steps` later."""
        return Places(self.episodes, self.starts + steps)


class Windows:
    """Draws random windows that never cross the end of an episode.

    Args:
        episodes: at least one, all of the same environment; not copied.
    """

    def __init__(self, episodes: Sequence[Episode]) -> None:
        if not episodes:
            raise ValueError("windows need at least one episode")
        self._episodes = list(episodes)
        self._lengths = np.array([len(episode) for episode in self._episodes])
        self._ends = np.cumsum(self._lengths)

    def sample(self, rng: np.random.Generator, batch: int, length: int) -> Batch:
        """Draw `batch` windows of `length` transitions, see `draw` and `gather`."""
        return self.gather(self.draw(rng, batch, length), length)

    def draw(self, rng: np.random.Generator, batch: int, length: int) -> Places:
        """Draw where `batch` windows of `length` transitions begin.

        A transition is drawn uniformly from all there are, then the place it takes in its window; a window that would
        stick out of its episode is moved inside. So long episodes are drawn from more often in proportion, and the last
        transition is as likely to be drawn as any. An episode shorter than `length` is padded, see `Batch`.

        Args:
            rng: the only source of randomness: the same state gives the same batch.
            batch: number of windows, B.
            length: transitions per window, T.
        """
        if batch < 1 or length < 1:
            raise ValueError(f"batch and length must be at least 1, not {batch} and {length}")
        transitions = rng.integers(self._ends[-1], size=batch)
        offsets = rng.integers(length, size=batch)
        indices = np.searchsorted(self._ends, transitions, side="right")
        lengths = self._lengths[indices]
        within = transitions - (self._ends[indices] - lengths)
        starts = np.clip(within - offsets, 0, np.maximum(0, lengths - length))
        return Places(indices, starts)

    def go_on(self, places: Places) -> bool:
        """Whether any of the episodes has a transition left there."""
        return bool((places.starts < self._lengths[places.episodes]).any())

    def gather(self, places: Places, length: int) -> Batch:
        """The windows of `length` transitions that begin there."""
        indices = places.episodes
        starts = np.minimum(places.starts, self._lengths[indices])
        first = self._episodes[0]
        batch = len(indices)
        observations = np.empty((batch, length + 1, *first.observations.shape[1:]), first.observations.dtype)
        actions = np.zeros((batch, length, *first.actions.shape[1:]), first.actions.dtype)
        rewards = np.zeros((batch, length), np.float32)
        terminated = np.zeros((batch, length), bool)
        counts = np.minimum(length, self._lengths[indices] - starts)
        for b, (index, start, count) in enumerate(zip(indices.tolist(), starts.tolist(), counts.tolist(), strict=True)):
            episode, stop = self._episodes[index], start + count
            observations[b, : count + 1] = episode.observations[start : stop + 1]
            observations[b, count + 1 :] = episode.observations[stop]
            actions[b, :count] = episode.actions[start:stop]
            rewards[b, :count] = episode.rewards[start:stop]
            terminated[b, :count] = episode.terminated[start:stop]
        mask = np.arange(length) < counts[:, None]
        return Batch(observations, actions, rewards, terminated, mask)
