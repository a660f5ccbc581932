"""Which steps carry a loss: events first, a share of the rest, and on average the same loss as from all of them."""

import numpy as np
import pytest

from dreamplay.curriculum import window
from dreamplay.step_weights import eventful, step_weights
from dreamplay.training import RECIPES, Recipe
from dreamplay.windows import Outcomes

B, T = 4, 10
ALIKE = np.ones((B, T))


def batch(rewards: np.ndarray | None = None, mask: np.ndarray | None = None) -> Outcomes:
    rewards = np.zeros((B, T), np.float32) if rewards is None else rewards
    mask = np.ones((B, T), bool) if mask is None else mask
    nothing = np.zeros((B, T), bool)
    return Outcomes(rewards, nothing, mask)


def test_all_steps_that_exist_count_the_same_unless_thinned():
    mask = np.ones((B, T), bool)
    mask[2, 4:] = False
    weights = step_weights(batch(mask=mask), 3, None, ALIKE, np.random.default_rng(0))
    expected = mask.astype(np.float32)
    expected[:, :3] = 0
    assert np.array_equal(weights, expected)
    assert np.array_equal(step_weights(batch(mask=mask), 3, 1000, ALIKE, np.random.default_rng(0)), expected)


def test_events_are_kept_first():
    rewards = np.zeros((B, T), np.float32)
    rewards[1, 5] = rewards[3, 9] = 1
    weights = step_weights(batch(rewards), 0, 8, ALIKE, np.random.default_rng(0))
    assert np.count_nonzero(weights) == 8
    assert weights[1, 5] == weights[3, 9] == 1
    others = weights[(weights > 0) & (rewards == 0)]
    assert others == pytest.approx((B * T - 2) / 6)
    assert weights.sum() == pytest.approx(B * T)


def test_where_events_are_common_they_take_half_of_the_room():
    rewards = np.tile(np.arange(T, dtype=np.float32), (B, 1))  # all different but the usual one
    weights = step_weights(batch(rewards), 0, 10, ALIKE, np.random.default_rng(0))
    events = eventful(batch(rewards))
    assert events.sum() == B * (T - 1)
    assert np.count_nonzero(weights[events]) == 5
    assert np.count_nonzero(weights) == 5 + B  # there are no more others
    assert weights.sum() == pytest.approx(B * T)


def test_the_usual_reward_is_no_event():
    rewards = np.ones((B, T), np.float32)  # one for every step, as where a pole is kept up
    rewards[0, 0] = 0
    assert np.flatnonzero(eventful(batch(rewards))).tolist() == [0]


@pytest.mark.parametrize("even", [True, False], ids=["alike", "of all kinds"])
def test_on_average_the_loss_is_that_of_all_steps(even):
    losses = np.random.default_rng(1).random((B, T))
    hardness = ALIKE if even else np.random.default_rng(3).random((B, T)) ** 4 + 0.02
    mask = np.ones((B, T), bool)
    mask[0, 6:] = False
    rewards = np.zeros((B, T), np.float32)
    rewards[1, 5], losses[1, 5] = 1, 50.0
    rng = np.random.default_rng(2)
    means = [(step_weights(batch(rewards, mask), 2, 6, hardness, rng) * losses).sum() for _ in range(10_000)]
    expected = losses[:, 2:][mask[:, 2:]].sum()
    assert np.mean(means) == pytest.approx(expected, rel=0.02)


def test_a_step_is_kept_as_often_as_it_is_hard_and_no_more_than_always():
    hardness = np.ones((B, T))
    hardness[0, 0], hardness[0, 1], hardness[0, 2] = 2, 4, 1000
    rng = np.random.default_rng(0)
    kept = np.stack([step_weights(batch(), 0, 11, hardness, rng) for _ in range(4000)])
    assert (np.count_nonzero(kept, (1, 2)) == 11).all()
    often = (kept > 0).mean(0)
    share = 10 / (37 + 2 + 4)  # one place is taken by the hardest
    assert (often[0, :3], often[1:].mean()) == (
        pytest.approx([2 * share, 4 * share, 1], abs=0.03),
        pytest.approx(share, abs=0.005),
    )
    for place, chance in (((0, 0), 2 * share), ((0, 1), 4 * share), ((0, 2), 1), ((1, 0), share)):
        assert np.unique(kept[:, place[0], place[1]]) == pytest.approx([0, 1 / chance] if chance < 1 else [1])


def test_a_loss_that_goes_with_hardness_is_told_without_noise():
    hardness = np.random.default_rng(1).random((B, T)) + 0.5
    rng = np.random.default_rng(2)
    sums = [(step_weights(batch(), 0, 8, hardness, rng) * hardness).sum() for _ in range(100)]
    assert sums == pytest.approx([hardness.sum()] * 100)


def test_no_more_dreams_than_are_learned_from():
    recipe = Recipe(1e-3, 256, 10.0, predicted_steps=64)
    assert recipe.windows(window(64), 256) == 4
    assert recipe.windows(window(8, 1, warm_up=7), 256) == 28
    assert recipe.windows(window(8, 16, warm_up=7), 256) == 64 // 17
    assert recipe.windows(window(500), 256) == 1
    assert RECIPES["classic"].windows(window(10, 15, warm_up=10), 400) == 16
