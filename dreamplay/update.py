"""One update: what a batch costs, its gradient, and a step of the optimiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dreamplay.batches import Batch
from dreamplay.objective import Losses, objective
from dreamplay.own_loss import of_all_ranks
from dreamplay.ranks import Ranks
from dreamplay.recomputation import recomputed_objective

if TYPE_CHECKING:
    from dreamplay.training import Training


class Update:
    """Changes the weights, the state of the optimiser and the rehearsed events, all of them in place.

    Args:
        training: under way.
        own_loss: of its network, see `dreamplay.own_loss`.
        clip_norm: largest norm of a gradient.
        ranks: which one this is.
        check: raises an error if what it is told is not finite. A GPU would have to be waited for: it is not asked.
    """

    def __init__(
        self,
        training: Training,
        own_loss: nn.Module,
        clip_norm: float,
        ranks: Ranks,
        check: Callable[[Tensor], None],
    ) -> None:
        self._training, self._own_loss, self._clip_norm, self._ranks = training, own_loss, clip_norm, ranks
        self._check = check

    def __call__(self, batch: Batch) -> tuple[Losses, Tensor]:
        """The losses of the batch of all ranks, without gradient, and the norm of the gradient."""
        training = self._training
        compute = recomputed_objective if training.config.checkpoint_gradients else objective
        losses = Losses(
            *self._own_loss(
                compute, batch.targets, batch.stage, batch.start, batch.steps, training.rehearsed, batch.rare
            )
        )
        losses.total.backward()
        norm = torch.nn.utils.clip_grad_norm_(training.network.parameters(), self._clip_norm)
        losses = of_all_ranks(losses, self._ranks)
        if training.device.type == "cpu":
            self._check(losses.total + norm)
        training.optimiser.step()
        training.optimiser.zero_grad(set_to_none=True)
        training.rehearse(losses.events, self._ranks)
        return losses, norm


def set_rate(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Set the learning rate to a share of its highest."""
    for group in optimiser.param_groups:
        rate = group["initial_lr"] * factor
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate
