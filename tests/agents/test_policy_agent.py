"""A policy at work: it knows what the simulator knows of the whole episode, row by row."""

import numpy as np
import pytest
import torch
from networks import every, palette_network
from simulators import small_episode, small_simulator

from dreamplay.agents.acting import RowsAgent
from dreamplay.agents.action_heads import head_for
from dreamplay.agents.policy import Policy
from dreamplay.agents.policy_agent import Critic, PolicyAgent
from dreamplay.agents.scoring import DreamScorer, ScoringConfig
from dreamplay.agents.senses import Senses


def policy_agent(simulator, likeliest=False):
    torch.manual_seed(0)
    policy = Policy(Senses(simulator).size, simulator.card.action_space.n, 16)
    torch.nn.init.normal_(policy.actor.weight)
    return PolicyAgent(policy, head_for(simulator.card.action_space), simulator, likeliest)


@every
def test_it_acts_on_all_that_the_episode_showed(make_network):
    simulator, episode = small_simulator(make_network), small_episode(12)
    agent = policy_agent(simulator, likeliest=True)
    agent.reset(seed=0)
    for t in range(len(episode)):
        chosen = agent.act(episode.observations[t])
        state = simulator.start(episode.observations[None, : t + 1], episode.actions[None, :t])
        with torch.no_grad():
            expected = int(agent._policy(agent._senses(state))[0].argmax())
        assert chosen == expected
        agent.observe(episode.observations[t + 1], episode.actions[t], 0.0, False, False)


def test_rows_together_equal_single_agents():
    simulator = small_simulator(palette_network)
    episodes = [small_episode(8, seed) for seed in range(3)]
    team, alone = policy_agent(simulator), [policy_agent(simulator) for _ in range(3)]
    assert isinstance(team, RowsAgent)
    team.reset_rows(3, seed=7)
    for row, agent in enumerate(alone):
        agent.reset(seed=7 + row)
    running = [0, 1, 2]
    for t in range(8):
        frames = [episodes[row].observations[t] for row in running]
        actions = team.act_rows(running, frames)
        assert [int(a) for a in actions] == [int(alone[row].act(frames[i])) for i, row in enumerate(running)]
        answers = [episodes[row].observations[t + 1] for row in running]
        over = [row == 1 and t == 3 for row in running]
        team.observe_rows(running, answers, actions, [0.0] * len(running), over, [False] * len(running))
        for i, row in enumerate(running):
            alone[row].observe(answers[i], actions[i], 0.0, over[i], False)
        running = [0, 2] if t >= 3 else running


def test_the_seed_decides_and_nothing_survives_a_reset():
    simulator, episode = small_simulator(palette_network), small_episode(10)
    agent = policy_agent(simulator)

    def play(seed):
        agent.reset(seed)
        actions = []
        for t in range(10):
            actions.append(int(agent.act(episode.observations[t])))
            agent.observe(episode.observations[t + 1], actions[-1], 0.0, False, False)
        return actions

    assert play(3) == play(3)
    assert len({tuple(play(seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize("likeliest", [False, True])
def test_an_action_before_the_first_frame_leads_from_nowhere(likeliest):
    simulator, episode = small_simulator(palette_network), small_episode(2)
    told, fresh = policy_agent(simulator, likeliest), policy_agent(simulator, likeliest)
    for agent in (told, fresh):
        agent.reset(seed=1)
    told.observe(episode.observations[1], 2, 0.0, False, False)
    assert told.act(episode.observations[1]) == fresh.act(episode.observations[1])
    assert np.issubdtype(np.asarray(told.act(episode.observations[1])).dtype, np.integer)


def test_the_critic_judges_where_plans_end_in_units_of_reward():
    simulator, episode = small_simulator(palette_network), small_episode(6)
    agent = policy_agent(simulator)
    policy, senses = agent._policy, agent._senses
    torch.nn.init.normal_(policy.critic.weight)
    policy.mean.fill_(3.0)
    policy.scale.fill_(2.0)
    state = simulator.start(episode.observations[None, :4], episode.actions[None, :3])
    with torch.no_grad():
        expected = 3.0 + 2.0 * float(policy(senses(state))[1])
    assert Critic(policy, simulator)(state).tolist() == pytest.approx([expected])

    plans = np.array([[[0, 1], [1, 1]]])  # (1, 2, 2)
    plain = DreamScorer(simulator, ScoringConfig(alive_bonus=0.0))
    ending = DreamScorer(
        simulator, ScoringConfig(alive_bonus=0.0), value=lambda state: np.full(len(state["frame"]), 1.0)
    )
    valued = DreamScorer(simulator, ScoringConfig(alive_bonus=0.0), value=Critic(policy, simulator))
    for scorer in (plain, ending, valued):
        scorer.follow(state)
    alive = ending.score(plans) - plain.score(plans)  # 0.99^2 times the probability that the plan outlasts its steps
    for i, plan in enumerate(plans[0]):
        there = state
        for action in plan:
            there, _ = simulator.step(there, np.array([action]), decode=False)
        worth = Critic(policy, simulator)(there)[0]
        assert (valued.score(plans) - plain.score(plans))[0, i] == pytest.approx(worth * alive[0, i], rel=1e-5)
