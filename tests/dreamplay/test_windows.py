"""Windows: never across an episode's end, the mask exactly right, every transition drawn, the same again for a seed."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamplay.episodes import Episode
from dreamplay.windows import Places, Windows

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=6)


def numbered(lengths: list[int]) -> list[Episode]:
    """Episodes whose frames hold (episode, t), and whose actions and rewards number their transition from 1 on."""
    episodes, first = [], 1
    for number, length in enumerate(lengths):
        frames = np.stack([np.full(length + 1, number), np.arange(length + 1)], axis=1).astype(np.uint8)
        actions = np.arange(first, first + length)
        last = np.arange(length) == length - 1
        episodes.append(
            Episode(frames[:, None, :, None], actions, actions.astype(np.float32), last, np.zeros_like(last), last)
        )
        first += length
    return episodes


@settings(deadline=None)
@given(lengths=LENGTHS, length=st.integers(1, 15), batch=st.integers(1, 8), seed=st.integers(0, 2**32))
def test_a_window_is_a_slice_of_one_episode_and_padding_past_its_end(lengths, length, batch, seed):
    drawn = Windows(numbered(lengths)).sample(np.random.default_rng(seed), batch, length)
    firsts = np.cumsum([1, *lengths[:-1]])
    assert drawn.observations.shape == (batch, length + 1, 1, 2, 1)
    for b in range(batch):
        episode, start = (int(value) for value in drawn.observations[b, 0].ravel())
        count = min(length, lengths[episode])
        assert start <= lengths[episode] - count  # moved inside: padding only where the episode is too short
        times = np.minimum(start + np.arange(length + 1), start + count)
        np.testing.assert_array_equal(drawn.observations[b, :, 0, 0, 0], episode)
        np.testing.assert_array_equal(drawn.observations[b, :, 0, 1, 0], times)
        real = np.arange(length) < count
        expected = np.where(real, firsts[episode] + start + np.arange(length), 0)
        np.testing.assert_array_equal(drawn.mask[b], real)
        np.testing.assert_array_equal(drawn.actions[b], expected)
        np.testing.assert_array_equal(drawn.rewards[b], expected.astype(np.float32))
        np.testing.assert_array_equal(drawn.terminated[b], real & (times[:-1] == lengths[episode] - 1))


@settings(deadline=None, max_examples=50)
@given(lengths=LENGTHS, length=st.integers(1, 15), seed=st.integers(0, 2**32))
def test_every_step_has_a_number_of_its_own(lengths, length, seed):
    windows = Windows(numbered(lengths))
    places = windows.draw(np.random.default_rng(seed), 4, length)
    for later in (0, length):  # windows may go on past the end
        drawn, numbers = (of(places.after(later), length) for of in (windows.gather, windows.numbers))
        assert np.array_equal(numbers[drawn.mask], drawn.actions[drawn.mask] - 1)
        ends = np.cumsum(lengths)[places.episodes]
        assert (numbers[~drawn.mask] == np.broadcast_to(ends[:, None] - 1, numbers.shape)[~drawn.mask]).all()
    assert windows.steps == sum(lengths)


@settings(deadline=None, max_examples=50)
@given(lengths=LENGTHS, length=st.integers(1, 5), windows=st.integers(1, 5), seed=st.integers(0, 2**32))
def test_windows_that_follow_each_other_make_up_the_long_one(lengths, length, windows, seed):
    """The parts of a long window, one after the other: never across an episode's end either."""
    drawn = Windows(numbered(lengths))
    places = drawn.draw(np.random.default_rng(seed), 4, length * windows)
    whole = drawn.gather(places, length * windows)
    for part in range(windows):
        steps, batch = slice(part * length, (part + 1) * length), drawn.gather(places, length)
        frames = slice(steps.start, steps.stop + 1)
        np.testing.assert_array_equal(batch.observations, whole.observations[:, frames])
        for name in ("actions", "rewards", "terminated", "mask"):
            np.testing.assert_array_equal(getattr(batch, name), getattr(whole, name)[:, steps])
        assert drawn.go_on(places) == batch.mask.any()
        places = places.after(length)


def test_places_go_on_until_the_last_episode_has_ended():
    windows, places = Windows(numbered([3, 5])), Places(np.array([0, 1]), np.array([0, 1]))
    assert [windows.go_on(places.after(steps)) for steps in (0, 2, 3, 4)] == [True, True, True, False]


@settings(deadline=None, max_examples=30)
@given(lengths=LENGTHS, length=st.integers(1, 15), seed=st.integers(0, 2**32))
def test_the_same_state_of_the_generator_gives_the_same_batch(lengths, length, seed):
    windows = Windows(numbered(lengths))
    one, two = (windows.sample(np.random.default_rng(seed), 5, length) for _ in range(2))
    for name in ("observations", "actions", "rewards", "terminated", "mask"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), strict=True)


def expected_coverage(lengths: list[int], length: int) -> np.ndarray:
    """How often a window holds each transition, by going through every draw there is."""
    total, held = sum(max(steps, length) for steps in lengths), []
    for steps in lengths:
        counts = [Fraction(0)] * steps
        for t in range(max(steps, length)):
            for offset in range(length):
                start = min(max(t - offset, 0), max(0, steps - length))
                for at in range(start, min(start + length, steps)):
                    counts[at] += Fraction(1, total * length)
        held += counts
    return np.array(held, float)


@pytest.mark.parametrize("length", [1, 4, 9])
def test_coverage_is_what_the_definition_says(length):
    lengths, draws = [3, 20, 1, 9, 40], 40_000
    drawn = Windows(numbered(lengths)).sample(np.random.default_rng(0), draws, length)
    counts = np.bincount(drawn.actions[drawn.mask], minlength=sum(lengths) + 1)[1:]
    chance = expected_coverage(lengths, length)
    deviations = (counts - draws * chance) / np.sqrt(draws * chance * (1 - chance))
    assert np.abs(deviations).max() < 4
    assert np.mean(deviations**2) < 1.5
    if length == 1:
        np.testing.assert_allclose(chance, 1 / sum(lengths))


def test_nowhere_is_a_transition_less_than_half_as_likely_as_on_average():
    chance = expected_coverage([20, 9, 40, 3], 8)
    assert chance.min() > 0.5 * chance.mean()
    assert chance.max() < 1.6 * chance.mean()
    np.testing.assert_allclose(chance[29 + 8 : -3 - 8], 8 / 77)  # away from the ends: exactly alike,
    np.testing.assert_allclose(chance[-3:], 8 / 77)  # and in an episode shorter than a window


def test_vector_actions_are_padded_with_zeros():
    whole = numbered([2])[0]
    actions = np.array([[1.5, 2.5], [3.5, 4.5]], np.float32)
    episode = Episode(whole.observations, actions, whole.rewards, whole.terminated, whole.truncated, whole.chance)
    drawn = Windows([episode]).sample(np.random.default_rng(0), 1, 4)
    np.testing.assert_array_equal(drawn.actions[0], np.array([*actions, [0, 0], [0, 0]], np.float32), strict=True)


def test_nothing_to_draw_from_is_an_error():
    with pytest.raises(ValueError, match="at least one episode"):
        Windows([])
    with pytest.raises(ValueError, match="at least 1"):
        Windows(numbered([3])).sample(np.random.default_rng(0), 0, 4)
