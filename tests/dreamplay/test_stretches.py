"""Standing still and coming back, on stretches drawn by hand."""

import numpy as np
import pytest

from dreamplay.stretches import came_back, compare_stretch, stands_still

RED, BLUE = (200, 30, 30), (30, 30, 200)
BLACK = np.zeros((3, 9, 3), np.uint8)


def walk(*columns: int | None, colour: tuple[int, int, int] = RED) -> np.ndarray:
    """A pixel in row 1 that stands in these columns, one frame each; None is a frame without it."""
    frames = np.zeros((len(columns), 3, 9, 3), np.uint8)
    for frame, column in zip(frames, columns, strict=True):
        if column is not None:
            frame[1, column] = colour
    return frames


def places(frames: np.ndarray) -> list[list[int]]:
    return np.argwhere(came_back(frames, BLACK)).tolist()


def test_standing_still_is_without_a_visible_change_from_the_first_frame() -> None:
    assert stands_still(walk(2, 2, 2))
    assert not stands_still(walk(2, 3, 2))
    drift = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.full((1, 3, 9, 3), 4, np.uint8)
    assert stands_still(drift), "0, 4, ..., 16 gray levels"
    assert not stands_still(np.concatenate([drift, drift[-1:] + 1]))


@pytest.mark.parametrize(
    ("columns", "back"),
    [
        ((2, 3, 2), [[1, 2]]),  # there and back
        ((2, 2, 2), []),  # never left
        ((2, 3, 4), []),  # never came back
        ((4, 2, 3, 2), [[1, 2]]),  # came, left, came back
        ((4, 4, 2, 2), []),  # came and stayed
        ((2, 3, None), []),  # the background that came back is no object
        ((2, None, 2), [[1, 2]]),
    ],
)
def test_what_left_its_place_and_came_back(columns: tuple[int | None, ...], back: list[list[int]]) -> None:
    assert places(walk(*columns)) == back


def test_what_comes_back_in_another_colour_is_another_thing() -> None:
    assert places(np.concatenate([walk(2, 3), walk(2, colour=BLUE)])) == []


def test_truth_and_dream_are_compared() -> None:
    true = walk(2, 3, 2)
    assert compare_stretch(true, true, BLACK) == (True, False, 1, 1, 1)
    assert compare_stretch(true, walk(2, 2, 2), BLACK) == (True, True, 1, 0, 0), "a frozen dream"
    assert compare_stretch(true, walk(2, 3, 4), BLACK) == (True, False, 1, 0, 0), "it drifts on"
    assert compare_stretch(true, walk(4, 3, 4), BLACK) == (True, False, 1, 1, 0), "back to another place"
    assert compare_stretch(true, walk(2, 3, 2, colour=BLUE), BLACK) == (True, False, 1, 1, 0), "another thing"
    assert compare_stretch(walk(2, 2, 2), walk(2, 2, 2), BLACK) == (False, False, 0, 0, 0), "no motion to lose"
