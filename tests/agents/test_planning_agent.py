"""Receding horizon: the dream starts from what reality showed, row by row."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from dreamplay.agents.cem import CEMConfig, CrossEntropyPlanner
from dreamplay.agents.planner import Score
from dreamplay.agents.planning_agent import PlanningAgent
from dreamplay.agents.scoring import DreamScorer, ScoringConfig
from toys import StubSimulator

CONFIG = CEMConfig(horizon=4, candidates=12, iterations=2, elites=3)


class History(StubSimulator):
    """The state is all that was seen: frames and actions in turn, (B, 99), -1 where nothing is yet."""

    def start(self, observations: np.ndarray, actions: np.ndarray) -> dict[str, Any]:
        state = {"frame": torch.from_numpy(observations[:, 0].astype(np.int64))}
        state["seen"] = torch.full((len(observations), 99), -1)
        for t in range(actions.shape[1]):
            state, _ = self.step(state, actions[:, t])
            state["frame"] = torch.from_numpy(observations[:, t + 1].astype(np.int64))
        return state

    def step(self, state: dict[str, Any], actions: np.ndarray, **settings: Any) -> Any:
        seen = torch.cat([state["frame"][:, 0, 0], torch.from_numpy(actions)[:, None]], 1)
        after = {"frame": state["frame"] + 50, "seen": torch.cat([seen, state["seen"]], 1)[:, :99]}
        return after, None


def history(agent: PlanningAgent, row: int = 0) -> tuple[int, list[int]]:
    """The present frame, and the frames and actions before, the last first."""
    state = agent._scorer._state
    return int(state["frame"][row, 0, 0, 0]), [int(value) for value in state["seen"][row] if value >= 0]


class FixedPlanner:
    """Plans 1, 2, 3, ... whatever the scores say, and remembers what it was asked."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.score: Score | None = None

    def plan(self, score: Score, batch: int | Sequence[int] = 1) -> np.ndarray:
        self.log.append(("plan", list(batch) if isinstance(batch, Sequence) else batch))
        self.score = score
        return np.tile(np.arange(1, 4), (len(self.log[-1][1]), 1))

    def reset(self, seed: int | None = None, rows: Sequence[int] | None = None) -> None:
        self.log.append(("reset", seed, rows))


def frame(value: int) -> np.ndarray:
    return np.full((2, 3, 1), value, np.uint8)


def planning_agent(simulator: StubSimulator) -> PlanningAgent:
    return PlanningAgent(CrossEntropyPlanner(simulator.card.action_space, CONFIG), DreamScorer(simulator))


def test_plans_start_from_all_real_frames_and_actions_since_the_first() -> None:
    agent = PlanningAgent(FixedPlanner(), DreamScorer(History()))
    agent.reset(seed=0)
    assert agent.act(frame(10)) == 1  # the first step of the plan
    assert history(agent) == (10, [])
    past: list[int] = []
    for t in range(20):
        action = t % 3  # not the agent's own actions: reality decides
        past = [10 + t, action, *past]
        agent.observe(frame(11 + t), action, 0.0, False, False)
        agent.act(frame(11 + t))
        assert history(agent) == (11 + t, past)


def test_the_plan_begins_with_the_action_taken_and_ends_with_the_episode() -> None:
    agent = PlanningAgent(FixedPlanner(), DreamScorer(StubSimulator()))
    assert agent.plan is None
    action = agent.act(frame(10))
    assert agent.plan is not None and agent.plan.tolist() == [1, 2, 3] and action == agent.plan[0]
    agent.reset()
    assert agent.plan is None


def test_without_observe_the_present_frame_is_all_there_is() -> None:
    agent = PlanningAgent(FixedPlanner(), DreamScorer(History()))
    agent.act(frame(1))
    agent.act(frame(2))
    assert history(agent) == (2, [])


def test_an_action_before_the_first_frame_leads_from_nowhere() -> None:
    agent = PlanningAgent(FixedPlanner(), DreamScorer(History()))
    agent.observe(frame(1), None, 0.0, False, False)
    agent.observe(frame(2), 2, 0.0, False, False)
    agent.act(frame(2))
    assert history(agent) == (2, [1, 2])


def test_asked_again_at_the_same_frame_it_still_remembers() -> None:
    agent = PlanningAgent(FixedPlanner(), DreamScorer(History()))
    agent.act(frame(1))
    agent.observe(frame(2), 0, 0.0, False, False)
    for _ in range(2):
        agent.act(frame(2))
        assert history(agent) == (2, [1, 0])


