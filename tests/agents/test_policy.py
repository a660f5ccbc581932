"""The critic's units follow the returns, and no value changes by that."""

import torch

from dreamplay.agents.policy import Policy


def policy():
    torch.manual_seed(0)
    new = Policy(features=5, outputs=3, width=8)
    torch.nn.init.normal_(new.critic.weight)
    return new


def test_a_new_policy_finds_all_actions_about_as_likely():
    outputs, _ = policy()(torch.randn(7, 5))
    assert outputs.abs().max().item() < 0.1


def test_a_new_critic_finds_nothing_worth_anything():
    _, values = Policy(features=5, outputs=3, width=8)(torch.randn(7, 5))
    assert not values.any()


def test_values_survive_a_change_of_units():
    critic, features = policy(), torch.randn(7, 5)
    before = critic.in_rewards(critic(features)[1])
    critic.measure(torch.tensor([100.0, 300.0, 500.0]), least=0.1)
    torch.testing.assert_close(critic.in_rewards(critic(features)[1]), before, atol=1e-3, rtol=1e-5)
    assert (float(critic.mean), float(critic.scale)) == (300.0, 200.0)
    torch.testing.assert_close(critic.in_units(torch.tensor([100.0, 300.0])), torch.tensor([-1.0, 0.0]))


def test_later_returns_count_the_less_and_noise_sets_no_units():
    critic = policy()
    for value in (0.0, 1.0):
        critic.measure(torch.full((4,), value), least=0.25)
    assert (float(critic.mean), float(critic.scale)) == (0.5, 0.25)
    for _ in range(40):
        critic.measure(torch.zeros(4), least=0.25)
    critic.measure(torch.ones(4), least=0.25, rate=0.5)
    assert float(critic.mean) > 0.5
