"""Followers: they keep one byte level with another, and find out which."""

from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest


class Ale:
    """128 bytes of memory."""

    def __init__(self) -> None:
        self.memory = np.zeros(128, np.uint8)

    def getRAM(self) -> np.ndarray:
        return self.memory.copy()


class Chase(gym.Env[np.ndarray, Any]):
    """Byte 7 is moved by actions 2 (up) and 3 (down), byte 40 wanders, byte 90 only flickers; near is rewarded."""

    def __init__(self) -> None:
        self.ale, self.action_space = Ale(), gym.spaces.Discrete(4)
        self.observation_space = gym.spaces.Box(0, 255, (128,), np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.ale.memory[[7, 40]], self.speed = 100, 3
        return self.ale.getRAM(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        memory = self.ale.memory
        memory[7] = np.clip(int(memory[7]) + {2: 4, 3: -4}.get(action, 0), 20, 220)
        if not 30 < int(memory[40]) + self.speed < 210 or self.np_random.random() < 0.02:
            self.speed = -self.speed
        memory[40] = np.clip(int(memory[40]) + self.speed, 20, 220)
        memory[90] = self.np_random.integers(50)
        return self.ale.getRAM(), float(abs(int(memory[7]) - int(memory[40])) < 10), False, False, {}


def test_it_goes_where_the_followed_byte_will_be(monkeypatch: pytest.MonkeyPatch) -> None:
    import follower
    from follower import Follower, Rule

    ale = Ale()
    agent = Follower(
        Rule(7, 40, 10, up=2, down=3, others=(0,), slack=5), SimpleNamespace(unwrapped=SimpleNamespace(ale=ale))
    )
    monkeypatch.setattr(follower, "OTHER", 0)
    monkeypatch.setattr(follower, "REAIM", 0)
    agent.reset(0)
    actions = []
    for own, followed in ((100, 100), (100, 90), (100, 88), (106, 88), (120, 88), (120, 250)):
        ale.memory[[7, 40]] = own, followed
        actions.append(agent.act(None))
    # Aims: 110; 90 - 10 + 10; 88 - 2 + 10; 98, behind 106 and 120; 250 + 10, for a jump is no speed.
    assert actions == [2, 3, 0, 3, 3, 2]


def test_it_aims_beside_the_rule_by_its_seed() -> None:
    from follower import Follower, Rule

    env = SimpleNamespace(unwrapped=SimpleNamespace(ale=Ale()))
    agent = Follower(Rule(7, 40, 0, 2, 3, (0, 1)), env, aim=8)

    def play(seed: int) -> list[int]:
        agent.reset(seed)
        return [agent.act(None) for _ in range(300)]

    assert play(1) == play(1)
    assert play(1) != play(2)
    assert {0, 1, 2, 3} == set(play(1) + play(2) + play(3))


def test_it_finds_what_moves_and_what_is_worth_following(monkeypatch: pytest.MonkeyPatch) -> None:
    import follower

    monkeypatch.setattr(follower, "open_raw", lambda *args: Chase())
    monkeypatch.setattr(follower, "EXPLORED", 500)
    monkeypatch.setattr(follower, "ROUNDS", ((200, 1.0), (400, 0.5), (400, 0.5)))
    told = []
    found = follower.find_followers("ALE/Chase-v5", 0, count=2, on_steps=lambda steps, status: told.append(steps))
    rule, score = found[0]
    assert (rule.own, rule.followed, rule.up, rule.down, rule.others) == (7, 40, 2, 3, (0, 1))
    assert score > 900  # of a thousand steps
    assert score >= found[1][1]
    assert sum(told) > 0
