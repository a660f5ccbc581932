"""Agents by their names: built in, own ones, policies of Stable-Baselines3; what is wrong with a name is said."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.agents.choose import choose_collector
from dreamplay.agents.epsilon_greedy import EpsilonGreedy
from dreamplay.agents.sb3_policy import SB3Policy
from dreamplay.envs.real import make_env
from dreamplay.errors import UserError
from toys import ClockEnv

MANY = gym.spaces.Discrete(1_000_000)


class Always:
    """An agent of a user's own: always the same action."""

    def __init__(self, action_space: gym.Space[Any]) -> None:
        self.space = action_space

    def reset(self, seed: int | None = None) -> None:
        pass

    def act(self, observation: np.ndarray) -> int:
        return 1


def bare() -> Always:
    """A function that makes an agent and asks for nothing."""
    return Always(gym.spaces.Discrete(2))


def acts(agent: Any, count: int) -> np.ndarray:
    agent.reset(seed=0)
    return np.array([agent.act(None) for _ in range(count)])


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "agents_of_mine", sys.modules[__name__])


def test_random_and_sticky():
    env = ClockEnv(action_space=MANY)
    repeats = {}
    for name in ("random", "sticky"):
        actions = acts(choose_collector(name, env), 2000)
        repeats[name] = np.mean(actions[1:] == actions[:-1])
    assert repeats["random"] == 0
    assert repeats["sticky"] == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize("name", ["agents_of_mine:Always", "agents_of_mine:bare"])
def test_an_agent_of_ones_own(name):
    assert acts(choose_collector(name, ClockEnv()), 3).tolist() == [1, 1, 1]


def test_epsilon_mixes_in_random_actions():
    mixed = choose_collector("agents_of_mine:Always", ClockEnv(action_space=MANY), epsilon=0.3)
    actions = acts(mixed, 2000)
    assert np.mean(actions != 1) == pytest.approx(0.3, abs=0.04)
    np.testing.assert_array_equal(actions, acts(mixed, 2000))


def test_epsilon_passes_on_what_came_of_the_actions():
    told = []
    agent = SimpleNamespace(reset=lambda seed: None, act=lambda frame: 0, observe=lambda *what: told.append(what))
    EpsilonGreedy(agent, MANY, 0.5).observe(None, 3, 1.0, False, True)  # type: ignore[arg-type]
    EpsilonGreedy(SimpleNamespace(), MANY, 0.5).observe(None, 3, 1.0, False, True)  # type: ignore[arg-type]
    assert told == [(None, 3, 1.0, False, True)]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A barely trained PPO on CartPole's four numbers, not its frames."""
    from stable_baselines3 import PPO

    path = tmp_path_factory.mktemp("policy") / "cartpole.zip"
    PPO("MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8, seed=0, device="cpu").learn(16).save(path)
    return path


def test_a_policy_that_knows_the_environments_own_observations(policy):
    from stable_baselines3 import PPO

    env, truth = make_env("CartPole-v1"), gym.make("CartPole-v1")
    agent, model = SB3Policy(policy, env, deterministic=True), PPO.load(policy, device="cpu")
    assert not agent.sees_frames
    frame, _ = env.reset(seed=3)
    observation, _ = truth.reset(seed=3)
    for _ in range(8):
        action = agent.act(frame)
        assert action == model.predict(observation, deterministic=True)[0]
        frame, *_ = env.step(action)
        observation, *_ = truth.step(action)
    drawn = choose_collector(str(policy), env)
    np.testing.assert_array_equal(*[acts(drawn, 20) for _ in range(2)])


@pytest.mark.parametrize("name", ["A2C", "DQN"])
def test_a_policy_that_knows_frames(name, tmp_path):
    import stable_baselines3

    env = make_env("Dreamplay/Catch-v0", size=(40, 40))
    model = getattr(stable_baselines3, name)(
        "CnnPolicy", env, device="cpu", **({"buffer_size": 10} if name == "DQN" else {})
    )
    model.save(tmp_path / "policy.zip")
    agent = choose_collector(str(tmp_path / "policy.zip"), env)
    agent.reset(seed=0)
    assert env.action_space.contains(agent.act(env.reset(seed=0)[0]))


def test_mistakes_are_one_line(policy, tmp_path, monkeypatch):
    (tmp_path / "text.zip").write_text("no archive")
    env = ClockEnv()
    for name, message in (
        ("me", "--agent 'me' is unknown; choose random, sticky, a planner"),
        ("nowhere.zip", "no policy file nowhere.zip"),
        ("cem", "--agent cem plans in a dream, and None is no run folder: dreamplay collect RUN"),
        (str(tmp_path / "text.zip"), "was not saved by Stable-Baselines3"),
        ("agents_of_mine:Nobody", "no class or function Nobody"),
        ("builtins:repr", "is no agent: it needs reset"),
    ):
        with pytest.raises(UserError, match=message) as error:
            choose_collector(name, env)
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=r"sees float32 \(4,\) and takes Discrete\(2\); the environment gives uint8"):
        choose_collector(str(policy), make_env("Dreamplay/Catch-v0"))
    with pytest.raises(UserError, match="no probability"):
        choose_collector("random", env, epsilon=1.5)
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    with pytest.raises(UserError, match=r"pip install 'dreamplay\[sb3\]'"):
        choose_collector(str(policy), env)
