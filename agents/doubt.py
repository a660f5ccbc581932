"""How far a policy believes a dream: no farther than what the dream leaves open after most real moments."""

from __future__ import annotations

import numpy as np
import torch

from dreamplay.simulator import Simulator, State, rows

BELIEVED = 0.9  # share of the real moments after which a step, whatever is done, is believed
USUAL = 4.0  # times the median: where all is a little open, little stands out
LEAST = 0.1  # pixels: what leaves less open is as good as sure
MOMENTS, AT_ONCE = 2048, 128


def most_open(simulator: Simulator, starts: State, seed: int) -> float:
    """Open pixels of a step (`dreamplay.simulator.Step`) up to which it is to be believed.

    Args:
        simulator: dreams.
        starts: states at real moments, see `dream_starts`.
        seed: of the moments and of the actions taken there.
    """
    space, rng = simulator.card.action_space, np.random.default_rng(seed)
    space.seed(int(rng.integers(2**31)))  # not the same numbers as of the moments
    first = next(iter(starts.values()))
    found = []
    for where in rng.integers(len(first), size=(MOMENTS // AT_ONCE, AT_ONCE)):
        actions = np.stack([space.sample() for _ in where])
        _, step = simulator.step(rows(starts, torch.from_numpy(where).to(first.device)), actions, decode=False)
        found.append(step.open_pixels)
    usual, much = np.quantile(np.concatenate(found), (0.5, BELIEVED))
    return max(LEAST, USUAL * float(usual), float(much))
