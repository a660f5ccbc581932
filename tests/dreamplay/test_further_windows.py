"""Further windows: decided as long as they have to be, drawn where windows are missing, counted where that is fair."""

import numpy as np
from coins import Coins, coin_episode

from dreamplay.episodes import Episode
from dreamplay.further_windows import further_windows
from dreamplay.futures import future_windows
from dreamplay.horizon import held_out_windows, truth_horizon
from dreamplay.horizon_windows import choose_windows

HORIZONS = np.array([1, 2, 5, 10, 20, 50, 100, 200])


def quiet(steps: int, chance: list[int], seed: int = 0) -> Episode:
    episode = coin_episode(steps, 0.2, seed)
    episode.chance[:] = False
    episode.chance[chance] = True
    return episode


def test_they_are_decided_up_to_their_horizon_and_nothing_is_drawn_twice() -> None:
    noisy = [quiet(400, list(range(0, 300, 3)), seed) for seed in range(3)]  # a hundred quiet steps at the end
    chosen = choose_windows(noisy, 30, 1000, np.random.default_rng(0))
    further = further_windows(noisy, chosen, HORIZONS, 200, np.random.default_rng(1))
    places = [(id(w.episode), w.start) for w in [*chosen, *further]]
    assert len(set(places)) == len(places)
    for window in further:
        assert window.decided[: window.counts_from].all() and window.decided.all() and window.steps <= 100
        assert window.context == 10 and window.counts_from in HORIZONS
    for horizon in (1, 2, 5, 10, 20, 50):
        decided = [w for w in [*chosen, *further] if w.steps >= horizon and w.decided[horizon - 1]]
        assert len([w for w in decided if w.counts_from <= horizon]) >= 50, horizon
    assert max(w.counts_from for w in further) <= 100


def test_none_where_there_are_enough_or_none_to_find() -> None:
    calm = [quiet(400, [])]
    chosen = choose_windows(calm, 200, 1000, np.random.default_rng(0))
    assert further_windows(calm, chosen, HORIZONS, 200, np.random.default_rng(1)) == []
    assert further_windows([quiet(8, [])], [], HORIZONS, 200, np.random.default_rng(1)) == []
    wild = [quiet(400, list(range(400)))]
    chosen = choose_windows(wild, 10, 1000, np.random.default_rng(0))
    assert further_windows(wild, chosen, HORIZONS, 200, np.random.default_rng(1)) == []


def test_no_more_than_were_asked_for() -> None:
    noisy = [quiet(400, list(range(0, 300, 3)))]
    chosen = choose_windows(noisy, 5, 1000, np.random.default_rng(0))
    further = further_windows(noisy, chosen, HORIZONS, 5, np.random.default_rng(1))
    assert 0 < len(further) <= 5 * len(HORIZONS)
    for horizon in (10, 20):
        assert sum(w.counts_from <= horizon <= w.steps for w in further) <= 10


def test_they_count_from_their_horizon_on_and_only_where_decided() -> None:
    noisy = [quiet(400, list(range(0, 300, 3)), seed) for seed in range(3)]
    chosen = choose_windows(noisy, 30, 100, np.random.default_rng(0))
    windows = held_out_windows(noisy, 30, 100, 0)
    assert windows[:30] == chosen and len(windows) > 30
    result = truth_horizon(Coins(0.2), noisy, noisy, windows=30, horizon=100, seed=0)
    for horizon, at in result.dream.items():
        reached = [w for w in windows if w.counts_from <= horizon <= w.steps]
        decided = [w for w in reached if w.decided[horizon - 1]]
        assert at.decided.windows == len(decided)
        assert len(decided) >= (30 if horizon < 100 else 9), "3 episodes have 3 windows each of 100 quiet steps"
        assert at.undecided.windows == len([w for w in chosen if w.steps >= horizon and not w.decided[horizon - 1]])
        events = sum((w.future(w.episode.rewards) != 0)[:horizon][w.decided[:horizon]].sum() for w in chosen)
        assert at.decided.reward_events == events
    assert all(w.counts_from == 0 for w in windows[:30]) and len(future_windows(windows)) == 8
