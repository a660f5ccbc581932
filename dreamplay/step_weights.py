"""Which steps of a batch carry a loss: all that is rare, and a share of the rest, weighted so that the mean is kept.

To remember takes long windows, which cost little to go along; to predict a frame costs much. So windows may hold many
more steps than are predicted. Steps that hold an event (an end, or a reward other than the usual one) are kept first,
for most windows hold none or one: the rest are thinned out at random. Weights are the inverse of the chance to be kept,
so that the expected loss is that of all steps (Horvitz and Thompson 1952).
"""

from __future__ import annotations

import numpy as np

from dreamplay.windows import Outcomes


def step_weights(batch: Outcomes, warm_up: int, predicted: int | None, rng: np.random.Generator) -> np.ndarray:
    """float32 (B, T): 0 for steps past an episode's end, in the warm-up, or left out; their sum is that of all others.

    Args:
        batch: B windows of T steps.
        warm_up: leading steps that carry no loss.
        predicted: most steps to keep; None = all.
        rng: draws which ones.
    """
    counted = batch.mask.copy()
    counted[:, :warm_up] = False
    if predicted is None or counted.sum() <= predicted:
        return counted.astype(np.float32)
    events = counted & eventful(batch)
    weights = np.zeros(counted.shape, np.float32)
    room = predicted
    for group, most in ((events, predicted // 2), (counted & ~events, predicted)):
        places = np.flatnonzero(group)
        kept = rng.permutation(places)[: min(most, room)]
        weights.flat[kept] = len(places) / max(1, len(kept))
        room -= len(kept)
    return weights


def eventful(batch: Outcomes) -> np.ndarray:
    """bool (B, T): the episode ends, or the reward is not the batch's most frequent one."""
    values, counts = np.unique(batch.rewards[batch.mask], return_counts=True)
    usual = values[counts.argmax()] if len(values) else 0.0
    return batch.terminated | (batch.rewards != usual)
