"""Generalised advantage estimation against its definition, a sum of discounted differences written out."""

import numpy as np
import pytest
import torch

from dreamplay.agents.advantages import advantages


def by_definition(rewards, values, next_values, lives, goes_on, discount, trace):
    """A_t = sum over k of (product of discount * trace * lives over the steps between) * delta_{t+k}, in loops."""
    rows, steps = rewards.shape
    found = np.zeros((rows, steps))
    for b in range(rows):
        for t in range(steps):
            weight = 1.0
            for k in range(t, steps):
                found[b, t] += weight * (rewards[b, k] + discount * lives[b, k] * next_values[b, k] - values[b, k])
                if not goes_on[b, k]:
                    break
                weight *= discount * trace * lives[b, k]
    return found


@pytest.mark.parametrize("trace", [0.0, 0.95, 1.0])
def test_it_is_the_sum_it_stands_for(trace):
    rng = np.random.default_rng(0)
    rewards, values, next_values = rng.normal(size=(3, 4, 12))
    lives, goes_on = rng.random((4, 12)), rng.random((4, 12)) < 0.7
    given = [torch.from_numpy(part) for part in (rewards, values, next_values, lives, goes_on)]
    found = advantages(*given, discount=0.9, trace=trace)
    expected = by_definition(rewards, values, next_values, lives, goes_on, 0.9, trace)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_two_steps_by_hand():
    row = torch.tensor
    found = advantages(
        row([[1.0, 2.0]]), row([[0.5, 1.0]]), row([[1.0, 4.0]]), row([[0.5, 1.0]]), row([[True, True]]),
        discount=0.5, trace=0.5,
    )  # fmt: skip
    # Second: 2 + 0.5 * 4 - 1 = 3. First: 1 + 0.5 * 0.5 * 1 - 0.5 = 0.75, and 0.5 * 0.5 * 0.5 * 3 = 0.375.
    assert found.tolist() == [[1.125, 3.0]]


def test_nothing_after_an_end_or_a_restart_counts():
    rewards = torch.tensor([[1.0, 100.0], [1.0, 100.0]])
    zeros = torch.zeros(2, 2)
    lives, goes_on = torch.tensor([[0.0, 1.0], [1.0, 1.0]]), torch.tensor([[True, True], [False, True]])
    found = advantages(rewards, zeros, torch.full((2, 2), 7.0), lives, goes_on, discount=1.0, trace=1.0)
    assert found[:, 0].tolist() == [1.0, 8.0]  # ended: the reward alone; cut: what the last value makes up for, too
