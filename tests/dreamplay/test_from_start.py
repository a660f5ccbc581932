"""Whole episodes: returns, final rewards and ends that are right, late, missing or too soon."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from dreamplay.episodes import Episode
from dreamplay.from_start import EPISODES, StartScores, from_start, start_windows
from dreamplay.simulator import Rollout


def episode(rewards: list[float], ends: bool = True, chance: tuple[int, ...] = ()) -> Episode:
    n = len(rewards)
    frames = np.zeros((n + 1, 3, 3, 1), np.uint8)
    frames[0] = len(rewards)
    terminated, luck = np.zeros(n, bool), np.zeros(n, bool)
    terminated[-1], luck[list(chance)] = ends, True
    return Episode(frames, np.arange(n), np.array(rewards, np.float32), terminated, np.zeros(n, bool), luck)


@dataclass(frozen=True)
class Script:
    """Dreams these rewards from the second step of an episode on, and an end at one of them."""

    rewards: tuple[float, ...]
    end: int | None = None

    def rollout(self, observations, actions, future_actions, *, temperature=0.0, seed=0) -> Rollout:
        assert observations.shape[1] == 2 and (actions == 0).all() and (future_actions[:, 0] == 1).all()
        b, t = future_actions.shape[:2]
        rewards = np.zeros((b, t), np.float32)
        rewards[:, : len(self.rewards)] = self.rewards[:t]
        ends = np.zeros((b, t), np.float32)
        if self.end is not None:
            ends[:, self.end] = 0.9
        return Rollout(np.zeros((b, t, 3, 3, 1), np.uint8), rewards, ends, (rewards != 0).astype(np.float32))


def scores(dreamer: Script, *episodes: Episode, horizon: int = 1000) -> StartScores:
    return from_start(dreamer, start_windows(episodes, horizon, 0), 0.5).decided


LAST = episode([0, 0, 0, 1])  # its dreamed steps give 0, 0, 1


@pytest.mark.parametrize(
    ("dreamer", "expected"),
    [
        (Script((0, 0, 1), end=2), (1, 1, 1)),
        (Script((0, 0, -1), end=2), (0, 0, 1)),
        (Script((0, 1, 0), end=2), (1, 0, 1)),  # too soon, but as much
        (Script((1, 0, 1), end=2), (0, 1, 1)),
        (Script((0, 0, 0), end=2), (0, 0, 1)),
        (Script((0, 0, 1), end=1), (1, 1, 0)),
        (Script((0, 0, 1)), (1, 1, 0)),
    ],
)
def test_one_episode(dreamer: Script, expected: tuple[int, int, int]) -> None:
    result = scores(dreamer, LAST)
    assert (result.return_right, result.final_reward_right, result.end_right) == expected
    assert (result.episodes, result.steps) == (1, 3)


def test_shares_of_several() -> None:
    others = [episode([0, 0, 0, sign]) for sign in (1, 1, 1, -1)]
    result = scores(Script((0, 0, 1), end=2), *others)
    assert (result.episodes, result.return_right, result.final_reward_right, result.end_right) == (4, 0.75, 0.75, 1)
    assert result.return_right_ci95 == pytest.approx((0.3006, 0.9544), abs=1e-4)


def test_what_the_context_already_gave_is_not_dreamed() -> None:
    assert scores(Script((0, 0, 1), end=2), episode([7, 0, 0, 1])).return_right == 1


def test_an_episode_cut_at_the_horizon_goes_on() -> None:
    result = scores(Script((0, 0)), episode([0, 0, 0, 1]), horizon=2)
    assert (result.steps, result.return_right, result.final_reward_right, result.end_right) == (2, 1, 1, 1)
    assert scores(Script((0, 0), end=1), episode([0, 0, 0, 1]), horizon=2).end_right == 0
    assert scores(Script((0, 0, 1)), episode([0, 0, 0, 1], ends=False)).end_right == 1


def test_what_chance_had_a_hand_in_is_apart() -> None:
    windows = start_windows([LAST, episode([0, 0, 0, -1], chance=(2,)), episode([0, 0, 0, 1], chance=(0,))], 1000, 0)
    result = from_start(Script((0, 0, 1), end=2), windows, 0.5)
    assert (result.decided.episodes, result.decided.return_right) == (2, 1), "before the context ends chance is known"
    assert (result.undecided.episodes, result.undecided.return_right) == (1, 0)
    encoded = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert (encoded["episodes"], encoded["return_right"], encoded["context"]) == (2, 1, 2)
    assert (encoded["undecided"], encoded["on_undecided"]["return_right"]) == (1, 0)


def test_windows_begin_at_the_start_and_are_drawn_once() -> None:
    episodes = [episode([0.0] * n) for n in (1, 2, 9)]
    assert [(w.start, w.context, w.steps) for w in start_windows(episodes, 1000, 0)] == [(0, 2, 1), (0, 2, 8)]
    many = start_windows([episode([0.0] * 3) for _ in range(EPISODES + 50)], 1000, 0)
    assert len({id(w.episode) for w in many}) == EPISODES


def test_no_episode_is_long_enough() -> None:
    result = scores(Script(()), episode([1.0]))
    assert (result.episodes, result.return_right, result.return_right_ci95, result.steps) == (0, None, None, None)
