"""The classic network against the paper: its sizes, its equations computed by hand, frames restored exactly."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dreamplay.classic import LAYERS, ClassicNetwork, RawFrames, fit_layers, output_padding
from dreamplay.network import Prediction

MEAN = np.array([0.2, 0.5, 0.1])


def small_network(size: tuple[int, int] = (10, 11), seed: int = 0) -> ClassicNetwork:
    torch.manual_seed(seed)
    return ClassicNetwork(RawFrames(MEAN), size, 3, 2).eval()


def random_frames(network: ClassicNetwork, *shape: int) -> Tensor:
    return network.frames.encode(np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8))


def random_actions(*lead: int) -> Tensor:
    return torch.eye(3)[torch.randint(0, 3, lead)]


def test_the_published_sizes_at_210_x_160():
    network = ClassicNetwork(RawFrames(MEAN), (210, 160), 6, 3)
    assert [tuple(layer.weight.shape) for layer in network.encoder] == [
        (64, 3, 8, 8),
        (32, 64, 6, 6),
        (32, 32, 6, 6),
        (32, 32, 4, 4),
    ]
    assert [layer.padding for layer in network.encoder] == [(0, 1), (1, 1), (1, 1), (0, 0)]
    assert all(layer.stride == (2, 2) for layer in [*network.encoder, *network.decoder])
    assert network.map == (32, 11, 8)
    assert network.to_map.out_features == 2816
    assert network.d == 1024
    assert network.from_hidden.weight.shape == (2048, 1024)
    assert network.from_action.weight.shape == (2048, 6)
    assert network.gates.weight.shape == (4 * 1024, 2048 + 2816)
    assert all(layer.output_padding == (0, 0) for layer in network.decoder)  # the plain mirror image
    frame = torch.zeros(1, 3, 210, 160)
    prediction, hidden = network.step(frame, torch.eye(6)[:1], network.initial(frame))
    assert prediction.frame.shape == (1, 3, 210, 160)
    assert hidden["output"].shape == hidden["cell"].shape == (1, 1024)


@settings(deadline=None, max_examples=200)
@given(size=st.tuples(st.integers(10, 300), st.integers(10, 300)))
def test_the_decoder_restores_every_size(size):
    layers, maps = fit_layers(size)
    assert tuple(layers) == LAYERS[len(LAYERS) - len(layers) :]
    assert maps[0] == size
    assert min(maps[-1]) >= 4
    for (_, kernel, padding), before, after in zip(layers, maps[:-1], maps[1:], strict=True):
        extra = output_padding(before, after, kernel, padding)
        for axis in (0, 1):
            assert extra[axis] in (0, 1)  # below the stride, as transposed convolutions demand
            assert (after[axis] - 1) * 2 - 2 * padding[axis] + kernel + extra[axis] == before[axis]


@pytest.mark.parametrize("size", [(10, 10), (11, 13), (16, 10), (25, 40), (70, 80), (84, 63)])
def test_frames_of_other_sizes_come_out_as_they_went_in(size):
    network = small_network(size)
    frames = random_frames(network, 2, 1, *size)
    prediction, _ = network.unroll(frames, random_actions(2, 1), network.initial(frames[:, 0]))
    assert prediction.frame.shape == frames.shape


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x < 0, x * (1 / 8 + 1 / 3) / 2, x)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def convolve(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """(C, H, W) by (O, C, k, k) at stride 2, written out."""
    side = weight.shape[-1]
    rows, columns = (x.shape[1] - side) // 2 + 1, (x.shape[2] - side) // 2 + 1
    y = np.empty((len(weight), rows, columns))
    for i in range(rows):
        for j in range(columns):
            square = x[:, 2 * i : 2 * i + side, 2 * j : 2 * j + side]
            y[:, i, j] = (weight * square).sum((1, 2, 3)) + bias
    return y


def spread(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The transpose: (O, h, w) by (O, C, k, k) to (C, *size)."""
    side = weight.shape[-1]
    y = np.tile(bias[:, None, None], (1, *size))
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            y[:, 2 * i : 2 * i + side, 2 * j : 2 * j + side] += np.einsum("o,ocij->cij", x[:, i, j], weight)
    return y


