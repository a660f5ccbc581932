"""The rules of Rally, with positions written out."""

from __future__ import annotations

import numpy as np
import pytest
from cells import cells
from numpy.random import Generator

from dreamplay.envs.rally import Rally

BALL, PLAYER, OPPONENT = Rally.colors[1:]


class FixedDraws:
    """Stands in for a generator: the opponent always follows (0.0) or never does (0.999)."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


def placed(row: int, column: int, dy: int, dx: int, player: int = 5, opponent: int = 5, follows: bool = False) -> Rally:
    game = Rally()
    game.reset(seed=0)
    game._row, game._column, game._dy, game._dx = row, column, dy, dx
    game._player, game._opponent = player, opponent
    game._np_random = FixedDraws(0.0 if follows else 0.999)  # type: ignore[assignment]
    return game


def balls(game: Rally, actions: list[int]) -> list[tuple[int, int]]:
    return [cell for action in actions for cell in cells(game.step(action)[0], BALL)]


def test_the_first_frame() -> None:
    for seed in range(30):
        game = Rally()
        frame, _ = game.reset(seed=seed)
        ((row, column),) = cells(frame, BALL)
        assert cells(frame, PLAYER) == [(5, 13), (6, 13), (7, 13)]
        assert cells(frame, OPPONENT) == [(5, 0), (6, 0), (7, 0)]
        assert column in (6, 7) and 2 <= row <= 10
        # left of the middle it heads for the player, and up or down towards the middle row
        assert balls(game, [0]) == [(row + (1 if row < 6 else -1), column + (1 if column == 6 else -1))]


def test_the_ball_turns_at_the_top_and_at_the_bottom() -> None:
    assert balls(placed(2, 5, dy=-1, dx=1), [0] * 4) == [(1, 6), (1, 7), (2, 8), (3, 9)]
    assert balls(placed(10, 5, dy=1, dx=1), [0] * 4) == [(11, 6), (11, 7), (10, 8), (9, 9)]


@pytest.mark.parametrize(("player", "after"), [(6, (4, 11)), (5, (6, 11)), (4, (6, 11))])
def test_where_the_paddle_is_hit_decides_the_angle(player: int, after: tuple[int, int]) -> None:
    # From (5, 12) heading down the ball comes to row 6: the paddle's top cell, middle and bottom cell in turn.
    assert balls(placed(5, 12, dy=1, dx=1, player=player), [0]) == [after]


def test_the_opponent_returns_the_ball_too() -> None:
    assert balls(placed(5, 1, dy=1, dx=-1, opponent=5), [0, 0]) == [(6, 2), (7, 3)]
    assert balls(placed(5, 1, dy=1, dx=-1, opponent=6), [0, 0]) == [(4, 2), (3, 3)]


def test_a_lost_ball_scores_and_is_served_away_from_the_loser() -> None:
    game = placed(3, 12, dy=1, dx=1, player=9)
    frame, reward, terminated, *_ = game.step(0)
    assert (reward, terminated) == (-1.0, False)
    assert cells(frame, BALL) == [(4, 7)] and cells(frame, OPPONENT)[0] == (0, 0)
    assert balls(game, [0]) == [(5, 6)]
    game = placed(3, 1, dy=1, dx=-1, opponent=9)
    frame, reward, terminated, *_ = game.step(0)
    assert (reward, terminated) == (1.0, False)
    assert cells(frame, BALL) == [(4, 6)] and cells(frame, PLAYER)[0] == (0, 13)
    assert balls(game, [0]) == [(5, 7)]


@pytest.mark.parametrize("column", [1, 12])
def test_three_points_end_the_episode(column: int) -> None:
    game = placed(3, column, dy=1, dx=-1 if column == 1 else 1, player=9, opponent=9)
    game._won = game._lost = 2
    frame, reward, terminated, truncated, _ = game.step(0)
    assert (reward, terminated, truncated) == (1.0 if column == 1 else -1.0, True, False)
    assert cells(frame, BALL) == [(4, 0 if column == 1 else 13)]


def test_the_player_moves_and_stops_at_the_court() -> None:
    game = placed(6, 5, dy=1, dx=-1, player=2)
    assert [cells(game.step(1)[0], PLAYER)[0][0] for _ in range(3)] == [1, 1, 1]
    game = placed(6, 5, dy=1, dx=-1, player=8)
    assert [cells(game.step(2)[0], PLAYER)[0][0] for _ in range(3)] == [9, 9, 9]


def test_the_opponent_follows_or_stays_by_chance() -> None:
    for follows, top in ((True, 4), (False, 5)):
        game = placed(2, 6, dy=1, dx=1, opponent=5, follows=follows)
        frame, _, _, _, info = game.step(0)
        assert cells(frame, OPPONENT)[0] == (top, 0) and info["chance"] is True


@pytest.mark.parametrize(("row", "opponent"), [(6, 5), (1, 1), (2, 1), (11, 9)])
def test_an_opponent_with_nowhere_to_go_is_no_chance(row: int, opponent: int) -> None:
    game = placed(row, 6, dy=1, dx=1, opponent=opponent)
    frame, _, _, _, info = game.step(0)
    assert info["chance"] is False and cells(frame, OPPONENT)[0] == (opponent, 0)


def test_the_opponent_follows_four_times_in_five() -> None:
    moved = 0
    for seed in range(2000):
        game = placed(2, 6, dy=1, dx=1)
        game._np_random = Generator(np.random.PCG64(seed))
        moved += cells(game.step(0)[0], OPPONENT)[0] == (4, 0)
    assert abs(moved / 2000 - 0.8) < 0.03  # more than three standard errors


def where_it_arrives(game: Rally) -> int:
    row, dy = game._row, game._dy
    for _ in range(13 - game._column):
        if 1 <= row + dy <= 11:
            row += dy
        else:
            dy = -dy
    return row


def test_a_perfect_player_wins_and_a_random_one_mostly_loses() -> None:
    rng = np.random.default_rng(0)
    returns: dict[str, list[float]] = {"perfect": [], "random": []}
    for seed in range(40):
        for kind, totals in returns.items():
            game, total = Rally(), 0.0
            game.reset(seed=seed)
            for _ in range(500):
                target = (where_it_arrives(game) if game._dx > 0 else 6) - seed % 3
                action = 0 if target == game._player else 1 if target < game._player else 2
                _, reward, terminated, _, _ = game.step(action if kind == "perfect" else int(rng.integers(3)))
                total += reward
                if terminated:
                    break
            totals.append(total)
    assert min(returns["perfect"]) >= 1 and np.mean(returns["perfect"]) > 2.5
    assert np.mean(returns["random"]) < -0.5 and np.mean(np.array(returns["random"]) < 0) > 0.65
