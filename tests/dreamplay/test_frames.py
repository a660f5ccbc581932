"""Frames: nothing lost on the way in and out, losses and samples as computed by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from dreamplay.frames import (
    COPY_LOGIT,
    LEAST_EXPECTED,
    LEAST_GIVEN,
    LEAST_INTENSITY,
    LEAST_LEFT,
    MAX_COLOURS,
    MOST_DOUBTFUL,
    MOST_GIVEN,
    NEAR,
    ColourFrames,
    PaletteFrames,
    Patches,
    choose_frames,
    frames_from_json,
    nearest_colour,
    next_classes,
    next_odds,
    numbered,
    odds_of,
)

SIZES = st.tuples(st.integers(1, 11), st.integers(1, 11))
SIDES = st.integers(1, 4)
SEEDS = st.integers(0, 2**32 - 1)


def palette(rng: np.random.Generator, count: int, channels: int) -> np.ndarray:
    """Up to `count` random colours (K, C), in ascending order, all different."""
    return np.unique(rng.integers(0, 256, (count, channels), np.uint8), axis=0)


@settings(deadline=None, max_examples=60)
@given(size=SIZES, side=SIDES, channels=st.sampled_from([1, 3]), count=st.integers(1, 32), seed=SEEDS)
def test_a_palette_loses_nothing(size, side, channels, count, seed):
    rng = np.random.default_rng(seed)
    colours = palette(rng, count, channels)
    observations = colours[rng.integers(0, len(colours), (2, 3, *size))]
    frames = PaletteFrames(Patches(size, side), colours)
    codes = frames.encode(observations)
    rows, columns = math.ceil(size[0] / side), math.ceil(size[1] / side)
    assert codes.shape == (2, 3, rows, columns, side**2)
    assert codes.dtype == torch.uint8
    np.testing.assert_array_equal(frames.decode(codes), observations)
    np.testing.assert_array_equal(frames_from_json(frames.to_json()).decode(codes), observations)


@settings(deadline=None, max_examples=40)
@given(size=SIZES, side=SIDES, channels=st.sampled_from([1, 3]), seed=SEEDS)
def test_intensities_lose_nothing(size, side, channels, seed):
    observations = np.random.default_rng(seed).integers(0, 256, (2, *size, channels), np.uint8)
    frames = ColourFrames(Patches(size, side), channels)
    codes = frames.encode(observations)
    assert codes.shape[-2:] == (channels, side**2)
    assert 0 <= codes.min() <= codes.max() <= 1
    np.testing.assert_array_equal(frames.decode(codes), observations)
    np.testing.assert_array_equal(frames_from_json(frames.to_json()).decode(codes), observations)


def test_a_patch_holds_the_pixels_of_its_square_and_padding_repeats_the_edge():
    pixels = np.arange(12).reshape(3, 4, 1)
    cut = Patches((3, 4), 2).cut(pixels)[..., 0]
    np.testing.assert_array_equal(cut, [[[0, 1, 4, 5], [2, 3, 6, 7]], [[8, 9, 8, 9], [10, 11, 10, 11]]])


@settings(deadline=None, max_examples=40)
@given(channels=st.sampled_from([1, 3]), count=st.integers(1, 20), seed=SEEDS)
def test_an_unknown_colour_becomes_its_nearest(channels, count, seed):
    rng = np.random.default_rng(seed)
    colours = palette(rng, count, channels)
    observations = rng.integers(0, 256, (4, 5, channels), np.uint8)
    observations[0, 0] = colours[-1]  # a known one among them
    classes = nearest_colour(observations, colours)
    distances = ((observations[..., None, :].astype(int) - colours.astype(int)) ** 2).sum(-1)
    chosen = np.take_along_axis(distances, classes[..., None].astype(int), -1)[..., 0]
    np.testing.assert_array_equal(chosen, distances.min(-1))
    assert classes[0, 0] == len(colours) - 1


def test_a_palette_is_chosen_up_to_32_colours_and_intensities_beyond():
    patches = Patches((4, 16), 2)
    few = np.arange(MAX_COLOURS, dtype=np.uint8).repeat(2).reshape(1, 4, 16, 1)
    chosen = choose_frames(patches, [few[:, :2], few[:, 2:]])
    assert isinstance(chosen, PaletteFrames)
    np.testing.assert_array_equal(chosen.colours[:, 0], np.arange(MAX_COLOURS))
    more = few.copy()
    more[0, 0, 0] = 200
    assert choose_frames(patches, [few, more]) == ColourFrames(patches, 1)


def smooth_edges(shades: int, pixels: int) -> np.ndarray:
    """A black bar on white ground, its edges shaded: uint8 (1, H, W, 1), so many shaded pixels of so many shades."""
    frame = np.full((1, 100, 400, 1), 255, np.uint8)
    frame[0, :, :100] = 0
    frame[0].flat[:pixels] = np.linspace(1, 254, shades).round().astype(np.uint8)[np.arange(pixels) % shades]
    return frame


def test_a_few_colours_stand_for_the_shades_of_smooth_edges():
    frames = choose_frames(Patches((100, 400), 4), [smooth_edges(shades=100, pixels=300)])
    assert isinstance(frames, PaletteFrames)
    assert 2 < frames.channels <= 8 and {0, 255} <= set(frames.colours[:, 0].tolist())
    observation = smooth_edges(shades=100, pixels=300)
    seen = frames.decode(frames.encode(observation))
    assert np.abs(seen.astype(int) - observation).max() <= NEAR  # no colour is lost, however rare
    assert (seen != observation).sum() <= 300


def test_pictures_of_many_shades_are_intensities():
    shaded = smooth_edges(shades=100, pixels=500)  # of 40,000 pixels: more than a hundredth
    assert choose_frames(Patches((100, 400), 4), [shaded]) == ColourFrames(Patches((100, 400), 4), 1)
    noise = np.random.default_rng(0).integers(0, 256, (1, 20, 20, 3), np.uint8)
    assert isinstance(choose_frames(Patches((20, 20), 4), [noise]), ColourFrames)


def test_a_chosen_palette_holds_the_colours_themselves():
    rng = np.random.default_rng(0)
    colours = palette(rng, 9, 3)
    frames = choose_frames(Patches((6, 6), 2), [colours[rng.integers(0, 9, (50, 6, 6))]])
    assert isinstance(frames, PaletteFrames)
    np.testing.assert_array_equal(frames.colours, colours)


def three_colours(size: tuple[int, int] = (2, 2), side: int = 2) -> PaletteFrames:
    return PaletteFrames(Patches(size, side), np.array([[0], [100], [200]], np.uint8))


def test_the_log_loss_of_a_palette_is_that_of_a_softmax_per_pixel():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 1, 1, 3, 4, generator=generator)
    codes = torch.randint(0, 3, (2, 1, 1, 4), generator=generator).to(torch.uint8)
    loss = three_colours().log_loss(logits, codes)
    assert loss.shape == (2, 1, 1, 4)
    for b in range(2):
        for p in range(4):
            scores = [math.exp(float(logits[b, 0, 0, k, p])) for k in range(3)]
            expected = -math.log(scores[int(codes[b, 0, 0, p])] / sum(scores))
            assert float(loss[b, 0, 0, p]) == pytest.approx(expected, rel=1e-5)


def test_a_copy_is_the_most_likely_frame():
    frames = three_colours()
    codes = torch.tensor([[[[0, 1, 2, 1]]]], dtype=torch.uint8)
    logits = frames.copy_logits(frames.indicators(codes))
    assert (logits[0, 0, 0] / COPY_LOGIT).T.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]]
    assert torch.equal(frames.most_likely(logits), codes)


def classes_of(probabilities: list[list[float]]) -> list[int]:
    """Of pixels with these probabilities of their classes, one frame of them."""
    nothing = torch.zeros(1, len(probabilities))
    return next_classes(torch.tensor(probabilities).t().unsqueeze(0), nothing - 1, nothing)[0][0].int().tolist()


def test_a_thing_at_one_of_two_places_is_at_the_likelier_one_and_not_at_neither():
    assert classes_of([[0.60, 0.40], [0.58, 0.42], [0.99, 0.01]]) == [0, 1, 0]
    assert classes_of([[0.80, 0.20], [0.78, 0.22], [0.99, 0.01]]) == [0, 0, 0]  # it is rather not there


def test_a_class_is_given_as_many_pixels_as_it_is_short_of():
    doubtful = [[0.62 - i / 100, 0.38 + i / 100] for i in range(5)]
    assert classes_of([*doubtful, [0.3, 0.7], [0.3, 0.7]]) == [0, 0, 0, 0, 1, 1, 1]  # 3.4 expected, likeliest in 2
    assert classes_of([[0.05, 0.35, 0.60], [0.05, 0.36, 0.59], [0.3, 0.1, 0.6]]) == [2, 1, 2]


def test_what_is_likely_nowhere_is_not_given():
    many = round(4 / LEAST_GIVEN)
    vague = [[1 - 0.9 * LEAST_GIVEN, 0.9 * LEAST_GIVEN]] * many  # 3.6 expected
    assert classes_of(vague) == [0] * many
    chances = [LEAST_GIVEN * (1.1 + 0.4 * i / many) for i in range(many)]  # 5.2 expected
    assert classes_of([[1 - chance, chance] for chance in chances]) == [0] * (many - 5) + [1] * 5


def test_a_thing_at_one_of_very_many_places_is_at_one_beside_another_that_is_in_doubt_throughout():
    paddle = [[0.5 - i / 1e3, 0.5 + i / 1e3, 0.0] for i in range(100)]
    ball = [[0.97 - i / 1e4, 0.0, 0.03 + i / 1e4] for i in range(30)]  # 0.94 expected
    assert classes_of(paddle + ball)[100:] == [0] * 29 + [2]


@settings(deadline=None)
@given(SEEDS, st.integers(2, 5), st.integers(1, 60))
def test_the_likeliest_classes_are_what_the_words_say(seed, k, pixels):
    probabilities = np.random.default_rng(seed).dirichlet([0.5] * k, pixels)  # (pixels, K)
    best = probabilities.argmax(1)
    expected = best.copy()
    for c in range(k):
        short = probabilities[:, c].sum() - (best == c).sum()
        assume(abs(short % 1 - 0.5) > 1e-3)
        others = sorted((p for p in range(pixels) if best[p] != c), key=lambda p: -probabilities[p, c])
        for p in others[: min(MOST_GIVEN, max(0, round(short)))]:
            if probabilities[p, c] >= LEAST_GIVEN and (
                expected[p] == best[p] or probabilities[p, c] > probabilities[p, expected[p]]
            ):
                expected[p] = c
    assert classes_of(probabilities.tolist()) == expected.tolist()


@settings(deadline=None)
@given(SEEDS, st.integers(2, 5), st.integers(1, 30))
def test_a_frame_says_once_how_many_pixels_become_of_a_class(seed, k, pixels):
    rng = np.random.default_rng(seed)
    logits, shown, numbers = rng.normal(size=(pixels, k)), rng.integers(k, size=pixels), rng.normal(size=k)
    odds = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    agreed = logits.copy()
    for c in range(k):
        others = shown != c
        agreed[others, c] += numbers[c] - np.log(odds[others, c].sum() + LEAST_EXPECTED)
    one_cell = torch.tensor(logits).t().view(1, 1, 1, k, pixels)
    is_class = torch.tensor(shown[None] == np.arange(k)[:, None]).view(1, 1, 1, k, pixels).double()
    got = numbered(one_cell, is_class, torch.tensor(numbers)[None])
    torch.testing.assert_close(got[0, 0, 0].t(), torch.tensor(agreed))
    shown, change = is_class[0, 0], one_cell[0, 0] - COPY_LOGIT * is_class[0, 0]
    for said, expected in ((torch.tensor(numbers)[None], agreed), (None, logits)):
        odds = next_odds(change, shown, said)[0].t()
        torch.testing.assert_close((odds / odds.sum(1, keepdim=True)).log(), torch.tensor(expected).log_softmax(1))


def test_a_ball_that_is_here_or_there_is_whole():
    ground, ball = 0.0, torch.tensor([0.19, 0.19, 1e-6, 1e-6]).logit()
    logits = torch.stack([torch.full((4,), ground), ball]).view(1, 1, 1, 2, 4)
    shown = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2, 1).expand(logits.shape)
    assert numbered(logits, shown, torch.zeros(1, 2)).softmax(-2)[0, 0, 0, 1].sum() == pytest.approx(0.75, abs=0.05)
    nowhere = torch.where(shown > 0, 0.0, -30.0)
    assert numbered(nowhere, shown, torch.zeros(1, 2)).softmax(-2)[0, 0, 0, 1].sum() < 1e-6, "it is not made up"
    wild = next_odds(60 * logits.view(1, 2, 4), shown.view(1, 2, 4), torch.tensor([[-1e4, 1e4]]))
    assert wild.isfinite().all() and wild.amax(1).min() > 0, "odds stay odds, whatever is said"


def test_only_the_most_doubtful_pixels_are_given():
    clear = [[0.80 - i / 1e3, 0.20 + i / 1e3, 0.0] for i in range(20)]  # 4.2 expected
    assert classes_of(clear) == [0] * 16 + [1] * 4
    doubtful = [[0.40, 0.05, 0.55]] * MOST_DOUBTFUL
    assert classes_of(clear + doubtful)[:20] == [0] * 20


def test_of_classes_that_are_equally_likely_the_first_is_taken():
    assert classes_of([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [0.4, 0.2, 0.4]]) == [0, 1, 0]


def test_sure_frames_are_those_of_the_likeliest_classes():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 4, 50, generator=generator) * 60
    for shown in (torch.zeros(3, 50), logits.argmax(1).float()):
        assert torch.equal(next_classes(odds_of(logits), shown, torch.zeros(3, 50))[0].long(), logits.argmax(1))


def shown_over_time(probabilities: list[list[float]], steps: int) -> list[list[int]]:
    """Classes of pixels that have these probabilities at every step, beginning with class 0."""
    odds = torch.tensor(probabilities).t().unsqueeze(0)
    shown = doubt = torch.zeros(1, len(probabilities))
    frames = []
    for _ in range(steps):
        shown, doubt, _ = next_classes(odds, shown, doubt)
        frames.append(shown[0].int().tolist())
    return frames


def test_what_was_to_leave_for_half_a_step_leaves_for_the_second_most_likely_class():
    for chance, when in ((0.3, 2), (0.26, 2), (0.24, 3), (0.21, 3)):
        still = [1 - chance, 0.4 * chance, 0.6 * chance]
        assert shown_over_time([still], when) == [[0]] * (when - 1) + [[2]]


def test_open_pixels_are_those_expected_not_to_be_of_their_most_likely_class():
    odds = torch.tensor([[0.6, 0.4], [0.25, 0.75], [0.99, 0.01]]).t().unsqueeze(0)
    nothing = torch.zeros(1, 3)
    assert next_classes(odds, nothing, nothing)[2].tolist() == pytest.approx([0.4 + 0.25 + 0.01], abs=1e-5)
    mean, before = torch.zeros(2, 1, 1, 3, 4), torch.zeros(2, 1, 1, 3, 4)
    colour = ColourFrames(Patches((2, 2), 2), 3)
    assert colour.dreamed(mean, colour.picture(before))[1].tolist() == [0, 0]  # a mean leaves nothing open


def test_what_left_is_in_no_doubt_and_what_hardly_leaves_stays():
    leaving = torch.tensor([[0.7, 0.3]]).t().unsqueeze(0)
    shown, doubt, _ = next_classes(leaving, torch.zeros(1, 1), torch.tensor([[0.3]]))
    assert (shown.item(), doubt.item()) == (1, 0)
    assert shown_over_time([[1 - 0.9 * LEAST_LEFT, 0.9 * LEAST_LEFT]], 20) == [[0]] * 20


def test_doubt_is_that_of_the_latest_steps():
    doubtful, sure = (torch.tensor([[p, 1 - p]]).t().unsqueeze(0) for p in (0.7, 0.99))
    shown, doubt, _ = next_classes(doubtful, torch.zeros(1, 1), torch.zeros(1, 1))
    assert doubt.item() == pytest.approx(0.3)
    shown, doubt, _ = next_classes(sure, shown, doubt)
    assert (shown.item(), doubt.item()) == (0, 0)
    shown, doubt, _ = next_classes(doubtful, shown, doubt)
    assert shown.item() == 0 and doubt.item() == pytest.approx(0.3)


def test_what_moves_by_a_third_of_a_pixel_a_step_moves():
    """An edge that is expected to go on by a third of a pixel: its front changes, then the next pixel is the front."""
    shown = doubt = torch.zeros(1, 12)
    for _ in range(12):
        front = int(shown.sum())
        chances = torch.tensor([[1.0] * front + [1 / 3] + [0.0] * (11 - front)]).clamp(1e-6, 1 - 1e-6)
        shown, doubt, _ = next_classes(torch.stack([1 - chances, chances], 1), shown, doubt)
    assert int(shown.sum()) == 6  # a pixel in two steps: the first in which it has rather moved than not


def test_indicators_are_one_where_a_pixel_has_the_colour():
    frames = three_colours()
    codes = torch.randint(0, 3, (5, 1, 2, 4), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    expected = F.one_hot(codes.long(), 3).transpose(-1, -2).float()
    assert torch.equal(frames.indicators(codes), expected)
    assert torch.equal(frames.indicators(codes[:, :, :1]), expected[:, :, :1])


def test_intensities_stay_bounded_and_their_loss_is_least_and_zero_at_the_target():
    frames = ColourFrames(Patches((2, 2), 2), 3)
    generator = torch.Generator().manual_seed(3)
    target = torch.rand(3, 4, generator=generator)
    wild = torch.randn(3, 4, generator=generator) * 1000
    dreamed = frames.most_likely(wild)
    assert 0 <= dreamed.min() <= dreamed.max() <= 1
    best = frames.log_loss(torch.logit(target), target)
    torch.testing.assert_close(best, torch.zeros(4), atol=1e-5, rtol=0)
    for shift in (-0.5, -0.05, 0.05, 0.5):
        assert (frames.log_loss(torch.logit(target) + shift, target) > 1e-4).all()
    black_and_white = torch.tensor([[0.0, 1.0]] * 3)
    torch.testing.assert_close(frames.log_loss(black_and_white * 80 - 40, black_and_white), torch.zeros(2))


def test_intensities_know_one_future():
    frames = ColourFrames(Patches((2, 2), 2), 1)
    middling = torch.linspace(0.05, 0.95, 10)
    torch.testing.assert_close(frames.copy_logits(middling).sigmoid(), middling)
    observation = np.arange(256, dtype=np.uint8).reshape(64, 2, 2, 1)
    copied = frames.most_likely(frames.copy_logits(frames.encode(observation)))
    assert np.array_equal(frames.decode(copied), observation)  # the extremes as well
    assert copied.min() >= 0.9 * LEAST_INTENSITY and copied.max() <= 1 - 0.9 * LEAST_INTENSITY


def test_the_choice_can_be_overruled():
    few = np.array([[[[0, 0, 0], [9, 9, 9]]]], np.uint8)
    assert isinstance(choose_frames(Patches((1, 2), 1), [few], "colour"), ColourFrames)
    many = np.arange(40, dtype=np.uint8).repeat(2)[:-1].reshape(1, 1, 79, 1)  # 39 is the rarest
    palette = choose_frames(Patches((1, 79), 1), [many, np.full((1, 1, 79, 1), 200, np.uint8)], "palette")
    assert isinstance(palette, PaletteFrames)
    assert len(palette.colours) == 32 and 200 in palette.colours and 39 not in palette.colours


def test_the_entropy_of_a_palette_is_the_mean_over_pixels():
    frames = PaletteFrames(Patches((2, 4), 2), np.array([[0], [1], [2], [3]], np.uint8))
    sure, even, two = [60.0, 0, 0, 0], [1.0, 1, 1, 1], [5.0, 5, -60, -60]
    pixels = torch.tensor([sure, even, two, sure]).T  # (K, P) of one patch
    logits = torch.stack([pixels, torch.tensor([even] * 4).T]).reshape(1, 1, 2, 4, 4)
    expected = (math.log(4) + math.log(2) + 4 * math.log(4)) / 8
    assert frames.entropy(torch.cat([logits, 0 * logits])).tolist() == pytest.approx([expected, math.log(4)], abs=1e-5)


def test_the_entropy_of_intensities_is_that_of_bernoullis():
    frames = ColourFrames(Patches((1, 1), 1), 2)
    logits = torch.tensor([[0.0, 100.0], [-200.0, 0.0], [math.log(3), math.log(3)]]).reshape(3, 1, 1, 2, 1)
    quarter = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert frames.entropy(logits).tolist() == pytest.approx([math.log(2), math.log(2), 2 * quarter], abs=1e-5)
