"""Reward bins: exact where rewards are few, the mean kept where they are not."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamplay.rewards import MAX_VALUES, RewardBins


def test_few_rewards_are_the_bins_and_encoded_one_hot():
    bins = RewardBins.of(np.array([0, 1, 0, -1, 1, 0.5]))
    assert bins.exact
    assert bins.values.tolist() == [-1, 0, 0.5, 1]
    assert bins.encode(np.array([[-1, 0], [0.5, 1]])).tolist() == torch.eye(4).view(2, 2, 4).tolist()


def test_what_no_bin_stands_for_is_unknown():
    few = RewardBins.of(np.array([0, 1, 0.5]))
    assert few.unknown(np.array([4, 0, 0.25, 1, 4, -1])).tolist() == [-1, 0.25, 4]
    assert few.unknown(np.array([0.5, 1])).tolist() == []
    many = RewardBins.of(np.linspace(0, 1, 100))
    assert not many.exact
    assert many.unknown(np.array([0.123, 1, 0, -2, 7])).tolist() == [-2, 7]


def test_a_single_reward_is_always_right():
    bins = RewardBins.of(np.zeros(5))
    assert bins.encode(np.array([0.0, 3.0])).tolist() == [[1], [1]]
    logits = torch.randn(2, 1)
    for rewards in (bins.mean(logits), bins.most_likely(logits), bins.sample(logits, 1.0, torch.rand(2))):
        assert rewards.tolist() == [0, 0]


def test_the_probability_of_a_reward_is_that_of_all_bins_but_zero():
    odds = torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]])
    zero = RewardBins(np.array([-1, 0, 1], np.float32), True)
    assert zero.not_zero(odds.log()).tolist() == pytest.approx([0.3, 0.75])
    assert RewardBins(np.array([1, 2, 3], np.float32), True).not_zero(odds.log()).tolist() == pytest.approx([1, 1])
    assert RewardBins(np.zeros(1, np.float32), True).not_zero(torch.randn(2, 1)).tolist() == [0, 0]


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(MAX_VALUES + 1, 200))
def test_the_mean_of_many_rewards_is_kept(seed, count):
    rewards = np.random.default_rng(seed).normal(0, 10, count).astype(np.float32)
    bins = RewardBins.of(rewards)
    assert not bins.exact
    assert len(bins.values) <= MAX_VALUES
    target = bins.encode(rewards)
    np.testing.assert_allclose(target.sum(-1), np.ones(count), rtol=1e-5)
    assert target.min() >= 0
    assert ((target > 0).sum(-1) <= 2).all()
    np.testing.assert_allclose(target @ torch.from_numpy(bins.values), rewards, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(bins.mean(target.log()), rewards, rtol=1e-3, atol=1e-3)


def test_a_reward_beyond_the_bins_counts_as_the_nearest():
    bins = RewardBins(np.array([-1, 2], np.float32), True)
    assert bins.encode(np.array([-5.0, 9.0])).tolist() == [[1, 0], [0, 1]]


def test_the_most_likely_reward_is_a_value_of_the_data_or_the_mean():
    logits = torch.tensor([[0.0, 0.0, math.log(2)]])
    values = np.array([-1, 0, 3], np.float32)
    assert RewardBins(values, True).most_likely(logits).tolist() == [3]
    assert RewardBins(values, False).most_likely(logits).item() == pytest.approx((-1 + 0 + 2 * 3) / 4)
    assert RewardBins(values, True).mean(logits).item() == pytest.approx(5 / 4)


def test_samples_follow_the_softmax_exactly():
    bins = RewardBins(np.array([-1, 0, 3], np.float32), True)
    n, temperature = 1000, 0.7
    logits = torch.tensor([0.2, -0.4, 1.0])
    drawn = bins.sample(logits.expand(n, 3), temperature, (torch.arange(n) + 0.5) / n)
    counts = [(drawn == value).sum().item() for value in bins.values.tolist()]
    weights = [math.exp(float(x) / temperature) for x in logits]
    np.testing.assert_allclose(counts, [n * w / sum(weights) for w in weights], atol=1)


def test_an_impossible_reward_is_never_drawn():
    bins = RewardBins(np.array([-1, 0, 3], np.float32), True)
    extremes = torch.tensor([0.0, float(np.nextafter(np.float32(1), np.float32(0)))])
    assert bins.sample(torch.tensor([[-200.0, 0.0, -200.0]] * 2), 1.0, extremes).tolist() == [0, 0]


@pytest.mark.parametrize("rewards", [np.array([0.1, -2.7]), np.linspace(-1, 1, 99)])
def test_bins_survive_json(rewards):
    bins = RewardBins.of(rewards)
    again = RewardBins.from_json(json.loads(json.dumps(bins.to_json())))
    np.testing.assert_array_equal(again.values, bins.values)
    assert again.values.dtype == np.float32
    assert again.exact == bins.exact
