"""Events count only on exactly their step."""

import numpy as np
import pytest

from dreamplay.events import reward_events, reward_floor, terminations


def counts(true: list[float], dreamed: list[float], floor: float = 0.5) -> list[int]:
    return [int(part.sum()) for part in reward_events(np.array(true), np.array(dreamed), floor)]


@pytest.mark.parametrize(
    ("true", "dreamed", "expected"),
    [
        ([0, 1, 0], [0, 1, 0], [1, 1, 1]),
        ([0, 1, 0], [0, 0, 1], [1, 1, 0]),  # one step late: a miss and a false alarm
        ([0, 1, 0], [0, -1, 0], [1, 1, 0]),
        ([0, 4, 0], [0, 2.1, 0], [1, 1, 1]),
        ([0, 4, 0], [0, 2, 0], [1, 1, 0]),  # half the value off
        ([0, 4, 0], [0, 6, 0], [1, 1, 0]),
        ([0, -4, 0], [0, -5.9, 0], [1, 1, 1]),
        ([0, 1, 0], [0.4, 0.9, 0.4], [1, 1, 1]),  # smeared below the floor: no false alarm
        ([0, 1, 0], [0, float("nan"), 0], [1, 0, 0]),
    ],
)
def test_rewards(true: list[float], dreamed: list[float], expected: list[int]) -> None:
    assert counts(true, dreamed) == expected


def test_the_floor_is_half_the_smallest_reward() -> None:
    assert reward_floor(np.array([0, -0.5, 3])) == 0.25
    assert reward_floor(np.zeros(3)) == 0.5
    assert counts([0.0, -0.5, 3], [0, -0.26, 2], floor=0.25) == [2, 2, 2]


def test_terminations_are_probabilities_above_one_half() -> None:
    result = terminations(np.array([False, False, True]), np.array([0.5, 0.6, 0.51]))
    assert [int(part.sum()) for part in result] == [1, 2, 1]
