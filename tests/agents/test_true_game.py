"""The ceiling: planning in copies of the game leaves the game alone, and earns what can be earned."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.agents.acting import run_episodes
from dreamplay.agents.planners import make_planner
from dreamplay.agents.true_game import NoCopyError, TrueGame, below_frames, can_go_back, copied
from dreamplay.envs.real import make_env
from toys import ClockEnv


def test_a_copy_goes_on_as_the_game_does_and_leaves_it_alone() -> None:
    env = make_env("Dreamplay/Rally-v0")  # whose opponent draws random numbers
    env.reset(seed=3)
    for _ in range(5):
        env.step(1)
    copies = [copied(below_frames(env)) for _ in range(2)]
    actions = np.random.default_rng(0).integers(0, 3, 30)
    played = [[game.step(action)[:3] for action in actions] for game in (*copies, env)]
    for one, other in zip(played[0], played[2], strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1:] == other[1:]
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(played[0], played[1], strict=True))
    assert copies[0].action_space is copies[1].action_space


def test_planning_in_copies_catches_everything() -> None:
    game = TrueGame(make_planner("cem", gym.spaces.Discrete(3), horizon=12, candidates=24))
    acted = run_episodes(lambda: game.adopt(make_env("Dreamplay/Catch-v0")), game, 2, max_steps=30)
    assert acted.returns == [3.0, 3.0]  # an object every nine steps


class Undoing(ClockEnv):
    """Knows how to go back; each step pays its action."""

    def clone_state(self, include_rng: bool = False) -> int:
        assert include_rng
        return self.time

    def restore_state(self, state: int) -> None:
        self.time = state

    def step(self, action: Any) -> Any:
        observation, _, *rest = super().step(action)
        return observation, float(action), *rest

    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("not copied")


def test_a_game_that_can_go_back_is_set_back_and_not_copied() -> None:
    game = TrueGame(make_planner("beam", gym.spaces.Discrete(5), horizon=3, candidates=4), alive_bonus=0.5)
    assert can_go_back(Undoing())
    acted = run_episodes(lambda: game.adopt(Undoing(lengths=(4, 6))), game, 2, rows=1)
    assert (acted.returns, acted.lengths) == ([16.0, 24.0], [4, 6])


def test_values_are_those_that_a_true_dream_would_give() -> None:
    env = ClockEnv(lengths=(3,))
    env.reset(seed=0)
    game = TrueGame(make_planner("cem", env.action_space), discount=0.5, alive_bonus=8.0)
    # Rewards 1, 102, 203 of which the last ends the episode: alive after two steps, the fourth action counts nothing.
    assert game._values(env, np.array([[1, 2, 3, 4]])) == [1 + 8 + (102 + 8) / 2 + 203 / 4]
    assert env.time == 0


def test_a_game_that_cannot_be_copied_says_so() -> None:
    class Stuck(ClockEnv):
        def __deepcopy__(self, memo: Any) -> Any:
            raise TypeError("holds a window")

    with pytest.raises(NoCopyError, match="holds a window"):
        copied(Stuck())
