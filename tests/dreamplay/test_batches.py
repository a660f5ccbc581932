"""What is drawn for an update besides the windows themselves."""

import numpy as np
import pytest
import torch

from dreamplay.batches import draw_batch
from dreamplay.curriculum import window
from dreamplay.episodes import Episodes
from dreamplay.feeds import Codecs, Streamed
from dreamplay.frames import Patches, choose_frames
from dreamplay.hardness import Hardness
from dreamplay.network import Network, NetworkConfig
from dreamplay.ranks import Ranks
from dreamplay.rewards import RewardBins
from dreamplay.windows import Windows


def test_the_usual_reward_is_that_of_all_steps_that_are_no_event(bricks: Episodes):
    train, _ = bricks.split()
    frames = choose_frames(Patches((10, 10), 2), [episode.observations for episode in train])
    bins, windows = RewardBins.of(np.array([-1.0, 0.0, 1.0])), Windows(train)
    feed = Streamed(windows, Codecs(frames, bricks.card, bins), torch.device("cpu"))
    network, hardness = Network(frames, 3, 3, NetworkConfig()), Hardness(windows.steps)
    batch = draw_batch(
        windows, feed, window(16), None, 20, None, network, hardness, np.random.default_rng(0), Ranks.current()
    )
    assert batch.targets.events.any()
    assert batch.targets.usual.tolist() == [0, 1, 0]


def test_hard_steps_are_drawn_and_what_the_losses_stand_for_is_counted(bricks: Episodes):
    train, _ = bricks.split()
    frames = choose_frames(Patches((10, 10), 2), [episode.observations for episode in train])
    bins, windows = RewardBins.of(np.array([-1.0, 0.0, 1.0])), Windows(train)
    feed = Streamed(windows, Codecs(frames, bricks.card, bins), torch.device("cpu"))
    network, hardness, rng = Network(frames, 3, 3, NetworkConfig()), Hardness(windows.steps), np.random.default_rng(0)
    every = np.arange(windows.steps)[None]
    hardness.note(every, torch.from_numpy(np.where(every % 10 == 0, 1.0, 0.001)))
    hardness.settle()
    hard = 0
    for _ in range(50):
        batch = draw_batch(windows, feed, window(32, warm_up=2), None, 8, 40, network, hardness, rng, Ranks.current())
        weights, mask = batch.targets.weights.numpy(), windows.outcomes(batch.places, 32).mask
        assert batch.numbers.shape == weights.shape and np.count_nonzero(weights) == 40
        assert batch.steps.item() == mask[:, 2:].sum()
        assert batch.rare.item() == pytest.approx(
            (batch.targets.events.numpy() & mask)[:, 2:].sum() / mask[:, 2:].sum()
        )
        kept = (weights > 0) & ~batch.targets.events.numpy()
        hard += (batch.numbers[kept] % 10 == 0).sum() / kept.sum()
    assert hard / 50 > 0.25  # a tenth of all steps
