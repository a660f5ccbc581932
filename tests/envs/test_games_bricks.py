"""The rules of Bricks, with positions written out."""

from __future__ import annotations

import copy
from collections import deque
from typing import Any

import numpy as np
import pytest
from cells import cells

from dreamplay.envs.bricks import WALL, Bricks

PIP, BALL, PADDLE = Bricks.colors[1:4]
BRICKS = Bricks.colors[4:]


def placed(row: int, column: int, dx: int, dy: int, paddle: int, wall: list[tuple[int, int]] | None = None) -> Bricks:
    """A game in which the ball is at (row, column), the paddle's left edge at `paddle`; None = the whole wall."""
    game = Bricks()
    game.reset(seed=0)
    game._row, game._column, game._dx, game._dy, game._paddle = row, column, dx, dy, paddle
    if wall is not None:
        game._board[10:40] = bytes(30)
        for cell in wall:
            game._board[cell[0] * 10 + cell[1]] = 3 + cell[0]
        game._bricks = len(wall)
    return game


def play(game: Bricks, actions: list[int]) -> tuple[list[tuple[int, int]], list[float]]:
    """The ball's cell and the reward after each step."""
    balls, rewards = [], []
    for action in actions:
        frame, reward, *_ = game.step(action)
        balls += cells(frame, BALL)
        rewards.append(reward)
    return balls, rewards


def test_the_first_frame() -> None:
    for seed in range(30):
        game = Bricks()
        frame, _ = game.reset(seed=seed)
        ((row, column),) = cells(frame, BALL)
        assert cells(frame, PIP) == [(0, 0), (0, 1), (0, 2)]
        for index, color in enumerate(BRICKS):
            assert cells(frame, color) == [(1 + index, column) for column in range(10)]
        left = cells(frame, PADDLE)[0][1]
        assert cells(frame, PADDLE) == [(9, left), (9, left + 1), (9, left + 2)]
        assert left in (3, 4)
        ((_, after),) = cells(game.step(0)[0], BALL)
        direction = 1 if row == 4 else -1  # the start row tells the direction
        assert row in (4, 5)
        assert after == column if not 0 <= column + direction < 10 else after == column + direction


def test_the_ball_falls_turns_at_the_side_and_leaves_by_the_paddle() -> None:
    game = placed(5, 8, dx=1, dy=1, paddle=6)
    balls, rewards = play(game, [0] * 6)
    # right wall after (6, 9); the paddle covers 6..8: column 7 is its middle, which keeps the direction
    assert balls == [(6, 9), (7, 9), (8, 8), (7, 7), (6, 6), (5, 5)]
    assert rewards == [0] * 6


@pytest.mark.parametrize(
    ("column", "dx", "paddle", "after"),
    [  # the ball comes down on column 5: the paddle's left cell, middle and right cell in turn
        (4, 1, 5, (7, 3)),
        (4, 1, 4, (7, 5)),
        (4, 1, 3, (7, 5)),
        (6, -1, 5, (7, 5)),
        (6, -1, 4, (7, 5)),
        (6, -1, 3, (7, 7)),
    ],
)
def test_where_the_paddle_is_hit_decides_the_way(column: int, dx: int, paddle: int, after: tuple[int, int]) -> None:
    assert play(placed(8, column, dx=dx, dy=1, paddle=paddle), [0])[0] == [after]


def test_a_brick_is_knocked_out_and_turns_the_ball() -> None:
    game = placed(4, 4, dx=1, dy=-1, paddle=0)
    frame, reward, terminated, _, _ = game.step(0)
    assert reward == 1.0 and not terminated
    assert cells(frame, BALL) == [(5, 5)]
    assert cells(frame, BRICKS[2]) == [(3, column) for column in range(10) if column != 5]


def test_the_ceiling_turns_the_ball() -> None:
    balls, rewards = play(placed(2, 4, dx=-1, dy=-1, paddle=0, wall=[(3, 9)]), [0] * 4)
    assert balls == [(1, 3), (2, 2), (3, 1), (4, 0)]
    assert rewards == [0] * 4


def test_between_two_bricks_the_ball_waits_a_step() -> None:
    game = placed(2, 4, dx=1, dy=-1, paddle=0, wall=[(1, 5), (3, 5), (3, 9)])
    balls, rewards = play(game, [0, 0, 0, 0])
    assert balls == [(2, 4), (1, 5), (2, 6), (3, 7)]
    assert rewards == [1, 1, 0, 0]


