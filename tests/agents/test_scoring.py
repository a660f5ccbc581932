"""What the dream says a sequence is worth, against values worked out by hand."""

from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from dreamplay.agents.scoring import DreamScorer
from toys import StubSimulator


class Scripted:
    """Expected rewards are 10 * row + action; termination probabilities come from a table by step."""

    def __init__(self, termination: list[float], mean_reward: float = 0.0, side: int = 8) -> None:
        self.card = SimpleNamespace(observation_space=gym.spaces.Box(0, 255, (side, side, 1), np.uint8))
        self.termination = np.array(termination, np.float32)
        self.mean_reward = mean_reward
        self.batches: list[int] = []

    def step(
        self, state: dict[str, torch.Tensor], actions: np.ndarray, *, decode: bool = True, **temperature: Any
    ) -> Any:
        assert temperature.get("temperature", 0.0) == 0.0
        assert not decode
        self.batches.append(len(actions))
        answer = SimpleNamespace(
            expected_rewards=(10 * state["row"].numpy() + actions).astype(np.float32),
            termination_probability=self.termination[state["time"].numpy()],
        )
        return {"row": state["row"], "time": state["time"] + 1}, answer


def follow(scorer: DreamScorer, rows: int) -> dict[str, torch.Tensor]:
    state = {"row": torch.arange(rows), "time": torch.zeros(rows, dtype=torch.int64)}
    scorer.follow(state)
    return state


def test_rewards_are_discounted_and_weighed_by_the_chance_to_be_alive() -> None:
    scorer = DreamScorer(Scripted([0.5, 0.25, 0.0]), discount=0.5)
    follow(scorer, 2)
    actions = np.array([[[1, 2, 4], [0, 0, 8]], [[1, 2, 4], [0, 0, 0]]])  # (B, N, T)
    # Alive before each step: 1, 1/2, 3/8; discount: 1, 1/2, 1/4.
    np.testing.assert_allclose(
        scorer.score(actions),
        [
            [1 + 2 / 4 + 4 * 3 / 32, 8 * 3 / 32],
            [11 + 12 / 4 + 14 * 3 / 32, 10 + 10 / 4 + 10 * 3 / 32],
        ],
        rtol=1e-12,
    )


def test_the_reward_of_the_last_step_counts_and_nothing_after_it() -> None:
    scorer = DreamScorer(Scripted([0.0, 1.0, 0.0]), discount=1.0)
    follow(scorer, 1)
    np.testing.assert_array_equal(scorer.score(np.array([[[1, 2, 100], [1, 2, -100]]])), [[3, 3]])


def test_a_step_survived_earns_the_bonus() -> None:
    scorer = DreamScorer(Scripted([0.5, 0.25, 1.0]), discount=0.5, alive_bonus=8.0)
    follow(scorer, 1)
    # Alive after each step: 1/2, 3/8, 0.
    np.testing.assert_allclose(scorer.score(np.zeros((1, 1, 3), int)), [[8 / 2 + 8 * 3 / 16]], rtol=1e-12)


@pytest.mark.parametrize(("mean_reward", "bonus"), [(0.25, 0.25), (-3.0, 0.0)])
def test_the_bonus_is_the_typical_reward_if_that_is_a_gain(mean_reward: float, bonus: float) -> None:
    scorer = DreamScorer(Scripted([0.0, 0.0], mean_reward), discount=1.0)
    follow(scorer, 1)
    np.testing.assert_array_equal(scorer.score(np.zeros((1, 3, 2), int)), np.full((1, 3), 2 * bonus))


def test_all_rows_and_candidates_share_each_step_and_the_state_is_left_alone() -> None:
    simulator = Scripted([0.0] * 4)
    scorer = DreamScorer(simulator)
    state = follow(scorer, 3)
    actions = np.random.default_rng(0).integers(0, 5, (3, 7, 4))
    first = scorer.score(actions)
    assert simulator.batches == [21] * 4
    np.testing.assert_array_equal(scorer.score(actions), first)
    assert state["row"].tolist() == [0, 1, 2]
    assert state["time"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("side", "blocks"), [(8, [256, 44]), (64, [64, 64, 64, 64, 44]), (1024, [1] * 300)])
def test_many_dreams_are_rolled_in_blocks(side: int, blocks: list[int]) -> None:
    simulator = Scripted([0.25] * 2, side=side)
    scorer = DreamScorer(simulator, discount=1.0)
    follow(scorer, 3)
    actions = np.random.default_rng(0).integers(0, 5, (3, 100, 2))
    scores = scorer.score(actions)
    assert simulator.batches == [size for size in blocks for _ in range(2)]
    by_hand = 10 * np.arange(3)[:, None] * 1.75 + actions[..., 0] + 0.75 * actions[..., 1]
    np.testing.assert_allclose(scores, by_hand, rtol=1e-12)


@pytest.mark.parametrize("space", [gym.spaces.Discrete(3), gym.spaces.MultiBinary(4)], ids=str)
def test_scores_equal_those_of_dreams_rolled_one_by_one(space: gym.Space) -> None:
    simulator = StubSimulator(space)
    shape = space.shape or ()
    rng = np.random.default_rng(1)
    observations = rng.integers(0, 256, (3, 2, 2, 3, 1), dtype=np.uint8)
    past, actions = rng.integers(0, 2, (3, 1, *shape)), rng.integers(0, 2, (3, 5, 6, *shape))
    scorer = DreamScorer(simulator, discount=0.9)
    scorer.follow(simulator.start(observations, past))
    scores = scorer.score(actions)
    assert scores.shape == (3, 5)
    assert len(np.unique(scores)) > 5
    for row, candidate in np.ndindex(3, 5):
        state = simulator.start(observations[row : row + 1], past[row : row + 1])
        value, alive = 0.0, 1.0
        for t in range(6):
            state, step = simulator.step(state, actions[row, candidate, t][None])
            survival = 1.0 - float(step.termination_probability[0])
            value += 0.9**t * alive * (float(step.rewards[0]) + survival * simulator.mean_reward)
            alive *= survival
        assert scores[row, candidate] == pytest.approx(value, rel=1e-12)
