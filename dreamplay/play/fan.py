"""A fan of futures from one moment: what may come of the same actions, sampled several times."""

from typing import NamedTuple

import numpy as np

from dreamplay.envs.dream import DreamEnv
from dreamplay.play.moment import Moment
from dreamplay.simulator import Simulator

FUTURES = 6
STEPS = 20
HUES = np.array(  # one colour a future, told apart by people who see few colours too (Okabe and Ito 2008)
    [(230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167)], np.uint8
)


class Fan(NamedTuple):
    """N futures of T steps."""

    origin: Moment
    frames: np.ndarray  # uint8 (N, T, H, W, C)
    returns: np.ndarray  # float (N,), rewards of all T steps
    ending: np.ndarray  # float (N,), probability that the game ends within them
    cause: str  # whose actions they are: "plan" or "held action"


def spread(
    simulator: Simulator, moment: Moment, actions: np.ndarray, *, futures: int, temperature: float, cause: str
) -> Fan:
    """Dream the same actions several times over.

    Args:
        simulator: Dreams them.
        moment: Where they begin; it has a dream.
        actions: (T, *action_shape).
        futures: How many.
        temperature: 0 makes all of them alike.
        cause: Whose actions they are.
    """
    assert moment.dream is not None
    scout = DreamEnv(simulator)  # of its own: the dream that is played may go on meanwhile
    scout.restore(moment.dream.snapshot)
    together = np.repeat(actions[None], futures, axis=0)
    rollout = scout.imagine(together, temperature=temperature, seed=moment.step)
    ending = 1 - np.prod(1 - rollout.termination_probability, axis=1)
    return Fan(moment, rollout.observations, rollout.rewards.sum(1), ending, cause)


def paths(present: np.ndarray, futures: np.ndarray) -> np.ndarray:
    """All futures over the present: whatever changes leaves a trail in its future's colour, brighter where it is later.

    Args:
        present: uint8 (H, W, C).
        futures: uint8 (N, T, H, W, C).

    Returns:
        uint8 (H, W, 3).
    """
    steps = futures.shape[1]
    picture = np.broadcast_to(present.astype(np.float32) * 0.45, (*present.shape[:2], 3)).copy()
    for number, future in enumerate(futures):
        hue = HUES[number % len(HUES)].astype(np.float32)
        changed = (future != present).any(-1)  # (T, H, W)
        latest = np.where(changed, np.arange(1, steps + 1)[:, None, None], 0).max(0)[..., None]  # (H, W, 1), 0: never
        trail = hue * (0.4 + 0.6 * latest / steps)
        picture = np.where(latest > 0, np.maximum(picture * 0.5, trail), picture)
    return picture.astype(np.uint8)
