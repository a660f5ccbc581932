"""The frame metrics against numbers worked out by hand, and against slow loops on random frames."""

from itertools import product

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from dreamplay import metrics

BALL = (200, 100, 50)


def frames(*balls: tuple[int, int] | None, colour: tuple[int, int, int] = BALL) -> np.ndarray:
    """Black 12x12 frames, each with a one-pixel ball at (row, column), or none."""
    picture = np.zeros((len(balls), 12, 12, 3), np.uint8)
    for frame, ball in zip(picture, balls, strict=True):
        if ball:
            frame[ball] = colour
    return picture


BLACK = frames(None)[0]


def test_wrong_pixels_count_a_pixel_once_whatever_the_channels() -> None:
    true, dreamed = frames((1, 1), (2, 2), None), frames((1, 1), (3, 3), None)
    dreamed[2, 0, 0] = (1, 0, 0)
    dreamed[2, 0, 1] = (9, 9, 9)
    assert metrics.wrong_pixels(true, dreamed).tolist() == [0, 2, 2]
    assert metrics.wrong_pixels(true[None], dreamed[None]).tolist() == [[0, 2, 2]]


def test_squared_error_does_not_wrap_around() -> None:
    true, dreamed = np.zeros((2, 2, 2, 1), np.uint8), np.zeros((2, 2, 2, 1), np.uint8)
    dreamed[1, 0, 0] = 200
    assert metrics.squared_error(true, dreamed).tolist() == [0, 200**2 / 4]
    assert metrics.squared_error(dreamed, true).tolist() == [0, 200**2 / 4]


@pytest.mark.parametrize(("error", "decibels"), [(0, 100), (255**2, 0), (255**2 / 100, 20), (1e-12, 100)])
def test_psnr(error: float, decibels: float) -> None:
    assert metrics.psnr(error) == pytest.approx(decibels)


@pytest.mark.parametrize(("size", "side"), [((20, 14), 7), ((6, 8), 5), ((4, 9), 3)])
def test_similarity_is_the_reference_one_frame_by_frame(size: tuple[int, int], side: int) -> None:
    rng = np.random.default_rng(2)
    true = rng.integers(0, 256, (5, *size, 3)).astype(np.uint8)
    dreamed = np.where(rng.random((5, *size, 1)) < 0.3, 255 - true, true).astype(np.uint8)
    dreamed[3] = true[3]
    found = metrics.similarity(true, dreamed)
    reference = [structural_similarity(*p, win_size=side, channel_axis=-1) for p in zip(true, dreamed, strict=True)]
    assert found == pytest.approx(reference) and found[3] == 1 and (found[:3] < 0.9).all()


def test_similarity_of_flat_frames_is_that_of_their_brightness() -> None:
    true, dreamed = np.full((1, 9, 9, 1), 100, np.uint8), np.full((1, 9, 9, 1), 150, np.uint8)
    c = (0.01 * 255) ** 2
    assert metrics.similarity(true, dreamed) == pytest.approx((2 * 100 * 150 + c) / (100**2 + 150**2 + c))


def test_frames_too_small_for_a_similarity() -> None:
    assert np.isnan(metrics.similarity(np.zeros((2, 2, 9, 1), np.uint8), np.ones((2, 2, 9, 1), np.uint8))).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_background_is_the_most_frequent_colour_not_a_blend_of_channels(channels: int) -> None:
    rng = np.random.default_rng(0)
    sample = rng.integers(0, 2, (40, 5, 4, channels)).astype(np.uint8) * 90
    result = metrics.background(sample)
    for row, column in product(range(5), range(4)):
        colours, counts = np.unique(sample[:, row, column], axis=0, return_counts=True)
        assert result[row, column].tolist() == colours[counts.argmax()].tolist()


def test_moving_pixels_are_more_than_16_levels_off() -> None:
    frame = BLACK.copy()
    frame[0, 0], frame[0, 1] = (16, 16, 16), (0, 17, 0)
    assert np.argwhere(metrics.moving(frame, BLACK)).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("down", "right", "found"), [(0, 0, 1), (1, 0, 1), (0, 2, 1), (2, 2, 1), (3, 0, 0), (-2, 3, 0)]
)
def test_a_displaced_ball_is_found_within_two_pixels(down: int, right: int, found: int) -> None:
    result = metrics.find_moving(frames((5, 5)), frames((5 + down, 5 + right)), BLACK)
    assert [int(count[0]) for count in result] == [1, found, 1, found]


def test_a_ball_does_not_reach_across_the_edge() -> None:
    result = metrics.find_moving(frames((0, 0), (0, 11)), frames((11, 0), (0, 0)), BLACK)
    assert result.true_found.tolist() == result.dreamed_found.tolist() == [0, 0]


def test_a_lost_ball_costs_recall_and_an_invented_one_precision() -> None:
    result = metrics.find_moving(frames((5, 5), None), frames(None, (5, 5)), BLACK)
    assert [count.tolist() for count in result] == [[1, 0], [0, 0], [0, 1], [0, 0]]


def test_a_ball_of_another_colour_is_another_ball() -> None:
    near = frames((5, 5), colour=(200, 100, 114))
    far = frames((5, 5), colour=(200, 100, 115))
    assert metrics.find_moving(frames((5, 5)), near, BLACK).true_found.tolist() == [1]
    result = metrics.find_moving(frames((5, 5)), far, BLACK)
    assert (result.true_found.tolist(), result.dreamed_found.tolist()) == ([0], [0])


def test_against_slow_loops_on_random_frames() -> None:
    rng = np.random.default_rng(1)
    colours = np.array([(0, 0, 0), (10, 10, 10), (90, 90, 90), (150, 90, 90), (255, 0, 0)], np.uint8)
    true, dreamed = (colours[rng.choice(5, (3, 9, 7), p=(0.6, 0.2, 0.1, 0.05, 0.05))] for _ in range(2))
    still = colours[rng.choice(2, (9, 7))]

    def is_moving(frame: np.ndarray, y: int, x: int) -> bool:
        return max(abs(int(frame[y, x, c]) - int(still[y, x, c])) for c in range(3)) > 16

    def is_found(frame: np.ndarray, other: np.ndarray, y: int, x: int) -> bool:
        return any(
            abs(y - v) <= 2
            and abs(x - u) <= 2
            and is_moving(other, v, u)
            and max(abs(int(frame[y, x, c]) - int(other[v, u, c])) for c in range(3)) <= 64
            for v, u in product(range(9), range(7))
        )

    result = metrics.find_moving(true, dreamed, still)
    for i in range(3):
        for a, b, count, found in ((true, dreamed, 0, 1), (dreamed, true, 2, 3)):
            places = [(y, x) for y, x in product(range(9), range(7)) if is_moving(a[i], y, x)]
            assert result[count][i] == len(places)
            assert result[found][i] == sum(is_found(a[i], b[i], y, x) for y, x in places)
        differing = sum(tuple(true[i, y, x]) != tuple(dreamed[i, y, x]) for y, x in product(range(9), range(7)))
        assert metrics.wrong_pixels(true, dreamed)[i] == differing
