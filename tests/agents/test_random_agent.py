"""The random agent: valid in every space, seeded by itself, and sticky as often as asked."""

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.agents.random_agent import RandomAgent

SPACES = [
    gym.spaces.Discrete(3, start=5),
    gym.spaces.MultiDiscrete([2, 3, 4]),
    gym.spaces.MultiBinary(5),
    gym.spaces.Box(-2, 3, (2,), np.float32),
    gym.spaces.Box(-np.inf, np.inf, (2,), np.float32),
]
ids = [str(space) for space in SPACES]


def acts(agent: RandomAgent, count: int = 50) -> np.ndarray:
    return np.array([agent.act(None) for _ in range(count)])


@pytest.mark.parametrize("sticky", [0.0, 0.5])
@pytest.mark.parametrize("space", SPACES, ids=ids)
def test_actions_are_valid_and_repeat_with_the_seed(space, sticky):
    one, two = RandomAgent(space, sticky), RandomAgent(space, sticky)
    one.reset(seed=3)
    two.reset(seed=3)
    assert all(space.contains(one.act(None)) for _ in range(50))
    first = acts(two)
    np.testing.assert_array_equal(acts(one), acts(two))
    two.reset(seed=3)
    np.testing.assert_array_equal(acts(two), first)
    two.reset(seed=4)
    assert (acts(two) != first).any()


def test_without_a_seed_the_numbers_go_on():
    agent = RandomAgent(gym.spaces.Discrete(1000))
    agent.reset(seed=0)
    first = acts(agent)
    agent.reset()
    assert (acts(agent) != first).any()


def test_the_space_keeps_its_own_random_numbers():
    space, untouched = gym.spaces.Discrete(1000), gym.spaces.Discrete(1000)
    space.seed(7)
    untouched.seed(7)
    agent = RandomAgent(space)
    agent.reset(seed=1)
    acts(agent)
    assert [space.sample() for _ in range(20)] == [untouched.sample() for _ in range(20)]


def test_sticky_repeats_as_often_as_asked():
    agent = RandomAgent(gym.spaces.Discrete(1_000_000), sticky=0.75)
    agent.reset(seed=0)
    actions = acts(agent, 4000)
    assert np.mean(actions[1:] == actions[:-1]) == pytest.approx(0.75, abs=0.03)


def test_an_episode_does_not_start_with_the_last_action_of_the_one_before():
    agent = RandomAgent(gym.spaces.Discrete(1_000_000), sticky=0.999)
    agent.reset(seed=0)
    last = agent.act(None)
    agent.reset()
    assert agent.act(None) != last


def test_a_repeated_action_is_a_fresh_array():
    agent = RandomAgent(gym.spaces.Box(-1, 1, (2,)), sticky=0.999)
    agent.reset(seed=0)
    first = agent.act(None)
    kept = first.copy()
    first[:] = 9
    np.testing.assert_array_equal(agent.act(None), kept)


@pytest.mark.parametrize("sticky", [-0.1, 1.0])
def test_sticky_is_a_probability_below_one(sticky):
    with pytest.raises(ValueError, match="probability"):
        RandomAgent(gym.spaces.Discrete(2), sticky)
