"""What a training takes from its data before it starts: frames to find the colours in, contexts to dream from."""

from __future__ import annotations

import numpy as np

from dreamplay.episodes import Episode
from dreamplay.errors import UserError

SAMPLES = 2000
CONTEXTS, CONTEXT_LENGTH = 32, 10


def sample_frames(episodes: list[Episode], rng: np.random.Generator) -> np.ndarray:
    """Up to 2000 observations (N, H, W, C) drawn evenly over the data, last ones included."""
    lengths = np.array([len(episode.observations) for episode in episodes])
    ends = lengths.cumsum()
    places = np.sort(rng.permutation(ends[-1])[:SAMPLES])
    where = np.searchsorted(ends, places, side="right")
    return np.stack([episodes[e].observations[p - ends[e] + lengths[e]] for e, p in zip(where, places, strict=True)])


def choose_contexts(episodes: list[Episode], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Real contexts to start dreams from, drawn over the data: observations (M, n, H, W, C), actions (M, n-1, ...)."""
    length = min(CONTEXT_LENGTH, max(len(episode) for episode in episodes))
    fitting = [episode for episode in episodes if len(episode) >= length]
    weights = np.array([len(episode) - length + 1 for episode in fitting], float)
    chosen = rng.choice(len(fitting), CONTEXTS, p=weights / weights.sum())
    starts = [int(rng.integers(len(fitting[i]) - length + 1)) for i in chosen]
    pairs = [(fitting[i], start) for i, start in zip(chosen, starts, strict=True)]
    return {
        "observations": np.stack([episode.observations[s : s + length] for episode, s in pairs]),
        "actions": np.stack([episode.actions[s : s + length - 1] for episode, s in pairs]),
    }


def check_finite(episodes: list[Episode], folder: object) -> None:
    """Refuses data that no training survives.

    Raises:
        UserError: a reward or an action is not a finite number.
    """
    for name in ("rewards", "actions"):
        if not all(np.isfinite(getattr(episode, name)).all() for episode in episodes):
            raise UserError(f"the data in {folder} hold {name} that are not finite numbers; collect them again")
