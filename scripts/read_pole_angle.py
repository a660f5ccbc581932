"""Is the pole in the dream where it is in truth? CartPole-v1's angle, read back from dreamed frames.

    dreamplay train CartPole-v1 --minutes 10
    python scripts/read_pole_angle.py runs/CartPole-v1

The reader draws the pole as the environment's renderer does, for all angles and cart positions near the cart in the
frame, and takes the middle of those that agree with the frame in most pixels. New real episodes of a random agent are
dreamed: 10 context frames, then the same actions in truth and dream. The angle of the dreamed frame is compared with
the state of the environment, and so are those of the real frame, which shows how well the reader reads, and of the last
context frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

# Gymnasium 1.x, classic_control/cartpole.py, `render`: pixels, y upwards.
HEIGHT, WIDTH = 400, 600
SCALE = WIDTH / 4.8  # pixels per unit of the cart's position
AXLE = 107.5  # height of the axle
LENGTH = 120
POLE = np.array([(-5, -5), (-5, LENGTH), (5, LENGTH), (5, -5)])  # corners (right, up) of the upright pole, clockwise
CART = (85, 115)  # heights of the cart
CART_HALF = 25  # of its width
POLE_COLOUR, CART_COLOUR = (202, 152, 101), (0, 0, 0)
COLOURS = np.array([POLE_COLOUR, (129, 132, 203), CART_COLOUR, (255, 255, 255)])  # pole, axle on it, cart, sky

ANGLES = np.arange(-30, 30.01, 0.25)  # degrees
OFFSETS = np.arange(-6, 6.5, 0.5)  # pixels around the middle of the cart's pixels
LEAST_PIXELS = 5  # fewer of the pole, or of the cart, are no pole

CONTEXT = 10
BAR_DEGREES, BAR_SHARE = 3.0, 0.8


@dataclass(frozen=True)
class Check:
    """What to check."""

    run: tyro.conf.Positional[Path]
    """Run folder of a simulator of CartPole-v1."""
    horizon: int = 10
    """Steps after the context."""
    windows: int = 300
    """Real episodes to dream, one window each."""
    seed: int = 10_000
    """Of episodes, agent and windows; not one that data were collected with."""
    json: Path | None = None
    """File to write the numbers to."""


class Reader:
    """Reads the pole's angle off frames.

    Args:
        kept: which rows and columns of the rendered frame are kept, see `dreamplay.envs.subsample`.
    """

    def __init__(self, kept: tuple[Any, Any]) -> None:
        self.heights = HEIGHT - 1 - np.arange(HEIGHT)[kept[0]]  # (H,)
        self.columns = np.arange(WIDTH)[kept[1]]  # (W,)

    def angle(self, frame: np.ndarray) -> float | None:
        """Degrees to the right of upright in uint8 (H, W, 3); None where there is no cart or no pole."""
        distance = np.square(frame[:, :, None].astype(int) - COLOURS).sum(-1)  # (H, W, 4)
        kind = distance.argmin(-1)
        pole, cart = kind <= 1, (kind == 2) & self._between(*CART)[:, None]
        if min(pole.sum(), cart.sum()) < LEAST_PIXELS:
            return None
        seen = self.columns[cart.any(0)]
        middle = (seen.min() + seen.max()) / 2
        rows = self._between(AXLE - 10, AXLE + LENGTH + 10)
        columns = np.abs(self.columns - middle) < LENGTH
        found = pole[np.ix_(rows, columns)]
        drawn = self._draw(middle + OFFSETS, np.radians(ANGLES), self.heights[rows], self.columns[columns])
        wrong = (drawn != found).sum((-2, -1))  # (offsets, angles)
        edges = np.trunc(middle + OFFSETS[:, None] + (-CART_HALF, CART_HALF))  # (offsets, 2)
        covered = (self.columns >= edges[:, :1]) & (self.columns <= edges[:, 1:])
        wrong += (covered != cart.any(0)).sum(1)[:, None] * self._between(*CART).sum()
        return float(ANGLES[np.nonzero(wrong == wrong.min())[1]].mean())

    def _between(self, low: float, high: float) -> np.ndarray:
        return (self.heights >= low) & (self.heights <= high)

    @staticmethod
    def _draw(carts: np.ndarray, angles: np.ndarray, heights: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Pixels of the pole: bool (carts, angles, heights, columns)."""
        turn = np.array([[np.cos(angles), np.sin(angles)], [-np.sin(angles), np.cos(angles)]])  # (2, 2, angles)
        corners = np.einsum("xca,pc->pxa", turn, POLE)[:, :, None]  # (4, 2, 1, angles)
        x, y = corners[:, 0] + carts[:, None], np.broadcast_to(corners[:, 1] + AXLE, corners[:, 0].shape)
        x, y = np.trunc(x)[..., None, None], np.trunc(y)[..., None, None]  # the renderer's are whole pixels
        inside = np.ones((len(carts), len(angles), len(heights), len(columns)), bool)
        for i, j in ((0, 1), (1, 2), (2, 3), (3, 0)):  # to the right of each side, rounded along a row
            rise = y[j] - y[i]
            inside &= (columns - x[i]) * rise + np.abs(rise) / 2 >= (heights[:, None] - y[i]) * (x[j] - x[i])
        return inside


