"""What is drawn for an update besides the windows themselves."""

import numpy as np
import torch

from dreamplay.batches import draw_batch
from dreamplay.curriculum import window
from dreamplay.episodes import Episodes
from dreamplay.feeds import Codecs, Streamed
from dreamplay.frames import Patches, choose_frames
from dreamplay.ranks import Ranks
from dreamplay.rewards import RewardBins
from dreamplay.windows import Windows


def test_the_usual_reward_is_that_of_all_steps_that_are_no_event(bricks: Episodes):
    train, _ = bricks.split()
    frames = choose_frames(Patches((10, 10), 2), [episode.observations for episode in train])
    bins, windows = RewardBins.of(np.array([-1.0, 0.0, 1.0])), Windows(train)
    feed = Streamed(windows, Codecs(frames, bricks.card, bins), torch.device("cpu"))
    batch = draw_batch(windows, feed, window(16), None, 20, None, (1, 2), 0, np.random.default_rng(0), Ranks.current())
    assert batch.targets.events.any()
    assert batch.targets.usual.tolist() == [0, 1, 0]
