"""Windows: batches of slices of episodes, the only form in which training sees data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dreamplay.episodes import Episode


@dataclass(frozen=True)
class Outcomes:
    """What came of B windows of T transitions, without their frames; zero past an episode's end.

    Attributes:
        rewards: float32 (B, T).
        terminated: bool (B, T).
        mask: bool (B, T), False past the episode's end.
    """

    rewards: np.ndarray
    terminated: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class Batch(Outcomes):
    """B windows of T transitions. Past an episode's end the last observation is repeated and all else is zero.

    Attributes:
        observations: uint8 (B, T+1, H, W, C).
        actions: (B, T, *action_shape), int64 or float32.
    """

    observations: np.ndarray
    actions: np.ndarray


class Places(NamedTuple):
    """Where B windows begin."""

    episodes: np.ndarray  # int64 (B,), which episode
    starts: np.ndarray  # int64 (B,), steps since its beginning; past its end there is nothing but padding

    def after(self, steps: int) -> "Places":
        """Where the windows begin that follow on these, `steps` later."""
        return Places(self.episodes, self.starts + steps)

    def at(self, rows: slice) -> "Places":
        """Those of some of the windows."""
        return Places(self.episodes[rows], self.starts[rows])


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
        self._begin = np.cumsum(self._lengths) - self._lengths  # steps before each episode

    @property
    def steps(self) -> int:
        """Of all episodes together."""
        return int(self._lengths.sum())

    def sample(self, rng: np.random.Generator, batch: int, length: int) -> Batch:
        """Draw `batch` windows of `length` transitions, see `draw` and `gather`."""
        return self.gather(self.draw(rng, batch, length), length)

    def draw(self, rng: np.random.Generator, batch: int, length: int) -> Places:
        """Draw where `batch` windows of `length` transitions begin.

        A transition is drawn uniformly from all there are, then the place it takes in its window; a window that would
        stick out of its episode is moved inside. An episode shorter than `length` counts as one that is as long, and is
        padded, see `Batch`. So all steps but those near the ends of long episodes are as likely to be in a window.

        Args:
            rng: the only source of randomness: the same state gives the same batch.
            batch: number of windows, B.
            length: transitions per window, T.
        """
        if batch < 1 or length < 1:
            raise ValueError(f"batch and length must be at least 1, not {batch} and {length}")
        counted = np.maximum(self._lengths, length)
        ends = np.cumsum(counted)
        transitions = rng.integers(ends[-1], size=batch)
        offsets = rng.integers(length, size=batch)
        indices = np.searchsorted(ends, transitions, side="right")
        within = transitions - (ends[indices] - counted[indices])
        starts = np.clip(within - offsets, 0, counted[indices] - length)
        return Places(indices, starts)

    def go_on(self, places: Places) -> bool:
        """Whether any of the episodes has a transition left there."""
        return bool((places.starts < self._lengths[places.episodes]).any())

    def numbers(self, places: Places, length: int) -> np.ndarray:
        """Which of all steps the windows of `length` transitions hold that begin there, int64 (B, T).

        Past an episode's end it is the episode's last step.
        """
        within = np.minimum(places.starts[:, None] + np.arange(length), self._lengths[places.episodes][:, None] - 1)
        return self._begin[places.episodes][:, None] + within

    def gather(self, places: Places, length: int) -> Batch:
        """The windows of `length` transitions that begin there."""
        first, outcomes = self._episodes[0], self.outcomes(places, length)
        observations = np.empty((len(places.episodes), length + 1, *first.observations.shape[1:]), np.uint8)
        actions = np.zeros((*outcomes.mask.shape, *first.actions.shape[1:]), first.actions.dtype)
        for b, (episode, start, stop) in enumerate(self._slices(places, length)):
            count = stop - start
            observations[b, : count + 1] = episode.observations[start : stop + 1]
            observations[b, count + 1 :] = episode.observations[stop]
            actions[b, :count] = episode.actions[start:stop]
        return Batch(**vars(outcomes), observations=observations, actions=actions)

    def outcomes(self, places: Places, length: int) -> Outcomes:
        """What comes of the windows of `length` transitions that begin there; reads no frame."""
        shape = (len(places.episodes), length)
        outcomes = Outcomes(np.zeros(shape, np.float32), np.zeros(shape, bool), np.zeros(shape, bool))
        for b, (episode, start, stop) in enumerate(self._slices(places, length)):
            outcomes.rewards[b, : stop - start] = episode.rewards[start:stop]
            outcomes.terminated[b, : stop - start] = episode.terminated[start:stop]
            outcomes.mask[b, : stop - start] = True
        return outcomes

    def _slices(self, places: Places, length: int) -> Iterator[tuple[Episode, int, int]]:
        """The episode of each window and the steps of it that there are: start <= t < stop."""
        for index, start in zip(places.episodes.tolist(), places.starts.tolist(), strict=True):
            episode = self._episodes[index]
            start = min(start, len(episode))
            yield episode, start, min(start + length, len(episode))
