"""A fan of futures from one moment: what may come of the same actions, sampled several times."""

from typing import NamedTuple

import numpy as np

from dreamplay.envs.dream import DreamEnv
from dreamplay.play.moment import Moment
from dreamplay.simulator import Simulator

FUTURES = 6
STEPS = 20
PLAN = np.array([(255, 80, 255)], np.uint8)  # hardly any game has this colour
HUES = np.array(  # one colour a future, told apart by people who see few colours too (Okabe and Ito 2008)
    [(230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167)], np.uint8
)


class Fan(NamedTuple):
    """N futures of T steps."""

    origin: Moment
    frames: np.ndarray  # uint8 (N, T, H, W, C)
    returns: np.ndarray  # float (N,), rewards of all steps up to the end
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
    frames, ends = rollout.observations, rollout.termination_probability
    over = np.cumsum(ends > 0.5, axis=1) > 0  # (N, T), from the step on that ends the game
    for t in range(1, len(actions)):  # a game that has ended stays as it is
        frames[over[:, t - 1], t] = frames[over[:, t - 1], t - 1]
    alive = np.pad(~over[:, :-1], ((0, 0), (1, 0)), constant_values=True)  # the last reward counts
    return Fan(moment, frames, (rollout.rewards * alive).sum(1), 1 - np.prod(1 - ends * alive, axis=1), cause)


def paths(present: np.ndarray, futures: np.ndarray, hues: np.ndarray = HUES, light: float = 0.45) -> np.ndarray:
    """All futures over the present: whatever changes leaves a trail in its future's colour, brighter where it is later.

    What is there now and leaves at once, for good, leaves no trail of its own: it is where the trails begin.

    Args:
        present: uint8 (H, W, C).
        futures: uint8 (N, T, H, W, C).
        hues: uint8 (M, 3), the colours of the futures, in turn.
        light: How bright the present remains, from 0 to 1.

    Returns:
        uint8 (H, W, 3).
    """
    steps = futures.shape[1]
    picture = np.broadcast_to(present.astype(np.float32) * light, (*present.shape[:2], 3)).copy()
    for number, future in enumerate(futures):
        hue = hues[number % len(hues)].astype(np.float32)
        changed = (future != present).any(-1)  # (T, H, W)
        changed &= ~(changed.all(0) & (future == future[0]).all((0, -1)))
        latest = np.where(changed, np.arange(1, steps + 1)[:, None, None], 0).max(0)[..., None]  # (H, W, 1), 0: never
        trail = hue * (0.4 + 0.6 * latest / steps)
        picture = np.where(latest > 0, np.maximum(picture * 0.5, trail), picture)
    return picture.astype(np.uint8)
