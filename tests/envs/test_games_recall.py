"""The rules of Recall, with positions written out."""

from __future__ import annotations

import itertools

import pytest
from cells import cells

from dreamplay.envs.recall import Recall

MARKER, AVATAR = Recall.colors[1:3]
CUES = Recall.colors[3:]
SQUARE = [(6, 4), (6, 5), (7, 4), (7, 5)]


def started(cue: int, door: int) -> Recall:
    game = Recall()
    game.reset(seed=0)
    game._cue, game._door = cue, door
    return game


@pytest.mark.parametrize("cue", range(4))
def test_the_cue_is_shown_in_the_first_two_frames_only(cue: int) -> None:
    game = started(cue, 0)
    frames = [game._frame(), *(game.step(0)[0] for _ in range(52))]
    door = [(9, 1 + 2 * cue), (9, 2 + 2 * cue)]
    assert [cells(frame, CUES[cue]) for frame in frames[:2]] == [SQUARE + door] * 2
    assert all(cells(frame, CUES[cue]) == door for frame in frames[2:])


def test_after_the_cue_nothing_tells_it() -> None:
    games = [started(cue, 2) for cue in range(4)]
    for time in range(1, 53):
        steps = [game.step(time % 3) for game in games]
        if time >= 2:
            assert len({step[0].tobytes() for step in steps}) == 1
    assert sorted(step[1] for step in steps) == [-1, -1, -1, 1]


@pytest.mark.parametrize("cue", range(4))
@pytest.mark.parametrize("door", range(4))
def test_the_door_decides_after_exactly_52_steps(cue: int, door: int) -> None:
    game = started(cue, door)
    for _ in range(51):
        assert game.step(0)[1:4] == (0.0, False, False)
    assert game.step(0)[1:4] == (1.0 if cue == door else -1.0, True, False)


def test_the_last_move_still_counts() -> None:
    game = started(cue=2, door=1)
    for _ in range(51):
        game.step(0)
    assert game.step(2)[1] == 1.0


def test_the_avatar_moves_among_the_doors() -> None:
    game = started(0, 1)
    columns = [cells(game.step(action)[0], AVATAR) for action in (1, 1, 2, 2, 2, 2)]
    assert [[column for _, column in pair] for pair in columns] == [[1, 2], [1, 2], [3, 4], [5, 6], [7, 8], [7, 8]]
    assert all(row == 8 for pair in columns for row, _ in pair)


def test_the_marker_tells_the_time() -> None:
    game = started(0, 0)
    path = [cells(frame, MARKER)[0] for frame in (game._frame(), *(game.step(0)[0] for _ in range(52)))]
    assert path[0] == (0, 7) and path[3:5] == [(1, 9), (1, 8)] and path[-1] == (5, 0)
    assert len(set(path)) == 53
    assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in itertools.pairwise(path))


def test_the_start_draws_cue_and_door() -> None:
    starts = set()
    for seed in range(200):
        game = Recall()
        game.reset(seed=seed)
        starts.add((game._cue, game._door))
    assert len(starts) == 16
