"""Distributions of actions against PyTorch's own, and actions that fit every kind of space."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Normal

from dreamplay.actions import encode_actions
from dreamplay.agents.action_heads import BoxHead, ChoiceHead, head_for
from dreamplay.errors import UserError

SPACES = [
    gym.spaces.Discrete(4, start=2),
    gym.spaces.MultiDiscrete([3, 5]),
    gym.spaces.MultiDiscrete(np.array([[2, 3], [4, 2]])),
    gym.spaces.MultiBinary(3),
    gym.spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32)),
    gym.spaces.Box(-np.inf, np.inf, (2, 2), np.float32),
]


def outputs_for(head, rows, seed=0):
    return torch.randn(rows, head.outputs, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_actions_are_in_the_space(space):
    head = head_for(space)
    outputs = 3 * outputs_for(head, 50)
    for draws in (head.sample(outputs, torch.Generator().manual_seed(0)), head.likeliest(outputs)):
        actions = head.to_actions(draws)
        assert actions.shape == (50, *space.shape)
        assert all(space.contains(action) for action in actions)
        encode_actions(space, actions)
        assert head.log_prob(outputs, draws).shape == head.entropy(outputs).shape == (50,)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_same_generator_draws_the_same(space):
    head = head_for(space)
    outputs = outputs_for(head, 8)
    first, second = (head.sample(outputs, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)


def test_choices_are_independent_categoricals():
    head = ChoiceHead(gym.spaces.MultiDiscrete([3, 5]))
    outputs = outputs_for(head, 6)
    draws = head.sample(outputs, torch.Generator().manual_seed(1))
    parts = [Categorical(logits=part) for part in outputs.split([3, 5], -1)]
    expected = sum(part.log_prob(draws[:, i]) for i, part in enumerate(parts))
    torch.testing.assert_close(head.log_prob(outputs, draws), expected)
    torch.testing.assert_close(head.entropy(outputs), sum(part.entropy() for part in parts))
    assert head.likeliest(outputs).tolist() == [[int(p[:3].argmax()), int(p[3:].argmax())] for p in outputs]


def test_choices_are_drawn_as_often_as_is_likely():
    head = ChoiceHead(gym.spaces.Discrete(3))
    outputs = torch.tensor([0.5, 0.3, 0.2]).log().expand(40_000, 3)
    draws = head.sample(outputs, torch.Generator().manual_seed(0))
    frequencies = torch.bincount(draws[:, 0], minlength=3) / 40_000
    torch.testing.assert_close(frequencies, torch.tensor([0.5, 0.3, 0.2]), atol=0.01, rtol=0)


def test_entropy_of_choices_has_a_gradient_where_components_differ_in_size():
    head = ChoiceHead(gym.spaces.MultiDiscrete([2, 4]))
    outputs = outputs_for(head, 3).requires_grad_()
    (head.entropy(outputs).sum() + head.log_prob(outputs, torch.ones(3, 2, dtype=torch.int64)).sum()).backward()
    assert outputs.grad is not None and bool(outputs.grad.isfinite().all())


def test_boxes_are_independent_normals():
    head = BoxHead(gym.spaces.Box(-1.0, 1.0, (2,), np.float32))
    outputs = outputs_for(head, 5)
    mean, width = outputs.chunk(2, -1)
    normal = Normal(mean, (-4 / (1 + (width + 1.4).exp())).exp())
    draws = head.sample(outputs, torch.Generator().manual_seed(1))
    torch.testing.assert_close(head.log_prob(outputs, draws), normal.log_prob(draws).sum(-1))
    torch.testing.assert_close(head.entropy(outputs), normal.entropy().sum(-1))
    assert torch.equal(head.likeliest(outputs), mean)


def test_a_box_is_scaled_as_simulators_see_it_and_clipped():
    space = gym.spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32))
    actions = BoxHead(space).to_actions(torch.tensor([[0.5, 0.5], [-3.0, 2.0]]))
    assert actions.tolist() == [[1.0, 0.75], [-2.0, 1.0]]
    assert encode_actions(space, actions).tolist() == [[0.5, 0.5], [-1.0, 1.0]]


def test_other_spaces_are_refused():
    with pytest.raises(UserError, match="not supported"):
        head_for(gym.spaces.Text(3))
