"""Dreams to learn in begin at real moments, and know their episode from its first frame on."""

import numpy as np
import torch
from networks import every
from simulators import small_episode, small_simulator

import dreamplay.agents.dream_starts as module
from dreamplay.agents.dream_starts import dream_starts


@every
def test_every_start_is_the_state_of_a_real_moment(make_network):
    simulator = small_simulator(make_network)
    episodes = [small_episode(9, seed=0), small_episode(5, seed=1)]
    starts = dream_starts(simulator, episodes, np.random.default_rng(0), states=8)
    real = [
        simulator.start(e.observations[None, : t + 1], e.actions[None, :t]) for e in episodes for t in range(len(e))
    ]
    count = len(starts["frame"])
    assert 4 <= count <= 8
    for row in range(count):
        alike = [
            all(torch.allclose(starts[n][row].float(), state[n][0].float(), atol=1e-5) for n in starts)
            for state in real
        ]
        assert any(alike)


@every
def test_no_dream_begins_where_an_episode_ended(make_network):
    simulator = small_simulator(make_network)
    episode = small_episode(1)
    starts = dream_starts(simulator, [episode] * 5, np.random.default_rng(0))
    first = simulator.start(episode.observations[None, :1], episode.actions[None, :0])
    for name, value in starts.items():
        torch.testing.assert_close(value, first[name].expand_as(value))


@every
def test_work_is_bounded_and_progress_is_told(make_network):
    simulator = small_simulator(make_network)
    parts = []
    starts = dream_starts(
        simulator,
        [small_episode(30, seed) for seed in range(10)],
        np.random.default_rng(0),
        states=5,
        steps=40,
        on_progress=parts.append,
    )
    assert 1 <= len(starts["frame"]) <= 5
    assert parts == sorted(parts) and parts[-1] == 1.0


@every
def test_their_memory_is_bounded(monkeypatch, make_network):
    simulator, episodes = small_simulator(make_network), [small_episode(30, seed) for seed in range(3)]
    size = sum(v.nbytes for v in dream_starts(simulator, episodes, np.random.default_rng(0), states=1).values())
    monkeypatch.setattr(module, "MOST_BYTES", 3 * size + 1)
    starts = dream_starts(simulator, episodes, np.random.default_rng(0))
    assert len(starts["frame"]) == 3
