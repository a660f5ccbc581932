"""Gradient checkpointing: long windows in little memory, for a second forward pass.

A window of T steps is cut into pieces of about sqrt(T). Going forward, only the states between the pieces are kept;
going back, each piece is computed again, so that the activations of one piece exist at a time (Chen et al. 2016).
"""

from __future__ import annotations

from dataclasses import fields
from math import ceil
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from dreamplay.curriculum import Stage
from dreamplay.objective import Losses, State, Targets, objective
from dreamplay.rehearsal import Events

MEANS = [field.name for field in fields(Losses) if field.name in ("total", "parts")]


def recomputed_objective(
    network: Any, targets: Targets, stage: Stage, start: State | None = None, *, go_on: bool = True
) -> Losses:
    """`objective`, the same numbers and gradients from less memory."""
    length = len(stage.real)
    side = ceil(length**0.5)
    parts: list[tuple[float, dict[str, Any]]] = []  # steps and means of each piece
    events: list[Events] = []
    hardness: list[Tensor] = []
    for first in range(0, length, side):
        piece = (first, min(first + side, length))
        part: Losses = checkpoint(
            objective, network, targets.cut(*piece), stage.cut(*piece), start, go_on=True, use_reentrant=False
        )
        assert part.end is not None
        start = {name: value.clone() for name, value in part.end.items()}  # a view would keep its whole piece alive
        events.append(part.events)
        hardness.append(part.hardness)
        parts.append((part.steps.item(), {name: getattr(part, name) for name in MEANS}))
    steps = sum(count for count, _ in parts)
    means = {name: sum(count * mean[name] for count, mean in parts) / max(1.0, steps) for name in MEANS}
    return Losses(
        **means,
        steps=torch.tensor(steps, device=targets.frames.device),
        end=start,
        events=Events.joined(events),
        hardness=torch.cat(hardness, 1),
    )
