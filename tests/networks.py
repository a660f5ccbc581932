"""Small networks of every kind and batches for them, shared by the tests."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dreamplay.classic import ClassicNetwork, RawFrames
from dreamplay.frames import ColourFrames, PaletteFrames, Patches
from dreamplay.network import Network, NetworkConfig
from dreamplay.objective import Targets

SIZE, B, A, R = (10, 10), 2, 3, 2
CONFIG = NetworkConfig(features=8, hidden=12, canvas=3, glance=2, anchor=5, latents=0)  # no chance


def loud(network: Network) -> None:
    """As if trained: the layers that start at zero are random too."""
    for layer in (network.change, network.numbers):
        if layer is not None:
            torch.nn.init.normal_(layer.weight)


def palette_network() -> Network:
    torch.manual_seed(0)
    network = Network(PaletteFrames(Patches(SIZE, 2), np.array([[0], [9], [99]], np.uint8)), A, R, CONFIG)
    loud(network)
    return network


def colour_network() -> Network:
    torch.manual_seed(0)
    network = Network(ColourFrames(Patches(SIZE, 2), 1), A, R, CONFIG)
    loud(network)
    return network


def classic_network() -> ClassicNetwork:
    torch.manual_seed(0)
    return ClassicNetwork(RawFrames(np.array([0.3])), SIZE, A, R).eval()  # eval: no random slopes


every = pytest.mark.parametrize("make_network", [palette_network, colour_network, classic_network])


def batch_for(network: Any, steps: int) -> Targets:
    rng = np.random.default_rng(0)
    observations = rng.choice(np.array([0, 9, 99], np.uint8), (B, steps + 1, *SIZE, 1))
    return Targets(
        network.frames.encode(observations),
        torch.eye(A)[torch.from_numpy(rng.integers(0, A, (B, steps)))],
        torch.eye(R)[torch.from_numpy(rng.integers(0, R, (B, steps)))],
        torch.from_numpy(rng.integers(0, 2, (B, steps))).float(),
        torch.ones(B, steps),
        torch.from_numpy(rng.integers(0, 2, (B, steps))).bool(),
        torch.eye(R)[0],
    )


def gradients(network: torch.nn.Module, loss: Tensor) -> dict[str, Tensor]:
    """By parameter, those that the loss depends on."""
    network.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
