"""The rules of Catch, with positions written out."""

from __future__ import annotations

import gymnasium as gym
import pytest
from cells import cells

import dreamplay  # noqa: F401  (registers the ids)
from dreamplay.envs.catch import Catch

PIP, OBJECT, PADDLE = Catch.colors[1:]


def placed(row: int, column: int, paddle: int) -> Catch:
    game = Catch()
    game.reset(seed=0)
    game._row, game._column, game._paddle = row, column, paddle
    return game


def test_the_first_frame() -> None:
    columns, paddles = set(), set()
    for seed in range(200):
        frame, _ = Catch().reset(seed=seed)
        ((row, column),) = cells(frame, OBJECT)
        paddle = cells(frame, PADDLE)
        assert row == 1
        assert cells(frame, PIP) == [(0, index) for index in range(10)]
        assert paddle == [(9, paddle[0][1] + index) for index in range(3)]
        columns.add(column)
        paddles.add(paddle[0][1])
    assert columns == set(range(10)) and paddles == set(range(8))


def test_an_object_falls_is_caught_and_the_next_one_appears_three_columns_on() -> None:
    game = placed(6, 8, paddle=4)
    seen, rewards = [], []
    for action in (2, 2, 2, 0, 0):
        frame, reward, *_ = game.step(action)
        seen += cells(frame, OBJECT)
        rewards.append(reward)
    assert seen == [(7, 8), (8, 8), (9, 8), (1, 1), (2, 1)]
    assert rewards == [0, 0, 1, 0, 0]
    assert len(cells(frame, PIP)) == 10 and cells(frame, PADDLE) == [(9, 7), (9, 8), (9, 9)]


@pytest.mark.parametrize(("paddle", "reward"), [(1, -1.0), (2, 1.0), (3, 1.0), (4, 1.0), (5, -1.0)])
def test_the_paddle_catches_with_all_three_cells(paddle: int, reward: float) -> None:
    game = placed(8, 4, paddle)
    frame, got, *_ = game.step(0)
    assert got == reward
    assert len(cells(frame, PIP)) == (10 if reward > 0 else 9)


def test_the_paddle_moves_before_the_object_lands() -> None:
    assert placed(8, 4, paddle=1).step(2)[1] == 1.0
    assert placed(8, 4, paddle=2).step(1)[1] == -1.0


def test_ten_misses_end_the_episode() -> None:
    game = placed(1, 0, paddle=0)
    game._pips = 1
    game._row, game._column = 8, 9
    frame, reward, terminated, truncated, _ = game.step(0)
    assert (reward, terminated, truncated) == (-1.0, True, False)
    assert cells(frame, PIP) == []


def test_every_object_can_be_caught_and_the_episode_is_cut_after_200_steps() -> None:
    for seed in range(10):
        env = gym.make("Dreamplay/Catch-v0")
        env.reset(seed=seed)
        game = env.unwrapped
        assert isinstance(game, Catch)
        rewards, done, steps = [], False, 0
        while not done:
            column = game._column if game._row < 9 else (game._column + 3) % 10
            target = min(7, max(0, column - 1))
            action = 0 if target == game._paddle else 1 if target < game._paddle else 2
            _, reward, terminated, truncated, _ = env.step(action)
            rewards.append(reward)
            steps += 1
            done = terminated or truncated
        assert (steps, terminated) == (200, False)
        assert sum(rewards) == 22 and min(rewards) == 0
