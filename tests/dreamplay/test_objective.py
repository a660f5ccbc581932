"""The objective: which inputs a window takes, what carries loss and gradient, weights applied to the letter."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from networks import (
    CONFIG,
    A,
    B,
    R,
    batch_for,
    classic_network,
    colour_network,
    every,
    gradients,
    loud,
    palette_network,
)
from torch import Tensor

from dreamplay.classic import RawFrames
from dreamplay.curriculum import Stage, window
from dreamplay.frames import PaletteFrames, Patches
from dreamplay.hardness import UNKNOWN
from dreamplay.network import Hidden, Network, Prediction
from dreamplay.objective import Targets, imagine, objective

STAGE = Stage((True, True, False, False, True, False))
T = len(STAGE.real)


def walk(network: Any, frames: Tensor, actions: Tensor, stage: Stage) -> tuple[Prediction, Tensor]:
    """The definition, one step after the other: predictions and inputs (B, T, ...)."""
    hidden, inputs, predictions = network.initial(frames[:, 0]), [], []
    for t, real in enumerate(stage.real):
        inputs.append(frames[:, t] if real else network.frames.most_likely(predictions[-1].frame))
        prediction, hidden = network.step(inputs[-1], actions[:, t], hidden)
        predictions.append(prediction)
    return Prediction(*(torch.stack(parts, 1) for parts in zip(*predictions, strict=True))), torch.stack(inputs, 1)


def assert_close(first: Prediction, second: Prediction) -> None:
    """Of N steps each, whether in rows of windows (B, T, ...) or one after the other (N, ...)."""
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a.flatten(), b.flatten(), rtol=1e-4, atol=1e-4)


@every
def test_with_real_inputs_only_a_window_is_unrolled(make_network):
    network = make_network()
    batch = batch_for(network, T)
    frames = batch.frames[:, :-1]
    expected, _ = network.unroll(frames, batch.actions, network.initial(frames[:, 0]))
    assert_close(imagine(network, frames, batch.actions, window(T))[0], expected)
    assert_close(imagine(network, frames, batch.actions, window(T, warm_up=2))[0], expected)


@every
def test_predicted_inputs_are_the_networks_own_most_likely_frames(make_network):
    network = make_network()
    batch = batch_for(network, T)
    frames = batch.frames[:, :-1]
    expected, inputs = walk(network, frames, batch.actions, STAGE)
    assert_close(imagine(network, frames, batch.actions, STAGE)[0], expected)
    for t, real in enumerate(STAGE.real):
        assert torch.equal(inputs[:, t], frames[:, t]) == real  # and they do differ


@every
@pytest.mark.parametrize("cut", [2, 3, 4], ids=["predicted next", "predicted on both sides", "real next"])
def test_a_window_goes_on_where_the_one_before_ended(make_network, cut):
    network = make_network()
    batch = batch_for(network, T)
    frames = batch.frames[:, :-1]
    whole, end = imagine(network, frames, batch.actions, STAGE, go_on=True)
    first, middle = imagine(network, frames[:, :cut], batch.actions[:, :cut], STAGE.cut(0, cut), go_on=True)
    second, last = imagine(network, frames[:, cut:], batch.actions[:, cut:], STAGE.cut(cut, T), middle, go_on=True)
    parts = zip(first, second, strict=True)
    assert_close(
        Prediction(*(torch.cat([a.unflatten(0, (B, -1)), b.unflatten(0, (B, -1))], 1) for a, b in parts)), whole
    )
    assert last.keys() == end.keys() == {"frame", *network.initial(frames[:, 0])}
    for name, value in end.items():
        torch.testing.assert_close(last[name], value, rtol=1e-4, atol=1e-4)
    losses = [
        objective(network, batch, STAGE),
        objective(network, batch.cut(0, cut), STAGE.cut(0, cut)),
        objective(network, batch.cut(cut, T), STAGE.cut(cut, T), middle),
    ]
    assert [loss.steps for loss in losses] == [B * T, B * cut, B * (T - cut)]
    torch.testing.assert_close(losses[0].total * T, losses[1].total * cut + losses[2].total * (T - cut))


@pytest.mark.parametrize("make_network", [palette_network, colour_network])
def test_no_gradient_flows_through_the_default_networks_own_frames(make_network):
    network = make_network()
    batch = batch_for(network, T)
    frames = batch.frames[:, :-1]
    imagined = gradients(network, imagine(network, frames, batch.actions, STAGE)[0].frame[T - 1 :: T].square().sum())
    with torch.no_grad():
        _, inputs = walk(network, frames, batch.actions, STAGE)
    given, _ = network.unroll(inputs, batch.actions, network.initial(inputs[:, 0]))
    expected = gradients(network, given.frame[:, -1].square().sum())
    assert imagined.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(imagined[name], gradient, rtol=1e-3, atol=1e-3)


def test_a_dream_is_told_though_the_prediction_from_it_is_not():
    torch.manual_seed(0)
    network: Any = Network(palette_network().frames, A, R, replace(CONFIG, latents=2))
    loud(network)
    batch = batch_for(network, T)
    frames, truth = batch.frames[:, :-1], batch.frames[:, 1:]
    noise = torch.rand(B, T, *network.latent) + 0.1
    inputs, observe = [], network.observe

    def observed(given: Tensor, *arguments: Tensor) -> Any:
        inputs.append(given)
        return observe(given, *arguments)

    network.observe = observed
    seen = []
    for told in (None, torch.zeros(B, T)):
        prediction, _ = imagine(network, frames, batch.actions, STAGE, truth=truth, noise=noise, told=told)
        seen.append((inputs[-1], prediction.surprise))
    assert torch.equal(seen[0][0], seen[1][0]) and not torch.equal(seen[0][0], frames)
    assert seen[0][1].any() and not seen[1][1].any()


class CutFrames(RawFrames):
    """Frames through which no gradient flows back."""

    def most_likely(self, prediction: Tensor) -> Tensor:
        return prediction.detach()


def test_gradients_flow_through_the_classic_networks_own_frames():
    network = classic_network().double()
    batch = batch_for(network, T)
    frames, actions, bias = batch.frames[:, :-1].double(), batch.actions.double(), network.decoder[-1].bias

    def last() -> Tensor:
        """A reward, which knows of the decoder only by the frames fed back."""
        return imagine(network, frames, actions, window(2, 3))[0].reward[4::5, 0].sum()

    gradient = gradients(network, last())["decoder.0.bias"].item()
    with torch.no_grad():
        small = 1e-4
        bias += small
        above = last().item()
        bias -= 2 * small
        below = last().item()
        bias += small
    assert gradient == pytest.approx((above - below) / (2 * small), rel=1e-4)
    assert abs(gradient) > 1e-6
    network.frames = CutFrames(network.frames.mean)
    assert "decoder.0.bias" not in gradients(network, last())


@pytest.mark.parametrize("real", [(True,) * 5, (True, True, True, False, False)])
def test_no_gradient_flows_into_the_classic_networks_warm_up(real):
    network = classic_network()
    batch = batch_for(network, 5)

    def reach(batch: Targets, stage: Stage) -> list[bool]:
        """Whether the loss has a gradient with respect to each frame."""
        frames = batch.frames.clone().requires_grad_()
        objective(network, batch._replace(frames=frames), stage).total.backward()
        assert frames.grad is not None
        return [bool(frames.grad[:, t].any()) for t in range(6)]

    late = batch.weights.clone()
    late[:, :3] = 0
    assert reach(batch, Stage(real, warm_up=3)) == [False, False, False, real[3], True, True]
    assert reach(batch._replace(weights=late), Stage(real)) == [True, True, True, real[3], True, True]


@every
def test_padding_carries_no_loss(make_network):
    network = make_network()
    batch = batch_for(network, T)
    mask = batch.weights.clone()
    mask[1, 3:] = 0
    padded = batch._replace(weights=mask)
    changed = padded._replace(
        frames=batch.frames.clone(),
        actions=batch.actions.clone(),
        rewards=batch.rewards.clone(),
        terminated=batch.terminated.clone(),
    )
    changed.frames[1, 4:] = batch.frames[0, 4:]
    changed.actions[1, 3:] = batch.actions[1, 3:].roll(1, -1)
    changed.rewards[1, 3:] = 1 - batch.rewards[1, 3:]
    changed.terminated[1, 3:] = 1 - batch.terminated[1, 3:]
    first, second = objective(network, padded, STAGE), objective(network, changed, STAGE)
    torch.testing.assert_close(first.total, second.total)
    assert first.total.item() != pytest.approx(objective(network, batch, STAGE).total.item(), rel=1e-4)
    one, two = gradients(network, first.total), gradients(network, second.total)
    for name, gradient in one.items():
        torch.testing.assert_close(gradient, two[name], rtol=1e-3, atol=1e-3)


@every
def test_a_wholly_padded_batch_is_worth_nothing(make_network):
    network = make_network()
    batch = batch_for(network, T)
    losses = objective(network, batch._replace(weights=torch.zeros(B, T)), STAGE)
    assert losses.total.item() == losses.frame == losses.reward == losses.termination == 0


@every
def test_the_warm_up_carries_no_loss(make_network):
    network = make_network()
    batch = batch_for(network, T)
    masked = batch.weights.clone()
    masked[:, :2] = 0
    warm = objective(network, batch, Stage(STAGE.real, warm_up=2))
    torch.testing.assert_close(warm.total, objective(network, batch._replace(weights=masked), STAGE).total)
    assert batch.weights.all()  # the batch itself is left alone


class Rows(NamedTuple):
    """Moments that know nothing."""

    known: Tensor

    def at(self, rows: Tensor) -> "Rows":
        return Rows(self.known[rows])


class OnePixel:
    """A network of fixed answers on frames of one pixel and two colours: the second has logit 1, the first 0."""

    learns_through_predictions = False
    event_weight = 3.0
    clues = 0  # nothing is judged again
    frames = PaletteFrames(Patches((1, 1), 1), np.array([[0], [255]], np.uint8))

    def initial(self, frame: Tensor) -> Hidden:
        return {}

    def observe(self, frames: Tensor, actions: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        return Rows(actions.flatten(0, 1)), hidden

    def predict(self, moments: Any, truth: Tensor | None = None, **noise: Any) -> Prediction:
        n = len(moments.known)
        frame = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2, 1).expand(n, -1, -1, -1, -1)
        return Prediction(
            frame,
            torch.tensor([0.0, 2.0]).expand(n, 2),
            torch.full((n,), -3.0),
            torch.full((n,), 0.25),
            torch.arange(n).view(n, 1),
        )


def test_the_loss_is_the_log_likelihood_of_a_window():
    codes = torch.tensor([0, 1, 1, 0], dtype=torch.uint8).view(1, 4, 1, 1, 1)  # moves, stays, moves back
    batch = Targets(
        codes,
        torch.zeros(1, 3, 1),
        torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]]),
        torch.tensor([[0.0, 0.0, 1.0]]),
        torch.ones(1, 3),
        torch.tensor([[True, False, True]]),
        torch.zeros(2),
    )
    first, second = math.log(1 + math.e), math.log(1 + math.e) - 1  # of the colours
    frame = (second + second + first) / 3
    low, high = math.log(1 + math.e**2), math.log(1 + math.e**2) - 2
    reward = (low + high + (low + high) / 2) / 3
    goes_on, ends = math.log(1 + math.exp(-3)), math.log(1 + math.exp(3))
    termination = (goes_on + goes_on + ends) / 3
    losses = objective(OnePixel(), batch, window(3))
    assert losses.frame == pytest.approx(frame)
    assert losses.reward == pytest.approx(reward)
    assert losses.termination == pytest.approx(termination)
    assert losses.surprise == pytest.approx(0.25)
    assert losses.events.clues.flatten().tolist() == [0, 1, 2] and losses.events.rare.tolist() == [1, 0, 1]
    assert torch.equal(losses.events.rewards, batch.rewards[0]) and losses.events.terminated.tolist() == [0, 0, 1]
    assert losses.total.item() == pytest.approx(frame + 3 * (reward + termination) + 0.25)


def test_the_classic_frame_loss_is_the_mean_squared_norm_of_a_step():
    network = classic_network()
    batch = batch_for(network, T)
    with torch.no_grad():
        expected, _ = walk(network, batch.frames[:, :-1], batch.actions, STAGE)
        losses = objective(network, batch, STAGE)
    norms = ((expected.frame - batch.frames[:, 1:]) ** 2).flatten(2).sum(-1)
    assert losses.frame == pytest.approx(norms.mean().item() / 2, rel=1e-4)


def test_weights_are_those_of_the_mean_and_spare_what_they_leave_out():
    network = palette_network()
    batch = batch_for(network, 4)
    weights = torch.tensor([[0.0, 2.0, 0.0, 1.0], [0.0, 0.0, 0.5, 0.0]])
    predicted = []
    network.change.register_forward_hook(lambda module, inputs, output: predicted.append(len(output)))
    losses = objective(network, batch._replace(weights=weights), window(4))
    assert predicted == [3] and losses.steps == 3.5
    alone = [objective(network, batch._replace(weights=torch.eye(8)[i].view(2, 4)), window(4)).total for i in (1, 3, 6)]
    torch.testing.assert_close(losses.total, (2 * alone[0] + alone[1] + 0.5 * alone[2]) / 3.5)
    assert losses.hardness.flatten()[[1, 3, 6]].tolist() == pytest.approx([total.item() for total in alone], rel=1e-4)
    assert (losses.hardness.flatten()[[0, 2, 4, 5, 7]] == UNKNOWN).all()
    filled = batch._replace(weights=weights)
    losses = objective(network, filled._replace(chosen=filled.choose(0, 6)), window(4))  # to be of one shape on a GPU
    assert predicted[-1] == 6
    assert (losses.hardness != UNKNOWN).flatten().nonzero().flatten().tolist() == [1, 3, 6]
