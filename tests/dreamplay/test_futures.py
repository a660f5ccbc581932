"""Sampled futures of coins: as far apart as they are from truth, or too much alike; forecasts of known odds."""

import json

import numpy as np
import pytest
from coins import SHAPE, Coins, coin_episode

from dreamplay.futures import SAMPLES, Futures, future_windows, sampled_futures
from dreamplay.horizon_windows import Window, choose_windows

PIXELS = SHAPE[0] * SHAPE[1]
HORIZONS = np.array([1, 2, 5, 10, 20, 50, 100])


def measure(dreamer: Coins, episodes, count: int = 400) -> Futures:
    windows = future_windows(choose_windows(episodes, count, 1000, np.random.default_rng(0)))
    done: list[int] = []
    result = sampled_futures(dreamer, windows, HORIZONS, seed=0, on_window=done.append)
    assert sum(done) == SAMPLES * len(windows)
    return result


@pytest.mark.parametrize(("true", "dreamed"), [(0.5, 0.5), (0.2, 0.2), (0.5, 0.1), (0.2, 0.5)])
def test_distances_are_those_of_the_odds(true: float, dreamed: float) -> None:
    spread = measure(Coins(dreamed), [coin_episode(400, true)]).spread
    apart = 2 * dreamed * (1 - dreamed)
    off = true * (1 - dreamed) + dreamed * (1 - true)
    assert list(spread) == HORIZONS.tolist()
    for at in spread.values():
        assert at.from_truth == pytest.approx(off * PIXELS, rel=0.05)
        assert at.from_each_other == pytest.approx(apart * PIXELS, rel=0.05)
        assert at.diversity == pytest.approx(apart / off, rel=0.05)
        assert at.diversity_ci95 is not None and at.diversity_ci95[0] < at.diversity < at.diversity_ci95[1]


def test_one_future_has_no_diversity_and_a_true_one_no_distance() -> None:
    assert all(at.diversity == 0 for at in measure(Coins(0.5, one=True), [coin_episode(400, 0.5)]).spread.values())
    certain = measure(Coins(0), [coin_episode(400, 0)]).spread[10]
    assert (certain.from_truth, certain.from_each_other, certain.diversity) == (0, 0, None)


def test_pixels_and_rewards_are_calibrated_or_not() -> None:
    episodes = [coin_episode(2000, 0.3, reward=0.25)]
    good = measure(Coins(0.3, reward=0.25), episodes).calibration
    assert good["pixel"].true == pytest.approx(0.42, abs=0.02)  # lit before and dark now, or the other way round
    assert good["pixel"].error == pytest.approx(0, abs=0.02)
    assert good["reward"].dreamed == pytest.approx(0.25) and good["reward"].true == pytest.approx(0.25, abs=0.02)
    assert good["reward"].error == pytest.approx(0, abs=0.02)
    bad = measure(Coins(0.6, reward=0.45), episodes).calibration
    assert bad["reward"].error == pytest.approx(0.2, abs=0.02)
    assert bad["pixel"].error is not None and bad["pixel"].error > 0.05


@pytest.mark.parametrize(("dreamed", "right"), [(0.05, True), (0.2, False)])
def test_the_end_is_forecast_from_the_context_on(dreamed: float, right: bool) -> None:
    episodes = [coin_episode(10**6, 0.5, seed, reward=0.25, end=0.05) for seed in range(1000, 1300)]
    windows = [Window(episode, 0, 1, len(episode)) for episode in episodes]
    forever = Window(coin_episode(100, 0.5), 0, 1, 100)  # cut off: what came then is not known
    result = sampled_futures(Coins(0.5, end=dreamed), [*windows[:-1], forever], HORIZONS, seed=0).calibration
    error = result["termination"].error
    assert error is not None and (error < 0.003) == right, error
    reward = result["reward"]  # only as long as the episode lives
    assert reward.excess_ci95 is not None and (reward.excess_ci95[0] < 0 < reward.excess_ci95[1]) == right


def test_only_every_fourth_window_up_to_a_hundred_steps() -> None:
    windows = choose_windows([coin_episode(400, 0.5)], 40, 1000, np.random.default_rng(0))
    sampled = future_windows(windows)
    assert [w.start for w in sampled] == [w.start for w in windows[::4]]
    assert max(w.steps for w in sampled) == 100


def test_windows_that_do_not_last_do_not_count() -> None:
    windows = [Window(coin_episode(length, 0.5), 0, 1, length) for length in (3, 12, 25)]
    result = sampled_futures(Coins(0.5), windows, HORIZONS, seed=0)
    assert {h: at.windows for h, at in result.spread.items()} == {1: 3, 2: 3, 5: 2, 10: 2, 20: 1}
    assert result.calibration["reward"].count == 3 + 12 + 25
    assert result.calibration["pixel"].count == PIXELS * (2 + 4 + 5)
    assert json.loads(json.dumps(result.to_json(), allow_nan=False))["futures"]["horizons"]["5"]["windows"] == 2
