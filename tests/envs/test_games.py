"""What holds for every built-in game."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import dreamplay  # noqa: F401  (registers the ids)
from dreamplay.envs.bricks import Bricks
from dreamplay.envs.catch import Catch
from dreamplay.envs.grid_game import GridGame
from dreamplay.envs.rally import Rally
from dreamplay.envs.recall import Recall

GAMES = [Bricks, Catch, Rally, Recall]
every_game = pytest.mark.parametrize("game", GAMES)


class FixedDraws:
    """Stands in for a generator whose every uniform draw is the same."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


def outcome(game: GridGame, action: int) -> tuple[Any, ...]:
    observation, reward, terminated, truncated, info = game.step(action)
    return observation.tobytes(), reward, terminated, truncated, info["chance"]


def wander(game: GridGame, steps: int, seed: int, skill: float = 0.6) -> Any:
    """Plays at random, and with the given probability towards the ball; yields before each step (start, action)."""
    rng = np.random.default_rng(seed)
    game.reset(seed=seed)
    start = True
    for _ in range(steps):
        action = int(rng.integers(3))
        if not isinstance(game, Recall) and rng.random() < skill:
            target, paddle = (
                (game._row, game._player) if isinstance(game, Rally) else (game._column, game._paddle)  # type: ignore[attr-defined]
            )
            target -= int(rng.integers(3))
            action = 0 if target == paddle else 1 if target < paddle else 2
        yield start, action
        start = game._over
        if start:
            game.reset()


@every_game
def test_check_env_finds_nothing(game: type[GridGame]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(f"Dreamplay/{game.__name__}-v0")
        check_env(env.unwrapped)


@every_game
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), actions=st.lists(st.integers(0, 2), min_size=1, max_size=150))
def test_same_seed_and_actions_give_the_same_episode(game: type[GridGame], seed: int, actions: list[int]) -> None:
    runs = []
    for _ in range(2):
        env = game()
        trace: list[Any] = [env.reset(seed=seed)[0].tobytes()]
        for action in actions:
            trace.append(outcome(env, action))
            if env._over:
                trace.append(env.reset()[0].tobytes())
        runs.append(trace)
    assert runs[0] == runs[1]


@every_game
def test_seeds_differ(game: type[GridGame]) -> None:
    starts = {game().reset(seed=seed)[0].tobytes() for seed in range(20)}
    assert len(starts) > 3


@every_game
def test_frames_are_fresh_small_and_in_few_colors(game: type[GridGame]) -> None:
    env = game()
    first, info = env.reset(seed=0)
    assert info == {"chance": True}
    assert first.dtype == np.uint8 and first.shape == env.observation_space.shape
    assert max(first.shape[:2]) <= 16
    kept, copied = [first], [first.copy()]
    seen: set[tuple[int, ...]] = set()
    for _, action in wander(env, 300, seed=1):
        observation = env.step(action)[0]
        kept.append(observation)
        copied.append(observation.copy())
        seen |= {tuple(color) for color in observation.reshape(-1, 3).tolist()}
    assert seen <= set(env.colors) and len(seen) <= 7
    assert all(np.array_equal(a, b) for a, b in zip(kept, copied, strict=True))


@every_game
def test_chance_is_flagged_exactly_where_a_draw_changes_the_outcome(game: type[GridGame]) -> None:
    env = game()
    flagged = 0
    for _, action in wander(env, 600, seed=2):
        low, high = copy.deepcopy(env), copy.deepcopy(env)
        low._np_random, high._np_random = FixedDraws(0.0), FixedDraws(0.999)  # type: ignore[assignment]
        differs = outcome(low, action) != outcome(high, action)
        chance = env.step(action)[4]["chance"]
        assert chance is differs
        flagged += chance
    assert (flagged > 0) == (game is Rally)


@pytest.mark.parametrize("game", [Bricks, Catch, Rally])
def test_the_last_two_frames_and_the_action_decide_what_follows(game: type[GridGame]) -> None:
    known: dict[Any, Any] = {}
    repeats = 0
    for seed in range(4):
        env = game()
        before = b""
        for start, action in wander(env, 6000, seed=seed):
            now = env._frame().tobytes()
            key = (b"" if start else before, now, action)  # a start has only its own frame to go by
            *result, chance = outcome(env, action)
            before = now
            if not chance:
                repeats += key in known
                assert known.setdefault(key, result) == result
    assert repeats > 100


@every_game
def test_rendering_returns_the_frame_itself(game: type[GridGame]) -> None:
    env = gym.make(f"Dreamplay/{game.__name__}-v0", render_mode="rgb_array")
    observation, _ = env.reset(seed=3)
    assert np.array_equal(env.render(), observation)
    observation = env.step(1)[0]
    assert np.array_equal(env.render(), observation)


@every_game
def test_the_key_map_suits_gymnasium(game: type[GridGame]) -> None:
    env = game()
    keys = env.get_keys_to_action()
    assert {action for action in keys.values()} == {1, 2}
    assert all(action in env.action_space for action in keys.values())
    assert sum(isinstance(key, int) for (key,) in keys) == 2, "arrows"


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="render_mode 'ansi'"):
        Bricks(render_mode="ansi")
    env = Recall()
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action 3"):
        env.step(3)
