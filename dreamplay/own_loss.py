"""The loss of one rank's share of a batch, as the forward pass of a module: what DistributedDataParallel needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from dreamplay.acceleration import Acceleration
from dreamplay.curriculum import Stage
from dreamplay.objective import Losses, State, Targets
from dreamplay.ranks import Ranks
from dreamplay.rehearsal import REHEARSAL, Events, rehearsal_loss


class OwnLoss(nn.Module):
    """Scaled so that its mean over the ranks is the mean loss per step of the whole batch.

    Each rank's steps weigh differently much, for episodes end and steps are thinned out: a mean of their means would be
    another loss.

    Args:
        network: learns.
        acceleration: how it computes.
        ranks: how many there are.
    """

    def __init__(self, network: nn.Module, acceleration: Acceleration, ranks: Ranks) -> None:
        super().__init__()
        self.network: Any = network
        self.acceleration, self.ranks = acceleration, ranks

    def forward(
        self,
        compute: Callable[..., Losses],
        targets: Targets,
        stage: Stage,
        start: State | None,
        steps: Tensor,
        rehearsed: Events | None,
        rare: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, State | None, Events, Tensor]:
        """The fields of `Losses`.

        Args:
            compute: `objective`, or what equals it.
            targets: this rank's share.
            stage: of the batch.
            start: where its windows begin.
            steps: how many of all ranks the losses stand for.
            rehearsed: earlier events, the same on all ranks.
            rare: share of the events in these: rehearsed ones weigh as much as they do.
        """
        with self.acceleration.autocast(targets.frames.device):
            losses = compute(self.network, targets, stage, start, go_on=stage.windows > 1)
        end = None if losses.end is None else {name: value.detach() for name, value in losses.end.items()}
        share = self.ranks.count * losses.steps / steps.clamp(min=1)
        total = losses.total * share
        if rehearsed is not None:
            total = total + self.network.event_weight * REHEARSAL * rare * rehearsal_loss(self.network, rehearsed)
        return total, losses.parts * share, steps, end, losses.events, losses.hardness


def of_all_ranks(losses: Losses, ranks: Ranks) -> Losses:
    """The losses of the whole batch, without gradient."""
    means = ranks.sum(torch.stack([losses.total.detach(), *losses.parts])) / ranks.count
    return replace(losses, total=means[0], parts=means[1:])
