"""What the default simulator has to be able to learn, on worlds small enough to learn in seconds."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.envs.card import EnvCard, Preparation
from dreamplay.episodes import Episode, Episodes, EpisodeWriter
from dreamplay.simulator import Simulator, load
from dreamplay.starting import start_training
from dreamplay.training import TrainConfig, train

SIZE = 8
PIXELS = gym.spaces.Box(0, 255, (SIZE, SIZE, 1), np.uint8)


def learn(episodes: list[Episode], folder: Path, updates: int, actions: int = 2) -> Simulator:
    card = EnvCard("Small-v0", {}, Preparation(), PIXELS, gym.spaces.Discrete(actions), [], 10)
    with EpisodeWriter(folder / "data", card) as writer:
        for episode in episodes:
            writer.add(episode)
    data = Episodes.open(folder / "data")
    training = start_training(TrainConfig(updates=updates), data, str(folder / "data"), "cpu")
    run = folder / "run"
    run.mkdir()
    train(training, data.split()[0], run, lambda report: None)
    return load(run, "cpu")


def lamps(rng: np.random.Generator, steps: int, share: float) -> np.ndarray:
    """uint8 (steps, 8, 8, 1): a coin lights two lamps of four pixels, at once or not at all."""
    frames = np.zeros((steps, SIZE, SIZE, 1), np.uint8)
    lit = rng.random(steps) < share
    frames[lit, 1:3, 1:3] = frames[lit, 5:7, 4:6] = 255
    return frames


@pytest.mark.slow
def test_one_coin_lights_two_lamps_as_often_as_in_truth_and_both_at_once(tmp_path):
    rng, share = np.random.default_rng(0), 0.3
    none = np.zeros(100, bool)
    episodes = [
        Episode(lamps(rng, 101, share), rng.integers(0, 2, 100), np.zeros(100, np.float32), none, none, ~none)
        for _ in range(10)
    ]
    simulator = learn(episodes, tmp_path, 600)
    n = 200
    contexts = np.stack([episode.observations[:5] for episode in episodes]).repeat(n // 10, 0)
    actions = rng.integers(0, 2, (n, 5 - 1 + 10))
    dreams = simulator.rollout(contexts, actions[:, :4], actions[:, 4:], temperature=1.0, seed=1).observations
    first, second = dreams[..., 1:3, 1:3, 0] > 0, dreams[..., 5:7, 4:6, 0] > 0  # (n, 10, 2, 2)
    together = (first == second).all((-1, -2)) & (first == first[..., :1, :1]).all((-1, -2))
    assert together.mean() > 0.9
    assert abs(first[..., 0, 0].mean() - share) < 0.08


@pytest.mark.slow
def test_rewards_and_ends_by_chance_are_dreamed_as_often_as_they_come(tmp_path):
    rng, reward, end = np.random.default_rng(0), 0.2, 0.1
    episodes = []
    for length in rng.geometric(end, 2000):
        rewards = (rng.random(length) < reward).astype(np.float32)
        none, ends = np.zeros(length, bool), np.arange(length) == length - 1
        episodes.append(Episode(lamps(rng, length + 1, 0.3), rng.integers(0, 2, length), rewards, ends, none, ~none))
    simulator = learn(episodes, tmp_path, 300)
    contexts = np.stack([episode.observations[:1] for episode in episodes[:400]])
    actions = rng.integers(0, 2, (len(contexts), 5))
    dreams = simulator.rollout(contexts, actions[:, :0], actions, temperature=1.0, seed=1)
    assert abs((dreams.rewards != 0).mean() - reward) < 0.05
    assert abs(dreams.termination_probability.mean() - end) < 0.03


def doors(rng: np.random.Generator) -> Episode:
    """Whether a lamp was above or below at first says which action brings 1 at the end, ten steps later, and not -1."""
    above, steps = rng.integers(2), 10
    frames = np.zeros((steps + 1, SIZE, SIZE, 1), np.uint8)
    if above:
        frames[0, 1:3, 3:5] = 255
    else:
        frames[0, 5:7, 3:5] = 255
    frames[np.arange(1, steps + 1), 4, np.arange(steps) % SIZE] = 255  # a clock
    actions = rng.integers(0, 2, steps)
    rewards = np.zeros(steps, np.float32)
    rewards[-1] = 1 if actions[-1] != above else -1
    ends = np.zeros(steps, bool)
    ends[-1] = True
    return Episode(frames, actions, rewards, ends, np.zeros(steps, bool), np.zeros(steps, bool))


@pytest.mark.slow
def test_what_an_action_is_worth_may_depend_on_what_was_seen_long_ago(tmp_path):
    rng = np.random.default_rng(0)
    simulator = learn([doors(rng) for _ in range(300)], tmp_path, 800)
    held = [doors(rng) for _ in range(100)]
    rollout = simulator.rollout(
        np.stack([episode.observations[:1] for episode in held]),
        np.zeros((len(held), 0), np.int64),
        np.stack([episode.actions for episode in held]),
    )
    right = rollout.rewards[:, -1] == np.stack([episode.rewards for episode in held])[:, -1]
    assert right.mean() >= 0.98
