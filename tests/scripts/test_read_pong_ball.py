"""The reader finds the ball where the console's memory has it; a true dream is right everywhere, a still one is not."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dreamplay
from dreamplay.episodes import Episode
from dreamplay.errors import UserError

BALL = {"row": 54, "column": 49}  # where the console keeps the ball's place


@dataclass(frozen=True)
class Played:
    episodes: list[Episode]
    places: np.ndarray  # (T+1, 2) of the last episode, row and column as the console has them


@pytest.fixture(scope="module")
def played() -> Played:
    """Some hundred steps of four random games."""
    env, episodes = dreamplay.make_env("ALE/Pong-v5", size=(70, 80)), []
    for seed in range(4):
        observation, _ = env.reset(seed=seed)
        env.action_space.seed(seed)
        frames, actions, rewards, places = [observation], [], [], [(0, 0)]
        for _ in range(250):
            actions.append(env.action_space.sample())
            observation, reward, *_ = env.step(actions[-1])
            frames.append(observation)
            rewards.append(reward)
            memory = env.unwrapped.ale.getRAM().astype(int)
            places.append((memory[BALL["row"]], memory[BALL["column"]]))
        never = np.zeros(len(actions), bool)
        episodes.append(
            Episode(np.stack(frames), np.array(actions), np.array(rewards, np.float32), never, never, never)
        )
    return Played(episodes, np.array(places))


class Dreamer:
    """Dreams what was played, or that nothing moves any more."""

    def __init__(self, played: Played, still: bool = False) -> None:
        self._still = still
        self._episodes = played.episodes

    def rollout(self, frames: np.ndarray, before: np.ndarray, after: np.ndarray, **_: Any) -> Any:
        found = [self._find(*row) for row in zip(frames, before, after, strict=True)]
        observations, rewards = (np.stack(column) for column in zip(*found, strict=True))
        return SimpleNamespace(observations=observations, rewards=rewards)

    def _find(self, frames: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        now, steps = len(frames) - 1, len(after)
        actions = np.concatenate([before, after])
        for episode in self._episodes:
            for t in range(now, len(episode) - steps + 1):
                if np.array_equal(episode.actions[t - now : t + steps], actions):
                    np.testing.assert_array_equal(episode.observations[t - now : t + 1], frames)
                    dream = episode.observations[t + 1 : t + 1 + steps]
                    rewards = episode.rewards[t : t + steps]
                    return (frames[-1:].repeat(steps, 0), 0 * rewards) if self._still else (dream, rewards)
        raise AssertionError("context and actions do not belong together")


def check(**options: Any) -> Any:
    from read_pong_ball import Check

    return Check(Path("run"), Path("data"), **options)


def test_it_reads_the_ball_where_the_console_has_it(played: Played) -> None:
    from read_pong_ball import read_ball

    frames = played.episodes[-1].observations
    read = [read_ball(frame) for frame in frames]
    seen = np.array([ball is not None for ball in read])
    assert seen.mean() > 0.4
    found = np.array([ball for ball in read if ball]) * (210 / 70, 160 / 80)
    off = found - played.places[seen]
    assert (np.abs(off - np.median(off, 0)) <= (3, 2)).all(), "to a pixel of the frame"
    assert read_ball(np.full_like(frames[0], 255)) is None
    assert read_ball(np.zeros_like(frames[0])) is None


def test_a_dream_of_the_truth_is_right_everywhere(played: Played) -> None:
    from read_pong_ball import at_the_paddle, where

    ball = where(Dreamer(played), played.episodes, check(windows=60))
    assert ball["all"]["1"]["windows"] > 40
    assert all(at["within"] == 1 for each in ball.values() for at in each.values())
    paddle = at_the_paddle(Dreamer(played), played.episodes, check())
    assert paddle["miss"]["cases"] >= 2
    for truth, shares in paddle.items():
        assert shares == {"cases": shares["cases"], truth: 1.0}


def test_a_dream_in_which_nothing_moves_is_not(played: Played) -> None:
    from read_pong_ball import at_the_paddle, where

    ball = where(Dreamer(played, still=True), played.episodes, check(windows=60))
    assert ball["all"]["1"]["within"] > ball["all"]["20"]["within"] < 0.2
    assert ball["2"]["5"]["within"] == 0, "ten pixels away by then"
    paddle = at_the_paddle(Dreamer(played, still=True), played.episodes, check())
    assert paddle["miss"] == {"cases": paddle["miss"]["cases"], "open": 1.0}


def test_what_becomes_of_a_ball() -> None:
    from read_pong_ball import arrivals, what_becomes

    def moving(*columns: float | None) -> list[Any]:
        return [None if column is None else (30.0, column) for column in columns]

    nothing = [0.0] * 9
    assert what_becomes(moving(62, 66, 70, 68), nothing, 80) == "hit"
    assert what_becomes(moving(62, 66, 70, 74), [0, 0, 0, -1], 80) == "miss"
    assert what_becomes(moving(62, 66, None, None, None), nothing, 80) == "lost"
    assert what_becomes(moving(62, 66, 70, 74), nothing, 80) == "open"
    assert what_becomes(moving(40, 38, 36), nothing, 80) == "open", "turned back elsewhere"
    there = moving(*range(20, 60, 2), 60, 64, *range(66, 80, 2), *[None] * 20)
    assert arrivals(there, 80) == [21]
    assert arrivals(there[5:], 80) == [], "no room for the context"


def test_other_frames_are_refused(played: Played) -> None:
    from read_pong_ball import where

    dark = [Episode(**vars(episode) | {"observations": 0 * episode.observations}) for episode in played.episodes]
    with pytest.raises(UserError, match="ball"):
        where(Dreamer(played), dark, check())
