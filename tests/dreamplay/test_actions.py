"""Actions of every kind as vectors, written out."""

import warnings

import numpy as np
import pytest
from gymnasium import spaces

from dreamplay.actions import action_size, encode_actions
from dreamplay.errors import UserError


def encoded(space: spaces.Space, actions: object) -> list:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vectors = encode_actions(space, np.asarray(actions))
    assert vectors.dtype == np.float32
    assert vectors.shape[-1] == action_size(space)
    return vectors.tolist()


def test_discrete_is_one_hot_from_its_start():
    assert encoded(spaces.Discrete(3), [2, 0]) == [[0, 0, 1], [1, 0, 0]]
    assert encoded(spaces.Discrete(3, start=-1), [[-1, 1]]) == [[[1, 0, 0], [0, 0, 1]]]
    assert encoded(spaces.Discrete(2), 1) == [0, 1]


def test_multi_discrete_is_one_hot_per_entry():
    assert encoded(spaces.MultiDiscrete([2, 3]), [[1, 0], [0, 2]]) == [[0, 1, 1, 0, 0], [1, 0, 0, 0, 1]]
    assert encoded(spaces.MultiDiscrete([2, 2], start=[5, 7]), [5, 8]) == [1, 0, 0, 1]
    square = spaces.MultiDiscrete([[2, 2], [1, 3]])
    assert encoded(square, [[[1, 0], [0, 2]]]) == [[0, 1, 1, 0, 1, 0, 0, 1]]


def test_bits_are_taken_as_they_are():
    assert encoded(spaces.MultiBinary(3), [[1, 0, 1]]) == [[1, 0, 1]]
    assert encoded(spaces.MultiBinary((2, 2)), [[[1, 0], [0, 1]]]) == [[1, 0, 0, 1]]


def test_a_box_is_scaled_by_its_bounds():
    box = spaces.Box(np.array([0, -2], np.float32), np.array([10, 2], np.float32))
    assert encoded(box, [[0, -2], [5, 0], [10, 2]]) == [[-1, -1], [0, 0], [1, 1]]
    image = spaces.Box(0.0, 1.0, (2, 2))
    assert encoded(image, np.full((5, 2, 2), 0.75)) == [[0.5] * 4] * 5


def test_a_dimension_without_a_bound_is_passed_on():
    low, high = np.array([-np.inf, 0, -np.inf, 3], np.float32), np.array([np.inf, np.inf, 5, 3], np.float32)
    assert encoded(spaces.Box(low, high), [[7, 8, 2, 3]]) == [[7, 8, 2, 0]]


@pytest.mark.parametrize(("low", "high", "dtype"), [(100, 200, np.uint8), (-128, 126, np.int8)])
def test_a_box_of_small_integers_does_not_overflow(low, high, dtype):
    box = spaces.Box(low, high, (1,), dtype)
    assert encoded(box, np.array([[low], [(low + high) // 2], [high]], dtype)) == [[-1], [0], [1]]


def test_other_spaces_are_refused():
    with pytest.raises(UserError, match=r"Tuple.*TransformAction"):
        action_size(spaces.Tuple([spaces.Discrete(2)]))
