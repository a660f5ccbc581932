"""A policy that learns: where the best one is known, it is found, whatever the actions and the size of rewards."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from corridor import END, Corridor, corridor_starts, sense

from dreamplay.agents.action_heads import head_for
from dreamplay.agents.dreams import Dreams
from dreamplay.agents.learning import LearnConfig, learn, new_learner
from dreamplay.errors import UserError

QUICK = LearnConfig(dreams=32, steps=16, longest=30, minibatch=256, width=32, learning_rate=3e-3, discount=0.9)
SPACES = [
    gym.spaces.Discrete(3),
    gym.spaces.MultiDiscrete([3, 2]),
    gym.spaces.Box(-1.0, 1.0, (1,), np.float32),
]


def learner_and_dreams(simulator, seed=0):
    head = head_for(simulator.card.action_space)
    rewards = np.array([0.0, simulator.pay], np.float32)
    learner = new_learner(QUICK, END + 1, head, rewards, seed)
    starts = corridor_starts(simulator)
    return learner, Dreams(simulator, sense, head, starts, QUICK.dreams, QUICK.longest, seed)


@pytest.mark.parametrize(
    ("space", "pay"), [*((space, 1.0) for space in SPACES), (SPACES[0], 1000.0), (SPACES[0], 0.001)], ids=str
)
def test_the_best_policy_is_found_and_its_worth(space, pay):
    simulator = Corridor(space, pay)
    learner, dreams = learner_and_dreams(simulator)
    learn(learner, dreams, seed=0, steps=20_000)
    with torch.no_grad():
        outputs, values = learner.policy(torch.eye(END + 1)[:END])
        actions = learner.head.to_actions(learner.head.likeliest(outputs)).reshape(END, -1)[:, 0]
        worth = learner.policy.in_rewards(values)
    assert bool((actions > 0.5).all() if isinstance(space, gym.spaces.Box) else (actions == 2).all())
    best = pay * 0.9 ** np.arange(END - 1, -1, -1)
    assert np.abs(worth.numpy() - best).max() < 0.25 * pay  # the policy itself is still drawn from now and then


def test_learning_is_repeatable():
    weights = []
    for _ in range(2):
        learner, dreams = learner_and_dreams(Corridor())
        learn(learner, dreams, seed=0, steps=2000)
        weights.append(torch.cat([p.flatten() for p in learner.policy.parameters()]))
    assert torch.equal(*weights)


def test_steps_are_counted_and_reported():
    learner, dreams = learner_and_dreams(Corridor())
    reports, saved = [], []
    learn(learner, dreams, seed=0, steps=1500, on_update=reports.append, save=lambda now: saved.append(now.steps))
    assert [report.steps for report in reports] == [512, 1024, 1536]
    assert (learner.steps, saved) == (1536, [1536])
    learn(learner, dreams, seed=0, steps=1500, on_update=reports.append)
    assert len(reports) == 3  # nothing was left to learn


def test_minutes_end_the_learning_and_lower_the_rate():
    learner, dreams = learner_and_dreams(Corridor())
    ticks = iter(range(0, 1000, 6))  # six seconds an update
    reports = []
    learn(learner, dreams, seed=0, minutes=0.5, on_update=reports.append, clock=lambda: float(next(ticks)))
    assert [round(report.minutes, 3) for report in reports] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert learner.optimiser.param_groups[0]["lr"] == pytest.approx(QUICK.learning_rate * (1 - 0.9 * 0.8))


def test_ctrl_c_saves():
    learner, dreams = learner_and_dreams(Corridor())
    saved = []

    def stop(report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(learner, dreams, seed=0, steps=10_000, on_update=stop, save=lambda now: saved.append(now.steps))
    assert saved == [512]


def test_a_policy_that_is_lost_is_not_saved():
    learner, dreams = learner_and_dreams(Corridor(pay=float("nan")))
    saved = []
    with pytest.raises(UserError, match="diverged"):
        learn(learner, dreams, seed=0, steps=2000, save=lambda now: saved.append(now.steps))
    assert saved == []


def test_where_nothing_is_earned_noise_teaches_nothing():
    """Advantages that are noise must not be blown up to the size of real ones."""
    simulator = Corridor(pay=1e-6)
    learner, dreams = learner_and_dreams(simulator)
    learner.least = 0.01  # as if the real rewards were of size 1
    learn(learner, dreams, seed=0, steps=10_000)
    with torch.no_grad():
        outputs, _ = learner.policy(torch.eye(END + 1)[:END])
    assert float(outputs.softmax(-1).max()) < 0.5
