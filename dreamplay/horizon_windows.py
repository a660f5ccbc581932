"""Which stretches of held-out episodes a dream is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from dreamplay.episodes import Episode

CONTEXT = 10
LONG_STEPS, LONG_EVERY = 100, 4
BATCH_BYTES = 256 * 2**20
BATCH_WINDOWS = 64


@dataclass(frozen=True)
class Window:
    """A context inside an episode and the steps that follow it.

    Args:
        episode: where it lies.
        start: index of the first context frame.
        context: n, number of context frames.
        steps: T, steps from the last context frame on; they end with the episode or earlier.
        counts_from: 0, or the horizon from which on a further window counts, see `dreamplay.further_windows`.
    """

    episode: Episode
    start: int
    context: int
    steps: int
    counts_from: int = 0

    @property
    def now(self) -> int:
        """Index of the last context frame: the first dreamed step takes action[now], predicts observation[now + 1]."""
        return self.start + self.context - 1

    @property
    def context_observations(self) -> np.ndarray:
        """uint8 (n, H, W, C)."""
        return np.asarray(self.episode.observations[self.start : self.now + 1])

    @property
    def context_actions(self) -> np.ndarray:
        """(n - 1, ...)."""
        return np.asarray(self.episode.actions[self.start : self.now])

    def future(self, array: np.ndarray) -> np.ndarray:
        """The T entries of a per-transition array of the episode that belong to the steps."""
        return np.asarray(array[self.now : self.now + self.steps])

    def true_frames(self, horizons: np.ndarray) -> np.ndarray:
        """What was seen that many steps (J,) after the context: uint8 (J, H, W, C)."""
        return np.asarray(self.episode.observations[self.now + horizons])

    @property
    def ends(self) -> bool:
        """Whether the last step ends the episode by the environment's own rules."""
        return bool(self.future(self.episode.terminated)[-1])

    @property
    def decided(self) -> np.ndarray:
        """bool (T,): up to and including this step nothing drew on chance, so the past determines the frame."""
        return ~np.logical_or.accumulate(self.future(self.episode.chance))


def choose_windows(
    episodes: Sequence[Episode], count: int, horizon: int, rng: np.random.Generator, context: int = CONTEXT
) -> list[Window]:
    """Draws windows without replacement, every possible start equally likely; all of them when there are no more.

    Every fourth window goes on past 100 steps, for long dreams cost the most and say the same of the first steps. An
    episode shorter than the context gives half of its frames as context, at least one, so that something is left to
    dream. Episodes without a step give no window.

    Args:
        episodes: held-out ones.
        count: most windows.
        horizon: most steps after the context.
        rng: draws the starts.
        context: wanted number of context frames.
    """
    possible = []  # (episode, context, starts)
    for episode in episodes:
        n = context if len(episode) >= context else max(1, len(episode) // 2)
        possible.append((episode, n, max(0, len(episode) - n + 1)))
    ends = np.cumsum([0] + [starts for *_, starts in possible])
    total = int(ends[-1])
    chosen = np.sort(rng.choice(total, min(count, total), replace=False)) if total else np.empty(0, np.int64)
    windows = []
    for number, place in enumerate(chosen):
        index = int(np.searchsorted(ends, place, side="right")) - 1
        episode, n, _ = possible[index]
        start = int(place - ends[index])
        longest = horizon if number % LONG_EVERY == 0 else min(horizon, LONG_STEPS)
        windows.append(Window(episode, start, n, min(longest, len(episode) - (start + n - 1))))
    return windows


def batches(windows: Sequence[Window]) -> Iterator[list[int]]:
    """Indices of windows to roll out together: of one context length, similar in steps, bounded in memory."""
    order = sorted(range(len(windows)), key=lambda i: (-windows[i].context, -windows[i].steps))
    for _, group in groupby(order, key=lambda i: windows[i].context):
        rest = list(group)
        while rest:
            first = windows[rest[0]]  # the longest of those left
            frame = int(np.prod(first.episode.observations.shape[1:]))
            size = max(1, min(BATCH_WINDOWS, BATCH_BYTES // (frame * first.steps)))
            yield rest[:size]
            rest = rest[size:]


def inputs(windows: Sequence[Window], steps: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observations (B, n, H, W, C) and actions (B, n-1, ...) of the context, and actions (B, T, ...) of the future.

    T is the longest window's, or `steps` if that is more. Windows that are over before go on with their last action,
    and no frame of that is for anybody to read.
    """
    longest = max(steps, *(window.steps for window in windows))
    futures = [window.future(window.episode.actions) for window in windows]
    padded = [np.concatenate([f, np.repeat(f[-1:], longest - len(f), 0)]) for f in futures]
    observations = np.stack([window.context_observations for window in windows])
    return observations, np.stack([window.context_actions for window in windows]), np.stack(padded)
