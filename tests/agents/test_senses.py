"""What a policy sees: all of it is known before an action is chosen, and past frames count."""

import numpy as np
import torch
from networks import every, palette_network
from simulators import small_episode, small_simulator

from dreamplay.agents.senses import Senses


@every
def test_features_are_one_finite_vector_for_each_row(make_network):
    simulator, episode = small_simulator(make_network), small_episode(6)
    senses = Senses(simulator)
    state = simulator.start(np.stack([episode.observations] * 2), np.stack([episode.actions] * 2))
    features = senses(state)
    assert features.shape == (2, senses.size) and bool(features.isfinite().all())
    torch.testing.assert_close(features[0], features[1])
    weights = torch.zeros(senses.size, requires_grad=True)
    (features @ weights).sum().backward()  # they can be learned from


@every
def test_the_present_and_earlier_frames_make_a_difference(make_network):
    simulator, episode = small_simulator(make_network), small_episode(6)
    senses = Senses(simulator)
    for changed in (-1, 0):
        other = episode.observations.copy()
        other[changed] = 99 - other[changed]
        both = np.stack([episode.observations, other])
        features = senses(simulator.start(both, np.stack([episode.actions] * 2)))
        assert float((features[0] - features[1]).abs().max()) > 0


def test_a_dream_and_reality_are_seen_alike():
    """A state that a step dreamed has the same features as one that was started from the same frames."""
    simulator, episode = small_simulator(palette_network), small_episode(1)
    senses = Senses(simulator)
    start = simulator.start(episode.observations[None, :1], episode.actions[None, :0])
    dreamed, step = simulator.step(start, episode.actions)
    frames = np.stack([episode.observations[0], step.observations[0]])
    real = simulator.start(frames[None], episode.actions[None])
    torch.testing.assert_close(senses(dreamed), senses(real), atol=1e-4, rtol=1e-4)