@dataclass(frozen=True)
class Recorded:
    """A real episode of T steps."""

    frames: np.ndarray  # uint8 (T+1, H, W, 3)
    actions: np.ndarray  # (T,)
    angles: np.ndarray  # (T+1,), the true ones in degrees


def record(env: Any, episodes: int, least: int, seed: int) -> list[Recorded]:
    """Real episodes of a random agent that last at least so many steps."""
    env.action_space.seed(seed)
    kept: list[Recorded] = []
    while len(kept) < episodes:
        observation, _ = env.reset(seed=seed + len(kept)) if not kept else env.reset()
        frames, actions, angles, over = [observation], [], [env.unwrapped.state[2]], False
        while not over:
            actions.append(env.action_space.sample())
            observation, _, terminated, truncated, _ = env.step(actions[-1])
            frames.append(observation)
            angles.append(env.unwrapped.state[2])
            over = terminated or truncated
        if len(actions) >= least:
            kept.append(Recorded(np.stack(frames), np.array(actions), np.degrees(angles)))
    return kept


def main() -> None:
    """Check the reader, then the dream."""
    import dreamplay
    from dreamplay.confidence import rate_ci95
    from dreamplay.envs.real import card_of
    from dreamplay.envs.subsample import pick
    from dreamplay.json_files import write_json

    check = tyro.cli(Check)
    simulator = dreamplay.load(check.run)
    env = dreamplay.make_env(check.run)
    preparation = card_of(env).preparation
    reader = Reader(pick((HEIGHT, WIDTH), preparation.stride, preparation.size))
    episodes = record(env, check.windows, CONTEXT - 1 + check.horizon, check.seed)
    rng = np.random.default_rng(check.seed)
    starts = [int(rng.integers(len(e.actions) - CONTEXT - check.horizon + 2)) for e in episodes]

    def column(name: str, first: int, last: int) -> np.ndarray:
        return np.stack([getattr(e, name)[s + first : s + last] for e, s in zip(episodes, starts, strict=True)])

    end = CONTEXT + check.horizon
    real, angles = column("frames", end - 1, end)[:, 0], column("angles", end - 1, end)[:, 0]
    rollout = simulator.rollout(
        column("frames", 0, CONTEXT), column("actions", 0, CONTEXT - 1), column("actions", CONTEXT - 1, end - 1)
    )
    pictures = {"real": real, "dream": rollout.observations[:, -1], "last frame": column("frames", 9, 10)[:, 0]}
    answer: dict[str, Any] = {"run": str(check.run), "horizon": check.horizon, "windows": check.windows}
    for name, frames in pictures.items():
        read = [reader.angle(frame) for frame in frames]
        errors = np.array([np.inf if r is None else abs(r - a) for r, a in zip(read, angles, strict=True)])
        within = int((errors <= BAR_DEGREES).sum())
        answer[name] = {
            "within": within / len(errors),
            "within_ci95": rate_ci95(within, len(errors)),
            "read": float(np.isfinite(errors).mean()),
            "mean_error": float(errors[np.isfinite(errors)].mean()) if np.isfinite(errors).any() else None,
            "largest_error": float(errors.max()) if np.isfinite(errors).all() else None,
        }
        print(
            f"{name:>10}: angle within {BAR_DEGREES:g} degrees of the state in {within / len(errors):.3f} of "
            f"{len(errors)} windows, read in {answer[name]['read']:.3f}, mean error {answer[name]['mean_error']}"
        )
    met = answer["dream"]["within"] >= BAR_SHARE
    print(f"bar: {BAR_SHARE:g} at {check.horizon} steps: {'met' if met else 'not met'}")
    if check.json is not None:
        write_json(check.json, answer)


if __name__ == "__main__":
    main()
