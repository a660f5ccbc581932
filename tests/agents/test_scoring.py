"""What the dream says a sequence is worth, against values worked out by hand."""

from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from dreamplay.agents.scoring import DreamScorer, ScoringConfig
from dreamplay.errors import UserError
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
    scorer = DreamScorer(Scripted([0.5, 0.25, 0.0]), ScoringConfig(discount=0.5))
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
    scorer = DreamScorer(Scripted([0.0, 1.0, 0.0]), ScoringConfig(discount=1.0))
    follow(scorer, 1)
    np.testing.assert_array_equal(scorer.score(np.array([[[1, 2, 100], [1, 2, -100]]])), [[3, 3]])


def test_a_step_survived_earns_the_bonus() -> None:
    scorer = DreamScorer(Scripted([0.5, 0.25, 1.0]), ScoringConfig(discount=0.5, alive_bonus=8.0))
    follow(scorer, 1)
    # Alive after each step: 1/2, 3/8, 0.
    np.testing.assert_allclose(scorer.score(np.zeros((1, 1, 3), int)), [[8 / 2 + 8 * 3 / 16]], rtol=1e-12)


@pytest.mark.parametrize(("mean_reward", "bonus"), [(0.25, 0.25), (-3.0, 0.0)])
def test_the_bonus_is_the_typical_reward_if_that_is_a_gain(mean_reward: float, bonus: float) -> None:
    scorer = DreamScorer(Scripted([0.0, 0.0], mean_reward), ScoringConfig(discount=1.0))
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
    scorer = DreamScorer(simulator, ScoringConfig(discount=1.0))
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
    scorer = DreamScorer(simulator, ScoringConfig(discount=0.9))
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


def stub_scorer(config: ScoringConfig, rows: int, **arguments: Any) -> tuple[StubSimulator, DreamScorer]:
    simulator = StubSimulator()
    scorer = DreamScorer(simulator, config, **arguments)
    frames = np.random.default_rng(1).integers(0, 256, (rows, 1, 2, 3, 1), dtype=np.uint8)
    scorer.follow(simulator.start(frames, np.zeros((rows, 0), int)))
    return simulator, scorer


def test_what_comes_after_the_plan_is_worth_its_value_to_those_who_live() -> None:
    scorer = DreamScorer(
        Scripted([0.5, 0.25], mean_reward=100.0),  # a value leaves nothing to a bonus
        ScoringConfig(discount=0.5),
        value=lambda state: 8.0 * state["time"].numpy() + state["row"].numpy(),
    )
    follow(scorer, 2)
    # Alive after two steps: 3/8; discounted by 1/4; the time is 2.
    expected = [[1 + 2 / 4 + 16 * 3 / 32], [11 + 12 / 4 + 17 * 3 / 32]]
    np.testing.assert_allclose(scorer.score(np.array([[[1, 2]], [[1, 2]]])), expected, rtol=1e-12)


class Lottery(Scripted):
    """Every reward is the first random number of its step."""

    draws = 3

    def step(self, state: Any, actions: np.ndarray, **chance: Any) -> Any:
        uniforms = chance.pop("uniforms")
        assert chance.pop("temperature") == 1.0
        assert uniforms.dtype == np.float32 and uniforms.shape == (len(actions), self.draws)
        assert uniforms.min() >= 0 and uniforms.max() < 1
        after, step = super().step(state, actions, **chance)
        step.expected_rewards = uniforms[:, 0]
        return after, step


def test_sampled_futures_are_spread_evenly_and_the_same_for_all_plans() -> None:
    def values(quantile: float | None) -> np.ndarray:
        config = ScoringConfig(discount=1.0, alive_bonus=0.0, samples=4, quantile=quantile)
        scorer = DreamScorer(Lottery([0.0]), config)
        follow(scorer, 2)
        return scorer.score(np.zeros((2, 5, 1), int))

    worst, best = values(0.0), values(1.0)
    for answer in (worst, best, values(None)):
        assert len(np.unique(answer)) == 1
    assert 0 <= worst[0, 0] < 1 / 4 and 3 / 4 <= best[0, 0] < 1  # one number in each quarter
    assert values(None)[0, 0] == pytest.approx(0.5, abs=1 / 8)


def test_risk_is_a_quantile_over_futures() -> None:
    def values(quantile: float | None, samples: int = 5) -> np.ndarray:
        _, scorer = stub_scorer(ScoringConfig(samples=samples, quantile=quantile), rows=2)
        return scorer.score(np.random.default_rng(0).integers(0, 3, (2, 20, 6)))

    worst, middle, best, mean = values(0.0), values(0.5), values(1.0), values(None)
    assert (worst <= middle).all() and (middle <= best).all() and (worst < best).any()
    assert ((worst <= mean) & (mean <= best)).all()
    np.testing.assert_array_equal(values(None, samples=1), values(0.3, samples=1))


@pytest.mark.parametrize("samples", [1, 3])
def test_a_search_that_goes_on_from_beginnings_takes_one_step_at_a_time(samples: int) -> None:
    config = ScoringConfig(samples=samples)
    simulator, scorer = stub_scorer(config, rows=2)
    rng = np.random.default_rng(0)
    beams = np.zeros((2, 4, 0), int)
    for _ in range(1, 6):
        before = simulator.steps
        # Any of the beginnings, in any order, and several times.
        beams = np.take_along_axis(beams, rng.integers(0, 4, (2, 4))[..., None], axis=1)
        beams = np.concatenate([beams, rng.integers(0, 3, (2, 4, 1))], axis=2)
        answer = scorer.score(beams)
        assert simulator.steps == before + 1
        np.testing.assert_array_equal(answer, stub_scorer(config, rows=2)[1].score(beams))
    # A sequence that begins otherwise is dreamed from the start.
    other = np.concatenate([2 - beams, beams[..., -1:]], axis=2)
    np.testing.assert_array_equal(scorer.score(other), stub_scorer(config, rows=2)[1].score(other))


def test_beginnings_are_forgotten_when_the_state_changes() -> None:
    simulator, scorer = stub_scorer(ScoringConfig(), rows=1)
    scorer.score(np.zeros((1, 1, 1), int))
    scorer.follow(simulator.start(np.full((1, 1, 2, 3, 1), 77, np.uint8), np.zeros((1, 0), int)))
    fresh = DreamScorer(simulator)
    fresh.follow(simulator.start(np.full((1, 1, 2, 3, 1), 77, np.uint8), np.zeros((1, 0), int)))
    actions = np.zeros((1, 1, 2), int)
    np.testing.assert_array_equal(scorer.score(actions), fresh.score(actions))


@pytest.mark.parametrize("wrong", [{"discount": 0.0}, {"samples": 0}, {"quantile": 1.5}], ids=str)
def test_a_configuration_that_cannot_work_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        ScoringConfig(**wrong)  # type: ignore[arg-type]
