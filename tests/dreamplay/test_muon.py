"""Matrices move as far in rare directions as in frequent ones; everything else moves as Adam moves it."""

import pytest
import torch
from networks import palette_network
from torch import nn

from dreamplay.muon import (
    CONVOLUTIONS_DECAY,
    DECAY,
    LASTING_DECAY,
    MOMENTUM,
    RMS,
    Muon,
    _factor,
    _rounds,
    orthogonalised,
)
from dreamplay.starting import make_optimiser
from dreamplay.training import TrainConfig


def layers() -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(32, 5), nn.LayerNorm(5))
    network.register_parameter("place", nn.Parameter(torch.randn(4, 4)))
    return network


@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (16, 16)])
def test_singular_values_come_near_one_and_singular_vectors_stay(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    matrix = u @ torch.diag(torch.logspace(0, -1.5, len(s))) @ v  # the weakest a thirtieth of the strongest
    near = u.T @ orthogonalised(matrix) @ v.T
    assert 0.6 < near.diag().min() <= near.diag().max() < 1.3
    torch.testing.assert_close(near - near.diag().diag(), torch.zeros_like(near), atol=1e-3, rtol=0)


def test_the_rounds_of_a_wide_matrix_are_those_of_any_other():
    x = torch.randn(6, 40, generator=torch.Generator().manual_seed(2), dtype=torch.double)
    x = x / x.norm()
    torch.testing.assert_close(_factor(x @ x.T) @ x, _rounds(x))


def test_only_weights_of_layers_are_matrices():
    network = layers()
    matrices, others = (group["params"] for group in Muon(network, 0.1).param_groups)
    assert {id(p) for p in matrices} == {id(network[0].weight), id(network[2].weight)}
    assert {id(p) for p in matrices + others} == {id(p) for p in network.parameters()}


@pytest.mark.parametrize(
    ("layer", "lasts", "decay"), [(0, False, CONVOLUTIONS_DECAY), (2, False, DECAY), (2, True, LASTING_DECAY)]
)
def test_a_matrix_moves_along_its_momentum_made_even_and_decays_less_if_it_is_to_last(layer, lasts, decay):
    network = layers()
    weight = network[layer].weight
    optimiser = Muon(network, 0.1, lasting=network[layer] if lasts else None)
    before, momentum = weight.detach().clone(), torch.zeros_like(weight).flatten(1)
    for step in range(3):
        gradient = torch.randn(weight.shape, generator=torch.Generator().manual_seed(step))
        weight.grad = gradient.clone()
        optimiser.step()
        momentum = MOMENTUM * momentum + (1 - MOMENTUM) * gradient.flatten(1)
        even = orthogonalised(MOMENTUM * momentum + (1 - MOMENTUM) * gradient.flatten(1))
        before *= 1 - 0.1 * decay
        before -= 0.1 * RMS * max(momentum.shape) ** 0.5 * even.view_as(weight)
        torch.testing.assert_close(weight.detach(), before)


def test_in_training_what_sees_the_first_frame_is_to_last():
    network = palette_network()
    weights = {name: parameter for name, parameter in network.named_parameters() if parameter.dim() > 1}
    before = {name: weight.detach().clone() for name, weight in weights.items()}
    for weight in weights.values():
        weight.grad = torch.zeros_like(weight)  # nothing is learned, and matrices decay all the same
    make_optimiser(TrainConfig(updates=1, learning_rate=0.1), network).step()
    for name, decay in (
        ("first.0.weight", LASTING_DECAY),
        ("look.0.weight", DECAY),
        ("mix.weight", CONVOLUTIONS_DECAY),
    ):
        torch.testing.assert_close(weights[name].detach(), before[name] * (1 - 0.1 * decay))


def test_everything_else_moves_as_adam_moves_it():
    ours, theirs = layers(), layers()
    optimiser = Muon(ours, 0.01)
    adam = torch.optim.Adam([theirs.place, theirs[0].bias, theirs[3].weight], lr=0.01, eps=1e-6)
    for step in range(5):
        for own, other in zip((ours.place, ours[0].bias, ours[3].weight), adam.param_groups[0]["params"], strict=True):
            own.grad = torch.randn(own.shape, generator=torch.Generator().manual_seed(step))
            other.grad = own.grad.clone()
        optimiser.step()
        adam.step()
    torch.testing.assert_close(ours.place, theirs.place)
    torch.testing.assert_close(ours[0].bias, theirs[0].bias)
    torch.testing.assert_close(ours[3].weight, theirs[3].weight)
