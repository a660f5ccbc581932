"""Rehearsal: the last few hundred events are judged again at every update.

An event is a step that ends the episode or brings another reward than usual. Few updates see more than a handful, and
what a handful has in common is mostly chance. So what the network noticed and knew at earlier ones is kept, and the
layers that judge it learn from all of these at once which event it was (a replay buffer, Lin 1992, of features instead
of frames); of the handful they learn but a tenth of that, for it would drown all others. Whether a step is an event
they learn from every step as it comes: a few hundred events they would know by heart, and see none elsewhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

Judged = tuple[Tensor, Tensor]  # logits of reward (N, R) and termination (N,)

REHEARSED = 512
REHEARSAL = 0.9  # of what the layers that judge learn about which event it was
NEVER = -1e-6  # log-probability of no event, at most: that of an event is finite


class Events(NamedTuple):
    """N events, as they were judged when they were seen."""

    clues: Tensor  # (N, X) what was judged, see `dreamplay.network.Prediction`
    rewards: Tensor  # (N, R) probabilities of the reward bins
    terminated: Tensor  # (N,) 0 or 1
    usual: Tensor  # (N, R) probabilities of the reward bins where there is no event; 0 if there always is one
    rare: Tensor  # (N,) 1 for an event, 0 for what only fills the place of one

    @classmethod
    def none(cls, clues: int, rewards: int) -> Events:
        """Places for as many as are rehearsed, none of them taken: X clues, R reward bins."""
        return cls(*(torch.zeros(REHEARSED, *size) for size in ((clues,), (rewards,), (), (rewards,), ())))

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
    """Mean loss of which events they were, in nats, of events that are judged again.

    Args:
        network: has a `judged`.
        events: any number; 0 if none of them is one.
    """
    losses = which_losses(network.judged(events.clues), events.rewards, events.terminated, events.usual)
    return (losses * events.rare).sum() / events.rare.sum().clamp(min=1)


def event_losses(judged: Judged, rewards: Tensor, terminated: Tensor) -> tuple[Tensor, Tensor]:
    """Losses of reward and of termination in nats, (N,) each, of logits and truths (N, R) and (N,)."""
    reward, termination = judged
    ends = F.binary_cross_entropy_with_logits(termination.float(), terminated, reduction="none")
    return -(rewards * F.log_softmax(reward.float(), -1)).sum(-1), ends


def which_losses(judged: Judged, rewards: Tensor, terminated: Tensor, usual: Tensor) -> Tensor:
    """The part (N,) of both losses that is left once it is known that there is an event; see `Events`."""
    reward, termination = judged
    none = (usual * F.log_softmax(reward.float(), -1)).sum(-1) + F.logsigmoid(-termination.float())
    some = torch.log(-torch.expm1(none.clamp(max=NEVER))) * usual.sum(-1)
    return sum(event_losses(judged, rewards, terminated)) + some
