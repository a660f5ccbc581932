"""Gradient checkpointing: the same losses and gradients, from far fewer kept activations."""

from typing import Any

import pytest
import torch
from networks import batch_for, classic_network, every, gradients, palette_network
from torch import Tensor

from dreamplay.curriculum import Stage, window
from dreamplay.objective import Losses, Targets, objective
from dreamplay.recomputation import recomputed_objective

STAGES = {
    "real": window(9),
    "predicted": window(3, 7),
    "mixed": Stage((True, True, False, True, False, False, True, False, True, True, False)),
    "warm-up": window(5, 6, warm_up=4),
    "warm-up alone in the first piece": window(5, 6, warm_up=5),
}


@every
@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_losses_and_gradients_are_the_same(make_network, stage):
    network = make_network()
    batch = batch_for(network, len(stage.real))
    batch.weights[1, 6:] = 0
    one, other = objective(network, batch, stage, go_on=True), recomputed_objective(network, batch, stage)
    assert other.total.item() == pytest.approx(one.total.item(), rel=1e-5)
    for name in ("frame", "reward", "termination"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-5)
    assert one.steps == other.steps == int(batch.weights[:, stage.warm_up :].sum())
    for name, value in one.end.items():
        torch.testing.assert_close(other.end[name], value, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(other.hardness, one.hardness, rtol=1e-4, atol=1e-4)
    expected, recomputed = gradients(network, one.total), gradients(network, other.total)
    assert expected.keys() == recomputed.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(recomputed[name], gradient, rtol=1e-3, atol=1e-4)


def test_it_goes_on_from_a_carried_state():
    network = palette_network()
    batch, stage = batch_for(network, 12), window(6)
    start = objective(network, batch.cut(0, 6), stage, go_on=True).end
    start = {name: value.detach() for name, value in start.items()}
    one = objective(network, batch.cut(6, 12), stage, start)
    other = recomputed_objective(network, batch.cut(6, 12), stage, start)
    assert other.total.item() == pytest.approx(one.total.item(), rel=1e-5)
    assert other.total.item() != pytest.approx(objective(network, batch.cut(6, 12), stage).total.item(), rel=1e-5)


def test_random_numbers_of_the_second_pass_are_those_of_the_first():
    """The classic network's random slopes: the gradients are those of the pieces one after the other, kept."""
    network = classic_network().train()
    batch, stage = batch_for(network, 4), window(2, 2)
    torch.manual_seed(5)
    first = objective(network, batch.cut(0, 2), stage.cut(0, 2), go_on=True)
    second = objective(network, batch.cut(2, 4), stage.cut(2, 4), first.end)
    expected = gradients(network, (first.total + second.total) / 2)
    after = torch.rand(1)
    torch.manual_seed(5)
    recomputed = gradients(network, recomputed_objective(network, batch, stage).total)
    assert torch.equal(torch.rand(1), after)
    for name, gradient in expected.items():
        torch.testing.assert_close(recomputed[name], gradient, rtol=1e-5, atol=1e-6)


def kept(compute: Any, network: Any, batch: Targets, stage: Stage) -> int:
    """Bytes that the forward pass keeps for the backward pass."""
    total = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal total
        total += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        losses: Losses = compute(network, batch, stage)
    assert losses.total.requires_grad
    return total


@every
def test_nothing_is_kept_but_the_states_between_pieces(make_network):
    network = make_network()
    batch = batch_for(network, 16)
    assert kept(objective, network, batch, window(16)) > 100_000
    assert kept(recomputed_objective, network, batch, window(16)) == 0  # states are arguments of the pieces