def test_frames_are_kept_even_if_the_environment_draws_over_them() -> None:
    agent = PlanningAgent(FixedPlanner(), DreamScorer(History()))
    buffer = frame(1)
    agent.act(buffer)
    buffer[:] = 2
    agent.observe(buffer, 0, 0.0, False, False)
    agent.act(buffer)
    assert history(agent) == (2, [1, 0])


@pytest.mark.parametrize(("terminated", "truncated"), [(True, False), (False, True)])
def test_nothing_of_an_episode_survives_its_end(terminated: bool, truncated: bool) -> None:
    planner = FixedPlanner()
    agent = PlanningAgent(planner, DreamScorer(History()))
    agent.reset(seed=5)
    agent.act(frame(1))
    agent.observe(frame(2), 0, 0.0, terminated, truncated)
    agent.act(frame(3))
    assert history(agent) == (3, [])
    assert planner.log[1:] == [("reset", 5, None), ("plan", [0]), ("reset", None, [0]), ("plan", [0])]


def test_reset_forgets_the_frames_and_starts_the_same_again() -> None:
    agent = planning_agent(StubSimulator(gym.spaces.Discrete(6)))

    def play() -> list[int]:
        agent.reset(seed=3)
        actions = []
        for value in (7, 20, 33, 46):
            actions.append(int(agent.act(frame(value))))
            agent.observe(frame(value + 13), actions[-1], 0.0, False, False)
        return actions

    first = play()
    assert play() == first


@pytest.mark.parametrize(
    "space",
    [
        gym.spaces.Discrete(5),
        gym.spaces.MultiDiscrete([3, 4]),
        gym.spaces.MultiBinary(3),
        gym.spaces.Box(-1.0, 1.0, (2,), np.float32),
    ],
    ids=str,
)
def test_rows_together_equal_single_agents(space: gym.Space) -> None:
    agents = [planning_agent(StubSimulator(space)) for _ in range(3)]
    team = planning_agent(StubSimulator(space))
    team.reset_rows(3, seed=20)
    for row, agent in enumerate(agents):
        agent.reset(seed=20 + row)
    rng = np.random.default_rng(0)
    running = [0, 1, 2]
    frames = rng.integers(0, 256, (3, 2, 3, 1), dtype=np.uint8)
    for t in range(8):
        actions = team.act_rows(running, frames[running])
        assert all(space.contains(action) for action in actions)
        for row, action in zip(running, actions, strict=True):
            np.testing.assert_array_equal(agents[row].act(frames[row]), action)
        frames = rng.integers(0, 256, (3, 2, 3, 1), dtype=np.uint8)
        # Row 1 begins another episode after two steps: Row 0 drops out after five.
        over = [row == 1 and t == 1 for row in running]
        rewards = [0.0] * len(running)
        team.observe_rows(running, frames[running], actions, rewards, over, [False] * len(running))
        for i, row in enumerate(running):
            agents[row].observe(frames[row], actions[i], 0.0, over[i], False)
        if t == 4:
            running = [1, 2]


def test_all_rows_are_scored_in_one_batch() -> None:
    simulator = StubSimulator()
    team = planning_agent(simulator)
    team.reset_rows(6)
    team.act_rows(range(6), [frame(row) for row in range(6)])
    assert simulator.steps == CONFIG.iterations * CONFIG.horizon


class Corridor(StubSimulator):
    """A corridor dreamt truly: the frame holds the place; go left, wait, or go right. Place 9 pays 1 and ends."""

    mean_reward = 0.0

    def step(self, state: dict[str, Any], actions: np.ndarray, **settings: Any) -> Any:
        place = np.clip(state["frame"][:, 0, 0, 0].numpy() + actions - 1, 0, 9)
        _, step = super().step(state, actions, **settings)
        end = place == 9
        there = torch.from_numpy(place)[:, None, None, None].expand_as(state["frame"])
        chance = end.astype(np.float32)
        step = step._replace(expected_rewards=chance, termination_probability=chance)
        return {**state, "frame": there}, step


@pytest.mark.parametrize("start", [2, 5, 8])
def test_takes_the_shortest_way(start: int) -> None:
    config = CEMConfig(horizon=10, candidates=100, iterations=4)
    scorer = DreamScorer(Corridor(), ScoringConfig(discount=0.9))
    agent = PlanningAgent(CrossEntropyPlanner(gym.spaces.Discrete(3), config), scorer)
    agent.reset(seed=start)
    place, steps = start, 0
    while place < 9:
        action = agent.act(frame(place))
        place = min(max(place + int(action) - 1, 0), 9)
        steps += 1
        assert steps <= 9 - start
        agent.observe(frame(place), action, 0.0, False, False)
