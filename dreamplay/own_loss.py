"""The loss of one rank's share of a batch, as the forward pass of a module: what DistributedDataParallel needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from dreamplay.acceleration import Acceleration
from dreamplay.curriculum import Stage
from dreamplay.objective import Losses, State, Targets
from dreamplay.ranks import Ranks


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
        self.network, self.acceleration, self.ranks = network, acceleration, ranks

    def forward(
        self,
        compute: Callable[..., Losses],
        targets: Targets,
        stage: Stage,
        start: State | None,
        steps: float,
    ) -> tuple[Tensor, Tensor, float, State | None]:
        """The fields of `Losses`.

        Args:
            compute: `objective`, or what equals it.
            targets: this rank's share.
            stage: of the batch.
            start: where its windows begin.
            steps: sum of the weights of all ranks.
        """
        with self.acceleration.autocast(targets.frames.device):
            losses = compute(self.network, targets, stage, start, go_on=stage.windows > 1)
        end = None if losses.end is None else {name: value.detach() for name, value in losses.end.items()}
        if self.ranks.count == 1:
            return losses.total, losses.parts, losses.steps, end
        share = self.ranks.count * losses.steps / max(1.0, steps)
        return losses.total * share, losses.parts * share, steps, end


def of_all_ranks(losses: Losses, ranks: Ranks) -> Losses:
    """The losses of the whole batch, without gradient."""
    means = ranks.sum(torch.stack([losses.total.detach(), *losses.parts])) / ranks.count
    return replace(losses, total=means[0], parts=means[1:])
