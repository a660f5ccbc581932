"""Rehearsal: the last few hundred events are judged again at every update.

An event is a step that ends the episode or brings another reward than usual. Few updates see more than a handful, and
what a handful has in common is mostly chance. So what the network noticed and knew at earlier ones is kept, and the
layers that judge it learn from all of these at once (a replay buffer, Lin 1992, of features instead of frames).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

REHEARSED = 512


class Events(NamedTuple):
    """N events, as they were judged when they were seen."""

    clues: Tensor  # (N, X) what was judged, see `dreamplay.network.Prediction`
    rewards: Tensor  # (N, R) probabilities of the reward bins
    terminated: Tensor  # (N,) 0 or 1

    @classmethod
    def joined(cls, parts: list[Events]) -> Events:
        """All events, in order."""
        return cls(*(torch.cat(part) for part in zip(*parts, strict=True)))

    def to(self, device: torch.device) -> Events:
        """On a device."""
        return Events(*(part.to(device) for part in self))

    def last(self) -> Events:
        """As many as are rehearsed."""
        return Events(*(part[-REHEARSED:] for part in self))


def rehearsal_loss(network: Any, events: Events) -> Tensor:
    """Mean loss of reward and termination, in nats, of events that are judged again.

    Args:
        network: has a `judged`.
        events: at least one.
    """
    reward, termination = network.judged(events.clues)
    rewards = -(events.rewards * F.log_softmax(reward.float(), -1)).sum(-1).mean()
    return rewards + F.binary_cross_entropy_with_logits(termination.float(), events.terminated)