def test_a_lost_ball_costs_a_pip_and_comes_back_where_it_was_lost() -> None:
    game = placed(7, 2, dx=1, dy=1, paddle=7)
    frames = [game.step(0)[0] for _ in range(4)]
    assert [cells(frame, BALL)[0] for frame in frames] == [(8, 3), (4, 4), (5, 5), (6, 6)]
    assert [len(cells(frame, PIP)) for frame in frames] == [3, 2, 2, 2]


def test_the_third_lost_ball_ends_the_episode() -> None:
    game = placed(8, 2, dx=1, dy=1, paddle=7)
    game._lives = 1
    frame, reward, terminated, truncated, _ = game.step(0)
    assert (reward, terminated, truncated) == (0.0, True, False)
    assert cells(frame, BALL) == [(9, 3)]


def test_the_paddle_stops_at_the_edges() -> None:
    for action, end in ((1, 0), (2, 7)):
        game = placed(5, 5, dx=1, dy=-1, paddle=abs(end - 1), wall=[(1, 0)])
        lefts = [cells(game.step(action)[0], PADDLE)[0][1] for _ in range(3)]
        assert lefts == [end] * 3


def test_a_cleared_wall_comes_back_when_the_ball_is_down() -> None:
    game = placed(4, 4, dx=1, dy=-1, paddle=8, wall=[(3, 5)])
    rewards = [game.step(2)[1] for _ in range(4)]
    assert rewards == [1, 0, 0, 0]
    frame = game._frame()
    assert cells(frame, BALL) == [(8, 8)] and not any(cells(frame, color) for color in BRICKS)
    frame = game.step(0)[0]  # the paddle's right cell, column 9
    assert cells(frame, BALL) == [(7, 9)]
    assert game._board[10:40] == WALL and game._bricks == 30


def advance(state: tuple[int, ...], action: int, game: Bricks, brick: tuple[int, int]) -> Any:
    game._row, game._column, game._dx, game._dy, game._paddle = state
    game._lives, game._bricks = 3, 1
    game._board[brick[0] * 10 + brick[1]] = 4
    reward, _, _ = game._advance(action)
    return (game._row, game._column, game._dx, game._dy, game._paddle), reward, game._lives < 3


@pytest.mark.parametrize("brick", [(row, column) for row in (1, 2, 3) for column in range(10)])
def test_no_last_brick_is_out_of_reach(brick: tuple[int, int]) -> None:
    """From any column and direction, a player who never loses the ball can hit any single brick."""
    game = placed(7, 0, 1, -1, 0, wall=[brick])
    for column, dx in ((0, 1), (9, -1), (4, 1), (4, -1), (5, 1)):
        start = (7, column, dx, -1, min(7, column))
        seen, queue, hit = {start}, deque([start]), False
        while queue and not hit:
            state = queue.popleft()
            for action in range(3):
                after, reward, lost = advance(state, action, game, brick)
                hit |= reward > 0
                if not lost and after not in seen:
                    seen.add(after)
                    queue.append(after)
        assert hit, (brick, column, dx)


def where_it_comes_down(game: Bricks) -> int:
    ahead = copy.deepcopy(game)
    while ahead._row < 8 or ahead._dy < 0:
        ahead.step(0)
    return ahead._turn_at_sides()


def test_a_good_player_loses_no_ball_and_earns_far_more_than_chance() -> None:
    rng = np.random.default_rng(0)
    returns: dict[str, list[float]] = {"good": [], "random": []}
    for seed in range(10):
        for kind, totals in returns.items():
            game, total, terminated = Bricks(), 0.0, False
            game.reset(seed=seed)
            steps = 0
            while not terminated and steps < 500:
                if kind == "good":
                    target = where_it_comes_down(game) - game._bricks % 3  # any of the paddle's cells will do
                    action = 0 if target == game._paddle else 1 if target < game._paddle else 2
                else:
                    action = int(rng.integers(3))
                _, reward, terminated, _, _ = game.step(action)
                total += reward
                steps += 1
            totals.append(total)
            assert kind == "random" or game._lives == 3
    assert min(returns["good"]) > 20
    assert np.mean(returns["good"]) > 10 * np.mean(returns["random"])