def test_every_step_follows_the_equations_of_the_paper():
    network = small_network()
    frames, actions = random_frames(network, 1, 4, 10, 11), random_actions(1, 4)
    prediction, hidden = network.unroll(frames, actions, network.initial(frames[:, 0]))
    p = {name: value.detach().double().numpy() for name, value in network.state_dict().items()}
    d = network.d
    v_part, z_part = p["gates.weight"][:, : 2 * d], p["gates.weight"][:, 2 * d :]
    h, c = np.zeros(d), np.zeros(d)
    for t in range(4):
        z = leaky(convolve(frames[0, t].double().numpy(), p["encoder.0.weight"], p["encoder.0.bias"])).ravel()
        v = (p["from_hidden.weight"] @ h) * (p["from_action.weight"] @ actions[0, t].double().numpy())  # (2)

        def gate(block: int, v: np.ndarray = v, z: np.ndarray = z) -> np.ndarray:
            rows = slice(block * d, (block + 1) * d)
            return v_part[rows] @ v + z_part[rows] @ z + p["gates.bias"][rows]

        i, f, o = sigmoid(gate(0)), sigmoid(gate(1)), sigmoid(gate(2))  # (3)
        c = f * c + i * np.tanh(gate(3))  # (4)
        h = o * np.tanh(c)  # (5)
        x = (p["to_map.weight"] @ h + p["to_map.bias"]).reshape(network.map)
        x = spread(x, p["decoder.0.weight"], p["decoder.0.bias"], (10, 11))
        event = p["heads.weight"] @ h + p["heads.bias"]
        np.testing.assert_allclose(prediction.frame[0, t].detach(), x, atol=1e-5)
        np.testing.assert_allclose(prediction.reward[0, t].detach(), event[:-1], atol=1e-5)
        np.testing.assert_allclose(prediction.termination[0, t].detach(), event[-1], atol=1e-5)
    np.testing.assert_allclose(hidden["output"][0].detach(), h, atol=1e-5)
    np.testing.assert_allclose(hidden["cell"][0].detach(), c, atol=1e-5)


def test_slopes_below_zero_are_random_in_training_and_their_mean_otherwise():
    network = small_network()
    below = -torch.ones(1000)
    assert network.rectify(below).unique().numpy() == pytest.approx(-11 / 48)
    slopes = -network.train().rectify(below)
    assert 1 / 8 <= slopes.min() < slopes.max() <= 1 / 3
    assert torch.equal(network.rectify(-below), -below)


@pytest.mark.parametrize("size", [(10, 11), (30, 30)])
def test_step_by_step_equals_all_at_once(size):
    network = small_network(size)
    frames, actions = random_frames(network, 2, 5, *size), random_actions(2, 5)
    whole, last = network.unroll(frames, actions, network.initial(frames[:, 0]))
    hidden = network.initial(frames[:, 0])
    for t in range(5):
        prediction, hidden = network.step(frames[:, t], actions[:, t], hidden)
        for one, all_at_once in zip(prediction, Prediction(*(part[:, t] for part in whole)), strict=True):
            torch.testing.assert_close(one, all_at_once, rtol=1e-4, atol=1e-5)
    for name, value in hidden.items():
        torch.testing.assert_close(value, last[name], rtol=1e-4, atol=1e-5)


def test_the_state_remembers_what_the_frame_no_longer_shows():
    network = small_network()
    frames, actions = random_frames(network, 2, 4, 10, 11), random_actions(1, 4).expand(2, -1, -1)
    frames[:, -1] = frames[:1, -1]
    prediction, _ = network.unroll(frames, actions, network.initial(frames[:, 0]))
    assert (prediction.frame[0, -1] - prediction.frame[1, -1]).abs().max() > 1e-4


def test_raw_frames_lose_nothing_and_are_cut_off_at_black_and_white():
    observations = np.random.default_rng(1).integers(0, 256, (3, 2, 5, 4, 3), np.uint8)
    frames = RawFrames(MEAN)
    codes = frames.encode(observations)
    assert codes.shape == (3, 2, 3, 5, 4)
    assert codes.dtype == torch.float32
    np.testing.assert_allclose(codes[1, 0, 2].numpy(), observations[1, 0, ..., 2] / 255 - MEAN[2], atol=1e-6)
    np.testing.assert_array_equal(frames.decode(codes), observations)
    np.testing.assert_array_equal(
        frames.decode(codes * 1000), np.where(codes.numpy() > 0, 255, 0).transpose(0, 1, 3, 4, 2)
    )


def test_the_loss_is_half_the_squared_error_of_a_pixel():
    frames = RawFrames(MEAN)
    prediction, target = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5)
    loss = frames.log_loss(prediction, target)
    expected = ((prediction[1, :, 2, 3] - target[1, :, 2, 3]) ** 2).sum() / 2
    torch.testing.assert_close(loss[1, 2, 3], expected)
    assert not frames.log_loss(target, target).any()
