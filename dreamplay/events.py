"""Rewards and terminations as events that a dream must place on exactly the right step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Events(NamedTuple):
    """Per step, bool (T,): an event happened, an event was dreamed, and the two are the same event."""

    true: np.ndarray
    dreamed: np.ndarray
    hit: np.ndarray


def reward_events(true: np.ndarray, dreamed: np.ndarray, floor: float) -> Events:
    """A true event is a reward that is not zero.

    It is hit by a dreamed reward of the same sign at the same step that is less than half its value off.

    Args:
        true: rewards (T,).
        dreamed: rewards (T,), which a simulator may smear over steps: only those larger than `floor` are events.
        floor: from `reward_floor`.
    """
    hit = (true != 0) & (np.sign(true) == np.sign(dreamed)) & (np.abs(dreamed - true) < 0.5 * np.abs(true))
    return Events(true != 0, np.abs(dreamed) > floor, hit)


def reward_floor(rewards: np.ndarray) -> float:
    """Half the size of the smallest reward that is not zero: no smaller dreamed one can hit. Without rewards 0.5."""
    sizes = np.abs(rewards[rewards != 0])
    return 0.5 * float(sizes.min()) if sizes.size else 0.5


def terminations(true: np.ndarray, probability: np.ndarray) -> Events:
    """The end of an episode, bool (T,), and the dreamed one: a probability above one half, (T,)."""
    dreamed = probability > 0.5
    return Events(true.astype(bool), dreamed, true & dreamed)
