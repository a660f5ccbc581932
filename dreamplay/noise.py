"""PyTorch's random generator, borrowed for a training and given back as it was.

A network may draw random numbers of its own while it trains (the classic one does). They belong to the state of the
training.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def noise_state(device: torch.device) -> Tensor:
    """State of the generator that networks on this device draw from, bytes."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


@contextmanager
def own_noise(device: torch.device, start: Tensor | int) -> Iterator[None]:
    """Within, networks on this device draw from a generator of their own.

    Args:
        device: where the network is.
        start: a `noise_state` of this kind of device, or a seed.
    """
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        if isinstance(start, int):
            torch.manual_seed(start)
        elif device.type == "cuda":
            torch.cuda.set_rng_state(start, device)
        else:
            torch.set_rng_state(start)
        yield
