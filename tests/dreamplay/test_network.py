"""The default network: a copy before training, the same step by step as all at once, with a memory of its own."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from networks import loud
from torch import Tensor
from torch.nn import functional as F

from dreamplay.frames import ColourFrames, Frames, PaletteFrames, Patches
from dreamplay.network import BLUR, LENIENCE, Moments, Network, NetworkConfig, Prediction, patch_side

SIZE, ACTIONS, REWARDS = (6, 9), 3, 4
SMALL = NetworkConfig(features=8, hidden=12, canvas=3, glance=2, anchor=5, latents=2, choices=3)


def palette_frames() -> PaletteFrames:
    return PaletteFrames(Patches(SIZE, 2), np.array([[0, 0, 0], [9, 9, 9], [9, 200, 9], [255, 0, 0]], np.uint8))


def colour_frames() -> ColourFrames:
    return ColourFrames(Patches(SIZE, 2), 3)


def random_codes(frames: Frames, *lead: int, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    if isinstance(frames, PaletteFrames):
        return frames.encode(frames.colours[rng.integers(0, frames.channels, (*lead, *SIZE))])
    return frames.encode(rng.integers(0, 256, (*lead, *SIZE, 3), np.uint8))


def random_actions(*lead: int) -> Tensor:
    return torch.eye(ACTIONS)[torch.randint(0, ACTIONS, lead)]


def moving_network(frames: Frames, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    network = Network(frames, ACTIONS, REWARDS, SMALL)
    loud(network)
    return network.eval()


def assert_close(first: tuple[Tensor, ...], second: tuple[Tensor, ...]) -> None:
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


both = pytest.mark.parametrize("make_frames", [palette_frames, colour_frames])


@both
def test_untrained_it_dreams_that_nothing_moves(make_frames):
    frames = make_frames()
    network = Network(frames, ACTIONS, REWARDS, SMALL)
    codes = random_codes(frames, 3, 5)
    prediction, _ = network.unroll(codes, random_actions(3, 5), network.initial(codes[:, 0]))
    if isinstance(frames, PaletteFrames):
        assert torch.equal(frames.most_likely(prediction.frame), codes)
    else:
        assert torch.equal(prediction.frame, frames.copy_logits(frames.indicators(codes)))


@both
def test_shapes_are_batch_first_and_time_second(make_frames):
    frames = make_frames()
    network = moving_network(frames)
    codes = random_codes(frames, 2, 7)
    prediction, hidden = network.unroll(codes, random_actions(2, 7), network.initial(codes[:, 0]))
    assert prediction.frame.shape == (2, 7, 3, 5, frames.channels, 4)
    assert prediction.reward.shape == (2, 7, REWARDS)
    assert prediction.termination.shape == (2, 7)
    assert all(len(value) == 2 for value in hidden.values())


@both
def test_step_by_step_equals_all_at_once(make_frames):
    frames = make_frames()
    network = moving_network(frames)
    codes, actions = random_codes(frames, 2, 6), random_actions(2, 6)
    whole, last = network.unroll(codes, actions, network.initial(codes[:, 0]))
    hidden = network.initial(codes[:, 0])
    for t in range(6):
        prediction, hidden = network.step(codes[:, t], actions[:, t], hidden)
        assert_close(prediction, Prediction(*(part[:, t] for part in whole)))
    assert_close(tuple(hidden.values()), tuple(last.values()))


@both
@pytest.mark.parametrize("cut", [1, 3, 5])
def test_continuing_from_a_state_equals_one_window(make_frames, cut):
    frames = make_frames()
    network = moving_network(frames)
    codes, actions = random_codes(frames, 2, 6), random_actions(2, 6)
    whole, last = network.unroll(codes, actions, network.initial(codes[:, 0]))
    first, hidden = network.unroll(codes[:, :cut], actions[:, :cut], network.initial(codes[:, 0]))
    second, hidden = network.unroll(codes[:, cut:], actions[:, cut:], hidden)
    assert_close(tuple(torch.cat(parts, 1) for parts in zip(first, second, strict=True)), whole)
    assert_close(tuple(hidden.values()), tuple(last.values()))


@both
def test_rows_do_not_know_of_each_other(make_frames):
    frames = make_frames()
    network = moving_network(frames)
    codes, actions = random_codes(frames, 4, 5), random_actions(4, 5)
    together, _ = network.unroll(codes, actions, network.initial(codes[:, 0]))
    for row in range(4):
        alone, _ = network.unroll(
            codes[row : row + 1], actions[row : row + 1], network.initial(codes[row : row + 1, 0])
        )
        assert_close(alone, Prediction(*(part[row : row + 1] for part in together)))


def test_the_future_does_not_reach_back():
    frames = palette_frames()
    network = moving_network(frames)
    codes, actions = random_codes(frames, 1, 6), random_actions(1, 6)
    other_codes, other_actions = codes.clone(), actions.clone()
    other_codes[:, 4:], other_actions[:, 4:] = random_codes(frames, 1, 2, seed=9), 1 - actions[:, 4:]
    one, _ = network.unroll(codes, actions, network.initial(codes[:, 0]))
    two, _ = network.unroll(other_codes, other_actions, network.initial(codes[:, 0]))
    assert_close(tuple(part[:, :4] for part in one), tuple(part[:, :4] for part in two))
    assert not torch.allclose(one.frame[:, 4:], two.frame[:, 4:])


def test_the_state_remembers_what_the_frames_no_longer_show():
    frames = palette_frames()
    network = moving_network(frames)
    one, two = random_codes(frames, 1, 6, seed=1), random_codes(frames, 1, 6, seed=2)
    two[:, -3:] = one[:, -3:]  # the same last three frames, all that the network is shown of the past
    actions = random_actions(1, 6)
    outputs = [network.unroll(codes, actions, network.initial(codes[:, 0]))[0] for codes in (one, two)]
    for first, second in pairwise(outputs):
        for a, b in zip(first[:3], second[:3], strict=True):
            assert (a[:, -1] - b[:, -1]).abs().max() > 1e-4


def test_without_memory_three_frames_are_all_it_knows():
    frames = palette_frames()
    network = moving_network(frames)
    one, two = random_codes(frames, 1, 4, seed=1), random_codes(frames, 1, 4, seed=2)
    action = random_actions(1)

    def ahead(codes: Tensor) -> Prediction:
        """What a cleared memory says after frames t-3 to t, given the state that frame t-1 left."""
        _, hidden = network.unroll(codes[:, :3], action[:, None].expand(-1, 3, -1), network.initial(codes[:, 0]))
        for name in ("memory", "anchor"):
            hidden[name] = torch.zeros_like(hidden[name])
        return network.step(codes[:, 3], action, hidden)[0]

    def with_other(t: int) -> Tensor:
        return torch.cat([one[:, :t], two[:, t : t + 1], one[:, t + 1 :]], 1)

    assert_close(ahead(one), ahead(with_other(0)))
    for t in (1, 2):
        assert not torch.allclose(ahead(one).frame, ahead(with_other(t)).frame, atol=1e-4)


def test_the_action_matters():
    frames = palette_frames()
    network = moving_network(frames)
    codes = random_codes(frames, 1, 1)[:, 0].expand(ACTIONS, -1, -1, -1)
    prediction, _ = network.step(codes, torch.eye(ACTIONS), network.initial(codes))
    for part in prediction[:3]:
        assert (part[0] - part[1]).abs().max() > 1e-4


@pytest.mark.parametrize(("size", "side"), [((10, 10), 2), ((42, 16), 2), ((43, 16), 4), ((70, 80), 4), ((85, 84), 8)])
def test_patches_leave_at_most_21_cells_a_side(size, side):
    assert patch_side(size) == side


def test_what_one_cell_notices_all_cells_hear():
    frames = PaletteFrames(Patches((2, 40), 2), np.array([[0], [255]], np.uint8))  # a row of 20 cells
    network = moving_network(frames)
    network.numbers = None  # all cells agree on these
    with torch.no_grad():  # nothing reaches the far cells through the hidden state
        network.glance.weight.zero_()
        network.glance.bias.zero_()
        for broadcast in network.broadcast:
            broadcast.weight.fill_(0.5)
    dark = frames.encode(np.zeros((1, 1, 2, 40, 1), np.uint8))
    lit = dark.clone()
    lit[0, 0, 0, 0, :] = 1  # the first cell

    def far_cell() -> Tensor:
        answers = [
            network.unroll(codes, torch.eye(ACTIONS)[None, :1], network.initial(dark[:, 0])) for codes in (dark, lit)
        ]
        return (answers[1][0].frame - answers[0][0].frame)[0, 0, 0, -1].abs().max()

    with torch.no_grad():
        assert far_cell() > 1e-3
        for broadcast in network.broadcast:
            broadcast.weight.zero_()
        assert far_cell() == 0


def moments_of(network: Network, seed: int = 0, steps: int = 5) -> tuple[Moments, Tensor]:
    """Moments of two windows, and the codes that follow each."""
    torch.manual_seed(seed)
    codes = random_codes(network.frames, 2, steps + 1, seed=seed)
    moments, _ = network.observe(codes[:, :-1], random_actions(2, steps), network.initial(codes[:, 0]))
    return moments, codes[:, 1:].flatten(0, 1)


@both
def test_some_moments_are_predicted_as_all_of_them_are(make_frames):
    network = moving_network(make_frames())
    moments, _ = moments_of(network)
    rows = torch.tensor([7, 0, 3])
    assert_close(network.predict(moments.at(rows)), tuple(part[rows] for part in network.predict(moments)))


def test_the_first_frame_stays_in_view():
    frames = palette_frames()
    network = moving_network(frames)
    one, two = random_codes(frames, 1, 12, seed=1), random_codes(frames, 1, 12, seed=1)
    two[:, 0] = random_codes(frames, 1, seed=2)
    actions = random_actions(1, 12)
    with torch.no_grad():
        network.gates.bias[: SMALL.hidden] = -100.0  # nothing is remembered
    first, second = (network.observe(codes, actions, network.initial(codes[:, 0]))[0] for codes in (one, two))
    different = (first.known - second.known)[-1].nonzero().squeeze(1)
    anchor = range(2 * SMALL.hidden, 2 * SMALL.hidden + SMALL.anchor)
    assert len(different) and all(int(place) in anchor for place in different)


@both
def test_a_latent_is_drawn_as_often_as_its_prior_says(make_frames):
    network = moving_network(make_frames())
    moments, _ = moments_of(network, steps=1)
    prior = network.prior(moments.known).unflatten(-1, network.latent).softmax(-1)[0]  # (L, M)
    n = 1000
    many = moments.at(torch.zeros(n, dtype=torch.int64))
    seen = []
    network.sketch.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    uniforms = ((torch.arange(n) + 0.5) / n).unsqueeze(1).expand(-1, 2)  # evenly spread
    sharp = {0.5: prior.square() / prior.square().sum(-1, keepdim=True), 1.0: prior}
    for temperature, expected in sharp.items():
        network.predict(many, uniforms=uniforms, temperature=temperature)
        latent = seen.pop()[:, -6:].unflatten(-1, (2, 3))
        assert set(latent.unique().tolist()) <= {0.0, 1.0} and (latent.sum(-1) == 1).all()
        torch.testing.assert_close(latent.mean(0), expected, atol=2 / n, rtol=0)
    network.predict(many)
    assert not seen.pop()[:, -6:].any(), "left out where nothing is drawn"
    network.config = replace(network.config, early=True)
    network.predict(many)
    assert torch.equal(seen.pop()[0, -6:].unflatten(-1, (2, 3)).argmax(-1), prior.argmax(-1))


def test_the_surprise_is_what_the_truth_tells_beyond_the_prior():
    network = moving_network(palette_frames())
    moments, truth = moments_of(network)
    with torch.no_grad():
        network.prior[1].weight.zero_(), network.posterior[1].weight.zero_()
        network.prior[1].bias.copy_(torch.tensor([1.0, 0, 0, 0, 0, 0]))
        network.posterior[1].bias.copy_(torch.tensor([0, 0, 2.0, 0, 0, 0]))
    p, q = torch.tensor([1.0, 0, 0]).softmax(0), torch.tensor([0, 0, 2.0]).softmax(0)
    expected = (q * (q / p).log()).sum()
    torch.testing.assert_close(network.predict(moments, truth).surprise, expected.expand(10))
    assert not network.predict(moments).surprise.any()


def test_lenience_is_with_the_posterior_and_not_the_prior():
    network = moving_network(palette_frames())
    noise = torch.ones(len(moments_of(network)[0].known), 2, 3)

    def learned(lenience: float) -> tuple[Tensor, Tensor]:
        network.zero_grad()
        moments, truth = moments_of(network)
        network.predict(moments, truth, noise=noise, lenience=lenience).surprise.sum().backward()
        assert network.prior[1].weight.grad is not None and network.posterior[1].weight.grad is not None
        return network.prior[1].weight.grad.clone(), network.posterior[1].weight.grad.clone()

    (prior, posterior), (same, slower) = learned(0.5), learned(1.0)  # of both, the posterior is given back what it may
    assert prior.abs().max() > 0 and posterior.abs().max() > 0
    torch.testing.assert_close(same, prior)
    torch.testing.assert_close(slower, (1 - LENIENCE) / (1 - LENIENCE / 2) * posterior)


def test_without_lenience_the_posterior_is_not_paid_for_wavering():
    network = moving_network(palette_frames())
    with torch.no_grad():
        network.prior[1].weight.zero_(), network.posterior[1].weight.zero_(), network.chain.zero_()
        network.prior[1].bias.zero_()  # all values are equally likely beforehand: each costs the same
        network.posterior[1].bias.copy_(torch.tensor([0.0, 1, 2, 5, 0, 0]))
    grads = []
    for lenience in (0.0, 0.25, 0.5):
        network.zero_grad()
        moments, truth = moments_of(network)
        network.predict(moments, truth, lenience=lenience).surprise.sum().backward()
        assert network.posterior[1].bias.grad is not None
        grads.append(network.posterior[1].bias.grad.clone() / (1 - LENIENCE * lenience))
    assert grads[0].abs().max() < 1e-5 and grads[2].abs().max() > 0.1
    torch.testing.assert_close(grads[1], grads[2] / 2, atol=1e-5, rtol=1e-4)


def test_a_variable_that_says_what_the_one_before_said_is_no_second_surprise_and_is_drawn_as_it_is():
    network = moving_network(palette_frames())
    moments, truth = moments_of(network, steps=1)
    with torch.no_grad():
        network.prior[1].weight.zero_(), network.posterior[1].weight.zero_()
        network.prior[1].bias.zero_()
        network.posterior[1].bias.copy_(torch.tensor([0.0, 50, 0, 0, 50, 0]))  # both surely say 1
        network.chain.zero_()
        network.chain[1, :, :3] = 50 * torch.eye(3)  # the second repeats the first
    surprise = network.predict(moments, truth).surprise
    torch.testing.assert_close(surprise, torch.tensor(3.0).log().expand(len(surprise)))
    many = moments.known[:1].expand(300, -1)
    first, second = network.draw(many, torch.rand(300, 2), 1.0).view(300, 2, 3).unbind(1)
    assert torch.equal(first, second) and (first.mean(0) > 0.2).all()


def test_what_is_noticed_cannot_be_turned_off():
    """A rectifier with a low bias is off for every frame, and learns no more."""
    network = moving_network(palette_frames())
    with torch.no_grad():
        for layer in (network.glance, network.news, network.notice):
            layer.bias.fill_(-100)
    moments, truth = moments_of(network)
    seen = moments.known[:, network.config.hidden : 2 * network.config.hidden]
    noticed = network.predict(moments).clues[:, : network.evidence.in_features]
    assert (seen.std(0) > 1e-4).any() and (noticed.std(0) > 1e-4).any()
    noise = torch.ones(len(truth), 2, 3)
    told, otherwise = (network.predict(moments, some, noise=noise).surprise for some in (truth, truth.flip(0)))
    assert not torch.equal(told, otherwise)


def test_only_action_and_latent_are_painted():
    network = moving_network(palette_frames())
    moments, _ = moments_of(network)
    seen = []
    network.paint.register_forward_hook(lambda module, inputs, output: seen.append(output))
    latent = torch.zeros(len(moments.known), 6)
    network.draw = lambda *arguments: latent  # type: ignore[method-assign]
    other = moments._replace(known=torch.cat([moments.known[:, :-ACTIONS] + 1, moments.known[:, -ACTIONS:]], 1))
    for some in (moments, other, moments._replace(known=moments.known.flip(0))):
        network.predict(some)
    assert torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[2])


def test_what_is_known_is_blurred_for_the_blocks_but_for_the_action():
    network = moving_network(palette_frames())
    moments, _ = moments_of(network)
    blur = torch.randn(len(moments.known), network.blurred)
    sharp, blurred = network.predict(moments), network.predict(moments, blur=blur)
    assert not torch.equal(sharp.frame, blurred.frame)
    judged = network.evidence.in_features
    assert torch.equal(sharp.clues[:, judged:], blurred.clues[:, judged:])  # what judges knows it as it is
    with torch.no_grad():
        moved = F.linear(BLUR * blur, network.modulate.weight[:, : network.blurred])
        network.modulate.bias += moved[0]
        shifted = network.predict(moments)
    torch.testing.assert_close(shifted.frame[0], blurred.frame[0])
    with torch.no_grad():
        network.modulate.weight[:, : network.blurred] = 0
    assert torch.equal(network.predict(moments).frame, network.predict(moments, blur=blur).frame)


def test_with_the_truth_in_view_the_latent_is_drawn_from_its_posterior():
    network = moving_network(palette_frames())
    moments, truth = moments_of(network, steps=1)
    n = 4000
    rows = torch.zeros(n, dtype=torch.int64)
    with torch.no_grad():
        network.posterior[1].weight.zero_()
        network.posterior[1].bias.copy_(torch.tensor([0.0, 1, 2, 5, 0, 0]))
    seen = []
    network.sketch.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].detach()))
    torch.manual_seed(1)
    network.predict(moments.at(rows), truth[rows])
    frequencies = seen.pop()[:, -6:].mean(0)
    expected = torch.cat([torch.tensor([0.0, 1, 2]).softmax(0), torch.tensor([5.0, 0, 0]).softmax(0)])
    torch.testing.assert_close(frequencies, expected, atol=0.03, rtol=0)


def test_a_prediction_that_is_not_told_does_without_the_latent_and_pays_nothing_for_it():
    network = moving_network(palette_frames())
    moments, truth = moments_of(network)
    noise, told = torch.ones(10, 2, 3), torch.tensor([1.0, 0] * 5)
    one, two = (network.predict(moments, some, noise=noise, told=told) for some in (truth, truth.flip(0)))
    whole = network.predict(moments, truth, noise=noise)
    seen = told > 0
    assert torch.equal(one.surprise, whole.surprise * told)
    assert_close([part[seen] for part in one], [part[seen] for part in whole])
    assert_close([part[~seen] for part in one], [part[~seen] for part in two])
    assert not one.clues[~seen, -6:].any() and not torch.equal(one.frame[seen], two.frame[seen])


def test_the_posterior_learns_from_what_the_latent_changed():
    network = moving_network(palette_frames())
    moments, truth = moments_of(network)
    network.predict(moments, truth).frame.square().sum().backward()  # the surprise is left out
    assert network.posterior[1].weight.grad is not None and network.posterior[1].weight.grad.abs().max() > 0
    assert network.prior[1].weight.grad is None or not network.prior[1].weight.grad.any()


def test_without_latents_there_is_one_future():
    frames = palette_frames()
    torch.manual_seed(0)
    network = Network(frames, ACTIONS, REWARDS, replace(SMALL, latents=0)).eval()
    moments, truth = moments_of(network)
    assert_close(network.predict(moments, truth), network.predict(moments))
