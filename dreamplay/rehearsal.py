"""Rehearsal: the last few hundred events are judged again at every update.

An event is a step that ends the episode or brings another reward than usual. Few updates see more than a handful, and
what a handful has in common is mostly chance. So what the network noticed and knew at earlier ones is kept, and the
layers that judge it learn from all of these at once (a replay buffer, Lin 1992, of features instead of frames). When an
event is seen, what it is judged by learns in full, but these layers only a tenth: the handful would drown all others,
and learned in full at both times an event would be held for likelier than it is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

REHEARSED = 512
REHEARSAL = 0.9  # of what the layers that judge learn from an event


class Events(NamedTuple):
    """N events, as they were judged when they were seen."""

    clues: Tensor  # (N, X) what was judged, see `dreamplay.network.Prediction`
    rewards: Tensor  # (N, R) probabilities of the reward bins
    terminated: Tensor  # (N,) 0 or 1
    rare: Tensor  # (N,) 1 for an event, 0 for what only fills the place of one

    @classmethod
    def none(cls, clues: int, rewards: int) -> Events:
        """Places for as many as are rehearsed, none of them taken: X clues, R reward bins."""
        return cls(*(torch.zeros(REHEARSED, *size) for size in ((clues,), (rewards,), (), ())))

    @classmethod
    def joined(cls, parts: list[Events]) -> Events:
        """All events, in order."""
        return cls(*(torch.cat(part) for part in zip(*parts, strict=True)))

    def to(self, device: torch.device) -> Events:
        """On a device."""
        return Events(*(part.to(device) for part in self))

    def alone(self) -> Events:
        """Without what is no event."""
        return Events(*(part[self.rare > 0] for part in self))

    def last(self) -> Events:
        """The last events of all, as many as are rehearsed; zeros before them if there are fewer."""
        order = self.rare.argsort(stable=True)[-REHEARSED:]
        rare = self.rare[order]
        return Events(*(part[order] * rare.view(-1, *[1] * (part.dim() - 1)) for part in self))


def rehearsal_loss(network: Any, events: Events) -> Tensor:
    """Mean loss of reward and termination, in nats, of events that are judged again.

    Args:
        network: has a `judged`.
        events: any number; 0 if none of them is one.
    """
    reward, termination = network.judged(events.clues)
    rewards, ends = event_losses(reward, termination, events.rewards, events.terminated)
    return ((rewards + ends) * events.rare).sum() / events.rare.sum().clamp(min=1)


def event_losses(reward: Tensor, termination: Tensor, rewards: Tensor, terminated: Tensor) -> tuple[Tensor, Tensor]:
    """Losses of reward and of termination in nats, (N,) each: logits (N, R) and (N,), truths (N, R) and (N,)."""
    ends = F.binary_cross_entropy_with_logits(termination.float(), terminated, reduction="none")
    return -(rewards * F.log_softmax(reward.float(), -1)).sum(-1), ends
