"""Followers: policies for games of ball and paddle, found by trying what in the console's memory is worth following.

Of the 128 bytes of an Atari game some are moved by the player's own actions, and some are worth following: a paddle
kept level with the ball plays well. Which bytes these are is found out: `find_followers` knows nothing of a game but
its actions, its memory and its rewards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.agents.random_agent import RandomAgent
from dreamplay.envs import atari
from dreamplay.envs.making import open_raw

EXPLORED = 3000  # random steps in which to see what moves
OWN, FOLLOWED = 2, 24  # bytes tried as the player's own, and as what it follows
OFFSETS = range(-32, 33, 16)
NEARBY = (-8, -4, 4, 8)  # offsets tried around the best
ROUNDS = ((500, 1.0), (2000, 0.1), (4000, 0.2))  # steps of a trial, and the share of the rules before that get one
FAR = 32  # a byte that jumps so far wrapped around, or is of another ball
REAIM = 0.01  # how often it aims anew
OTHER = 0.03  # how often an action is one that moves nothing: somebody has to serve


@dataclass(frozen=True)
class Rule:
    """Keep memory[own] level with memory[followed] + offset, where that will be in the next step."""

    own: int
    """Byte that the player's actions move."""
    followed: int
    """Byte that it follows."""
    offset: int
    """How far beside that."""
    up: int
    """Action that makes the own byte larger."""
    down: int
    """Action that makes it smaller."""
    others: tuple[int, ...]
    """Actions that do neither."""
    slack: int = 5
    """Distance that is near enough."""


class Follower:
    """A rule as an agent for a prepared Atari environment.

    Args:
        rule: what to follow.
        env: where it acts.
        aim: largest distance by which it aims beside the rule, drawn anew now and then: rallies at other angles.
    """

    def __init__(self, rule: Rule, env: gym.Env[Any, Any], aim: int = 0) -> None:
        self._rule, self._ale, self._aim = rule, getattr(env.unwrapped, "ale"), aim  # noqa: B009
        self._rng = np.random.default_rng()
        self._offset = rule.offset
        self._before: int | None = None

    def reset(self, seed: int | None = None) -> None:
        """A seed restarts the random numbers."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._before = None
        self._offset = self._draw_offset()

    def act(self, observation: np.ndarray | None) -> int:
        """The action; the memory is looked at, not the frame."""
        rule, memory = self._rule, self._ale.getRAM()
        if self._rng.random() < REAIM:
            self._offset = self._draw_offset()
        place = int(memory[rule.followed])
        moved = 0 if self._before is None or abs(place - self._before) > FAR else place - self._before
        self._before = place
        distance = place + moved + self._offset - int(memory[rule.own])
        if abs(distance) <= rule.slack or self._rng.random() < OTHER:
            return rule.others[int(self._rng.integers(len(rule.others)))]
        return rule.up if distance > 0 else rule.down

    def _draw_offset(self) -> int:
        return self._rule.offset + int(self._rng.integers(-self._aim, self._aim + 1))


def most_steps() -> int:
    """Steps that `find_followers` takes at most, roughly."""
    rules = OWN * FOLLOWED * len(OFFSETS)
    total = EXPLORED + 4 * len(NEARBY) * ROUNDS[-1][0]
    for steps, share in ROUNDS:
        rules = round(share * rules)
        total += steps * rules
    return total


def find_followers(
    env_id: str, seed: int, count: int = 4, on_steps: Callable[[int, str], None] = lambda steps, status: None
) -> list[tuple[Rule, float]]:
    """The best rules and their rewards per thousand steps, the best first.

    Rules are tried for some hundred steps each, the best of them longer, and longer again.

    Args:
        env_id: an Atari game.
        seed: of the random actions and the trials.
        count: how many rules.
        on_steps: told of steps taken and what is going on.
    """
    env = open_raw(env_id, atari.settings(env_id, {"obs_type": "ram"}), (), None)
    rules = _candidates(env, seed)
    on_steps(EXPLORED, f"{len(rules)} rules")
    scores = np.zeros(len(rules))
    for steps, share in ROUNDS:
        best = np.argsort(-scores)[: max(count, round(share * len(rules)))]
        rules = [rules[i] for i in best]
        scores = np.array([_try(env, rule, steps, seed, on_steps) for rule in rules])
    for offset in NEARBY:
        nearby = [replace(rule, offset=rule.offset + offset) for rule in rules[:count]]
        nearby = [rule for rule in nearby if rule not in rules]
        rules += nearby
        scores = np.append(scores, [_try(env, rule, ROUNDS[-1][0], seed, on_steps) for rule in nearby])
    env.close()
    return [(rules[i], float(scores[i])) for i in np.argsort(-scores)[:count]]


def _candidates(env: gym.Env[Any, Any], seed: int) -> list[Rule]:
    """What could follow what: own bytes are those that actions push apart most, beside how much they move anyway."""
    agent = RandomAgent(env.action_space, sticky=0.8)
    agent.reset(seed)
    memory, actions = [env.reset(seed=seed)[0]], []
    for _ in range(EXPLORED):
        actions.append(int(agent.act(None)))
        seen, _, terminated, truncated, _ = env.step(actions[-1])
        memory.append(env.reset()[0] if terminated or truncated else seen)
    changes = np.diff(np.array(memory, np.int16), axis=0)[1:].clip(-32, 32)  # (T, 128); a wrap-around is no jump
    held = np.array(actions)
    steady = held[1:] == held[:-1]
    kinds = np.unique(held)
    effect = np.array([changes[steady & (held[1:] == kind)].mean(0) for kind in kinds])  # (A, 128)
    spread = effect.max(0) - effect.min(0)
    signal = np.where(spread > 0.5, spread / (changes.std(0) + 0.1), 0)
    moving = np.argsort(-np.count_nonzero(changes, 0))[:FOLLOWED]
    rules = []
    for own in np.argsort(-signal)[:OWN]:
        pushes = effect[:, own] - np.median(effect[:, own])
        idle = tuple(int(kind) for kind in kinds[np.abs(pushes) < 0.2 * spread[own]])
        if signal[own] == 0 or not idle:
            continue
        up, down = int(kinds[pushes.argmax()]), int(kinds[pushes.argmin()])
        followed = [int(byte) for byte in moving if byte != own]
        rules += [Rule(int(own), byte, offset, up, down, idle) for byte in followed for offset in OFFSETS]
    return rules


def _try(env: gym.Env[Any, Any], rule: Rule, steps: int, seed: int, on_steps: Callable[[int, str], None]) -> float:
    """Rewards per thousand steps."""
    agent, total = Follower(rule, env), 0.0
    agent.reset(seed)
    env.reset(seed=seed)
    for _ in range(steps):
        _, reward, terminated, truncated, _ = env.step(agent.act(None))
        total += float(reward)
        if terminated or truncated:
            env.reset()
    on_steps(steps, f"byte {rule.own} follows {rule.followed}")
    return 1000 * total / steps
