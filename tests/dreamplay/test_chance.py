"""Moves of chance: dreamed as often as they are real, too rarely, too often, never."""

import numpy as np
import pytest
from coins import Coins, coin_episode

from dreamplay.chance import SAMPLES, STEPS, chance_moves, chance_windows
from dreamplay.episodes import Episode


def measure(dreamer: Coins, episode: Episode):
    done: list[int] = []
    windows = chance_windows([episode], seed=0)
    result = chance_moves(dreamer, windows, seed=0, on_window=done.append)
    assert result is not None and result.steps == len(windows) and sum(done) == SAMPLES * len(windows)
    return result


def dark(share: float) -> Episode:
    """The last frame before each step is dark, so a lit pixel is a change."""
    episode = coin_episode(600, share)
    episode.observations[::2] = 0
    episode.chance[1::2] = False  # into the dark leads no chance
    return episode


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_dream_that_knows_the_odds(share: float) -> None:
    result = measure(Coins(share), dark(share))
    assert result.steps == 300 and result.pixels > 10_000
    assert result.difference == pytest.approx(0, abs=0.015)
    assert result.difference_ci95 is not None
    assert result.difference_ci95[0] < 0 < result.difference_ci95[1]
    assert result.true is not None and result.dreamed is not None
    assert result.difference == pytest.approx(result.dreamed - result.true)


@pytest.mark.parametrize(("true", "dreamed"), [(0.5, 0.4), (0.5, 0.65), (0.8, 0.6)])
def test_odds_that_are_wrong_by_a_known_amount(true: float, dreamed: float) -> None:
    result = measure(Coins(dreamed), dark(true))
    never, always = (1 - true) * (1 - dreamed) ** SAMPLES, true * dreamed**SAMPLES  # all agree: not counted
    expected = (dreamed - true) / (1 - never - always)
    assert result.difference == pytest.approx(expected, abs=0.02)


def test_a_dream_without_chance_never_moves_what_truth_moves() -> None:
    result = measure(Coins(0), dark(0.5))
    assert (result.true, result.dreamed, result.difference) == (1, 0, -1)
    result = measure(Coins(1), dark(0.5))
    assert (result.true, result.dreamed, result.difference) == (0, 1, 1)


def test_what_all_agree_on_is_no_matter_of_chance() -> None:
    result = measure(Coins(0), dark(0))
    assert (result.pixels, result.true, result.difference, result.difference_ci95) == (0, None, None, None)


def test_only_steps_of_chance_after_what_was_really_seen() -> None:
    episode = coin_episode(30, 0.5)
    episode.chance[:] = False
    episode.chance[[0, 3, 25]] = True
    windows = chance_windows([episode], seed=0)
    assert [(w.start, w.context, w.steps) for w in windows] == [(0, 1, 1), (0, 4, 1), (16, 10, 1)]
    assert [w.now for w in windows] == [0, 3, 25]
    assert len(chance_windows([coin_episode(1000, 0.5)], seed=0)) == STEPS
    episode.chance[:] = False
    assert chance_windows([episode], seed=0) == [] and chance_moves(Coins(0.5), []) is None


def test_it_repeats_with_its_seed() -> None:
    windows = chance_windows([dark(0.5)], seed=1)
    assert chance_moves(Coins(0.5), windows, seed=3) == chance_moves(Coins(0.5), windows, seed=3)
    assert np.array_equal([w.now for w in windows], [w.now for w in chance_windows([dark(0.5)], seed=1)])
