"""Decided and open pixels of futures drawn by hand, and the real opponent's odds."""

import gymnasium as gym
import numpy as np
import pytest

import dreamplay
from scripts.check_chance import Check, goes_on_as_a_copy, open_moves, right_where_decided, states


def pixels(*rows: list[int]) -> np.ndarray:
    """Frames of one row of gray pixels: uint8 (len(rows), 1, W, 1)."""
    return np.array(rows, np.uint8)[:, None, :, None]


def test_a_dream_is_judged_where_all_futures_agree() -> None:
    futures = np.stack([pixels([1, 0, 5], [1, 0, 6]), pixels([1, 0, 5], [1, 9, 7])])  # two of two steps
    right, share = right_where_decided(futures, pixels([1, 0, 5], [1, 3, 4]))
    assert right.tolist() == [True, True] and share == pytest.approx([1, 1 / 3])
    right, _ = right_where_decided(futures, pixels([1, 0, 4], [2, 0, 6]))
    assert right.tolist() == [False, False]


def test_how_often_open_pixels_change() -> None:
    last = pixels([0, 0, 0])[0]
    futures = pixels([7, 1, 0], [7, 0, 0], [7, 1, 0], [7, 1, 0])  # only the middle one is open
    assert open_moves(last, futures, pixels([0, 1, 1], [7, 0, 0])) == (0.75, 0.5)
    assert open_moves(last, futures[:1], futures) is None


def test_the_odds_of_the_real_game_are_found() -> None:
    env = dreamplay.make_env("Dreamplay/Rally-v0")
    found = []
    for state in states(env, Check(run=None, states=20, futures=50, horizon=3)):  # type: ignore[arg-type]
        assert state.observations.shape[0] == 10 and len(state.actions) == 9 + 3
        assert state.futures.shape[:2] == (50, 3)
        pair = open_moves(state.observations[-1], state.futures[:, 0], state.futures[:, 0])
        if pair is not None:
            found.append(pair[0])
    assert len(found) > 10
    assert np.mean(found) == pytest.approx(0.8, abs=0.04), "the opponent follows four times out of five"


class Forgetful(gym.Wrapper):
    """Its copies begin a new episode, as those of an emulator do."""

    def __deepcopy__(self, memo: dict) -> gym.Env:
        other = dreamplay.make_env("Dreamplay/Rally-v0")
        other.reset(seed=99)
        return other


def test_copies_that_begin_anew_are_noticed() -> None:
    env = dreamplay.make_env("Dreamplay/Rally-v0")
    env.reset(seed=0)
    assert goes_on_as_a_copy(env)
    forgetful = Forgetful(env)
    forgetful.reset(seed=0)
    assert not goes_on_as_a_copy(forgetful)
    with pytest.raises(SystemExit, match="cannot be copied"):
        next(states(forgetful, Check(run=None)))  # type: ignore[arg-type]


def test_without_chance_everything_is_decided() -> None:
    env = dreamplay.make_env("Dreamplay/Catch-v0")
    for state in states(env, Check(run=None, states=3, futures=5, horizon=10)):  # type: ignore[arg-type]
        right, share = right_where_decided(state.futures, state.futures[0])
        assert right.all() and (share == 1).all()
