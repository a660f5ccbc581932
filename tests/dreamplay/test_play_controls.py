"""Which action the pressed keys mean, for every kind of action space."""

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.play.controls import controls_for, idle_action

ATARI = [(["w"], 2), (["d"], 3), (["d", "w"], 5), ([" "], 1)]


@pytest.mark.parametrize(
    ("pressed", "action"),
    [
        ([], 0),
        (["w"], 2),
        (["w", "d"], 5),
        (["d", "w"], 5),
        (["space"], 1),
        (["q"], 0),
        (["w", "q"], 2),
        (["w", "space"], 1),  # no combination of both: the newest wins
        (["space", "w"], 2),
        (["w", "d", "space"], 5),  # the largest combination wins
    ],
)
def test_the_games_own_keys(pressed: list[str], action: int):
    assert controls_for(ATARI, gym.spaces.Discrete(6)).action(pressed) == action


def test_an_entry_without_keys_is_what_no_key_means():
    assert controls_for([(["a"], 0), ([], 1)], gym.spaces.Discrete(3)).action([]) == 1


@pytest.mark.parametrize(
    ("space", "pressed", "action"),
    [
        (gym.spaces.Discrete(5), ["4"], 4),
        (gym.spaces.Discrete(5), ["right"], 2),
        (gym.spaces.Discrete(2), ["left"], 0),
        (gym.spaces.Discrete(2), ["right"], 1),
        (gym.spaces.Discrete(3, start=-1), ["2"], 1),
        (gym.spaces.Box(-1, 1, (3,)), ["left", "up"], [-1, 1, 0]),
        (gym.spaces.Box(-2, 2, (1,)), ["right"], [2]),
        (gym.spaces.Box(-np.inf, np.inf, (2,)), ["down", "right"], [1, -1]),
        (gym.spaces.Box(np.array([-1, 0, 0]), np.array([1, 1, 1]), dtype=np.float32), ["up"], [0, 1, 0]),
        (gym.spaces.MultiDiscrete([3, 3]), ["right", "down"], [2, 1]),
        (gym.spaces.MultiDiscrete([2, 2]), ["right"], [1, 0]),
        (gym.spaces.MultiBinary(3), ["left", "up"], [1, 0, 1]),
    ],
)
def test_a_game_without_keys_gets_some_for_its_action_space(space: gym.Space, pressed: list[str], action: object):
    chosen = controls_for([], space).action(pressed)
    assert np.array_equal(chosen, action)
    assert space.contains(chosen)


@pytest.mark.parametrize(
    ("space", "idle"),
    [
        (gym.spaces.Discrete(4), 0),
        (gym.spaces.Discrete(4, start=2), 2),
        (gym.spaces.Box(-1, 1, (2,)), [0, 0]),
        (gym.spaces.Box(np.float32(0.5), np.float32(1), (1,)), [0.5]),
        (gym.spaces.MultiDiscrete([3, 2]), [0, 0]),
        (gym.spaces.MultiBinary(2), [0, 0]),
    ],
)
def test_idling_is_a_valid_action(space: gym.Space, idle: object):
    assert np.array_equal(idle_action(space), idle)
    assert space.contains(idle_action(space))
    assert np.array_equal(controls_for([], space).action([]), idle)


def test_pressing_keys_never_changes_the_idle_action():
    controls = controls_for([], gym.spaces.Box(-1, 1, (2,)))
    controls.action(["left"])
    assert np.array_equal(controls.action([]), [0, 0])
