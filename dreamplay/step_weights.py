"""Which steps of a batch carry a loss: all that is rare, and some of the rest, weighted so that the mean is kept.

To remember takes long windows, which cost little to go along; to predict a frame costs much. So windows may hold many
more steps than are predicted. Steps that hold an event (an end, or a reward other than the usual one) are kept first,
for most windows hold none or one; and of both kinds what is hard to predict, see `dreamplay.hardness`, more often than
what is easy. Weights are the inverse of the chance to be kept, so that the expected loss is that of all steps (Horvitz
and Thompson 1952).
"""

from __future__ import annotations

import numpy as np

from dreamplay.windows import Outcomes


def counted(batch: Outcomes, warm_up: int) -> np.ndarray:
    """bool (B, T): the steps whose losses are to count, all but those past an episode's end and in the warm-up."""
    return batch.mask & (np.arange(batch.mask.shape[1]) >= warm_up)


def step_weights(
    batch: Outcomes, warm_up: int, predicted: int | None, hardness: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """float32 (B, T): 0 for steps that are not `counted` or are left out, at least 1 for those that are kept.

    Args:
        batch: B windows of T steps.
        warm_up: leading steps that carry no loss.
        predicted: most steps to keep; None = all.
        hardness: (B, T) above 0: one step is kept twice as often as another that is half as hard.
        rng: draws which ones.
    """
    count = counted(batch, warm_up)
    if predicted is None or count.sum() <= predicted:
        return count.astype(np.float32)
    events = count & eventful(batch)
    weights = np.zeros(count.shape, np.float32)
    room = predicted
    for group, most in ((events, predicted // 2), (count & ~events, predicted)):
        places = rng.permutation(np.flatnonzero(group))
        chances = _chances(hardness.flat[places], min(most, room))
        # Each place where a ruler with marks at whole numbers, laid anywhere, has one: so many of them, and not more.
        kept = np.diff(np.floor(np.cumsum([0.0, *chances]) + rng.random())) > 0
        weights.flat[places[kept]] = 1 / chances[kept]
        room -= int(kept.sum())
    return weights


def _chances(hardness: np.ndarray, room: int) -> np.ndarray:
    """Float (N,), at most 1: in proportion to hardness where that leaves it so; they add up to `room`, or to N."""
    chances = np.ones(len(hardness))
    sure = np.full(len(hardness), len(hardness) <= room)
    while not sure.all():
        chances[~sure] = hardness[~sure] * (room - sure.sum()) / hardness[~sure].sum()
        if not (above := chances > 1).any():
            break
        chances[above], sure = 1.0, sure | above
    return chances


def eventful(batch: Outcomes) -> np.ndarray:
    """bool (B, T): the episode ends, or the reward is not the batch's most frequent one."""
    values, counts = np.unique(batch.rewards[batch.mask], return_counts=True)
    usual = values[counts.argmax()] if len(values) else 0.0
    return batch.terminated | (batch.rewards != usual)
