"""Both feeds give the same, to the last bit, at and past the ends of episodes too."""

import numpy as np
import pytest
import torch

from dreamplay.classic import RawFrames
from dreamplay.episodes import Episodes
from dreamplay.feeds import Codecs, Resident, Streamed, resident_bytes
from dreamplay.frames import ColourFrames, Patches, choose_frames
from dreamplay.rewards import RewardBins
from dreamplay.windows import Places, Windows

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", ["palette", "colour", "raw"])
def test_data_on_the_device_are_the_data_that_are_read(kind, bricks: Episodes):
    train, _ = bricks.split()
    frames = {
        "palette": choose_frames(Patches((10, 10), 2), [episode.observations for episode in train]),
        "colour": ColourFrames(Patches((10, 10), 2), 3),
        "raw": RawFrames(np.array([0.1, 0.2, 0.3])),
    }[kind]
    bins = RewardBins.of(np.concatenate([episode.rewards for episode in train]))
    codecs, windows = Codecs(frames, bricks.card, bins), Windows(train)
    one, other = Streamed(windows, codecs, CPU), Resident(train, codecs, CPU)
    last = len(train) - 1
    ends = Places(np.array([0, last, last, 1]), np.array([len(train[0]) - 2, len(train[-1]), len(train[-1]) + 9, 0]))
    for places in (ends, windows.draw(np.random.default_rng(0), 50, 12)):
        for a, b in zip(one(places, 12), other(places, 12), strict=True):
            assert a.dtype == b.dtype and torch.equal(a, b)
    code = one(ends, 1).frames
    count = sum(len(episode.observations) for episode in train)
    assert resident_bytes(train, codecs) == count * code[0, 0].numel() * code.element_size()
