"""A world of coins: chance lights each pixel anew at every step, in truth with one probability, in a dream another."""

from dataclasses import dataclass

import numpy as np

from dreamplay.episodes import Episode
from dreamplay.simulator import Rollout

SHAPE = (8, 10, 1)


def coin_frames(rng: np.random.Generator, lead: tuple[int, ...], share: float) -> np.ndarray:
    """uint8 (*lead, 8, 10, 1), every pixel 255 with that probability."""
    return (rng.random((*lead, *SHAPE)) < share).astype(np.uint8) * 255


def coin_episode(steps: int, share: float, seed: int = 0, reward: float = 0.25, end: float = 0.0) -> Episode:
    """Every step draws on chance: rewards of 1, and an end after each step, with these probabilities."""
    rng = np.random.default_rng(seed)
    if end:
        steps = min(steps, int(rng.geometric(end)))
        ended = steps < 10**6
    frames = coin_frames(rng, (steps + 1,), share)
    ends = np.zeros(steps, bool)
    if end:
        ends[-1] = ended
    none = np.zeros(steps, bool)
    rewards = (rng.random(steps) < reward).astype(np.float32)
    return Episode(frames, np.zeros(steps, np.int64), rewards, ends, none, ~none)


@dataclass(frozen=True)
class Coins:
    """Dreams of coins; at temperature 0 of dark ones if they are mostly dark.

    Args:
        share: probability that a pixel is lit.
        reward: probability that it gives a reward.
        end: probability that a step is the last.
        one: whether every dream is the same.
    """

    share: float
    reward: float = 0.25
    end: float = 0.0
    one: bool = False

    def rollout(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        future_actions: np.ndarray,
        *,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Rollout:
        lead = future_actions.shape[:2]
        rng = np.random.default_rng(0 if self.one else seed)
        frames = coin_frames(rng, lead, self.share if temperature else float(self.share > 0.5))
        probability = np.full(lead, self.reward, np.float32)
        rewards = (rng.random(lead) < self.reward if temperature else probability > 0.5).astype(np.float32)
        return Rollout(frames, rewards, np.full(lead, self.end, np.float32), probability)
