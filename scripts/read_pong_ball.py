"""Is the ball in the dream where it is in truth, and is it met and missed as in truth? ALE Pong, read off its frames.

    dreamplay improve ALE/Pong-v5 --size 70 80 --rounds 4 --steps 25000 --minutes 20 --dream-steps 32 --out pong
    python scripts/read_pong_ball.py pong/run --data pong/data

First held-out windows that show the ball in their last context frame: 10 context frames, then the same actions in truth
and dream, the most likely one. Then the moments of the last quarter of the data from which a ball is at the own paddle
8 steps later: four sampled dreams of each, with the true actions. A ball that the paddle meets turns back, one that it
misses costs a point.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from comparison import tell_mistakes

from dreamplay.errors import UserError
from dreamplay.horizon_windows import CONTEXT, Window, inputs

# Places in the game's 210 x 160 pixels.
HEIGHT, WIDTH = 210, 160
COURT = (36, 194)  # rows between the two lines
NEAR, PADDLE = 124, 116  # columns: a ball is about to be at the own paddle; one that turns back from here on was met
MOST_PIXELS, WIDEST = 8, 4  # of a ball; what has more is none
WHITE = 200

REACH = 2
HORIZONS = (1, 5, 10, 20)
SPEEDS = (0, 2, 4, 6)  # columns a step, of frames 80 wide; the nearest one counts
AHEAD, AFTER, FUTURES = 8, 10, 4
ROWS = 64  # dreams at once

Ball = tuple[float, float]  # row, column


@dataclass(frozen=True)
class Check:
    """What to check."""

    run: tyro.conf.Positional[Path]
    """Run folder of a simulator of ALE/Pong-v5."""
    data: Path
    """Its data folder."""
    windows: int = 384
    """Held-out windows, for where the ball is."""
    arrivals: int = 240
    """Balls that come to the own paddle, for what becomes of them; all if there are fewer."""
    seed: int = 0
    """Of windows and samples."""
    json: Path | None = None
    """File to write the numbers to."""


def white_pixels(frame: np.ndarray) -> np.ndarray:
    """Rows and columns (n, 2) of what is white in the court of uint8 (H, W, 3); nothing but the ball is."""
    top, bottom = (round(row * len(frame) / HEIGHT) for row in COURT)
    return np.argwhere((frame[top:bottom] > WHITE).all(-1)) + np.array([top, 0])


def read_ball(frame: np.ndarray) -> Ball | None:
    """The middle of the ball in uint8 (H, W, 3); None where there is none, or something else."""
    pixels = white_pixels(frame)
    if not 0 < len(pixels) <= MOST_PIXELS or np.ptp(pixels[:, 1]) >= WIDEST:
        return None
    row, column = pixels.mean(0)
    return float(row), float(column)


def what_becomes(balls: Sequence[Ball | None], rewards: Sequence[float], width: int) -> str:
    """Of a ball that comes to the own paddle: it is a "hit" or a "miss", or it is "lost", or that is "open" yet.

    Args:
        balls: from the arrival on, of frames so wide.
        rewards: each of the step that leads to the frame.
        width: of the frames, in pixels.
    """
    scale = width / WIDTH
    for before, ball, reward in zip([None, *balls], balls, rewards, strict=False):
        if reward < -0.5:
            return "miss"
        if before and ball and ball[1] < before[1] - 0.8 * scale and before[1] >= PADDLE * scale:
            return "hit"
    return "open" if any(balls[-3:]) else "lost"


def arrivals(balls: Sequence[Ball | None], width: int) -> list[int]:
    """The steps at which a ball comes near the own paddle, with room for a dream from before it until after it."""
    near, found = NEAR * width / WIDTH, []
    for t in range(CONTEXT + AHEAD, len(balls) - AFTER):
        before, ball = balls[t - 1], balls[t]
        if before and ball and before[1] < near <= ball[1] and all(balls[t - AHEAD - 2 : t - AHEAD + 1]):
            found.append(t)
    return found


def where(simulator: Any, episodes: Sequence[Any], check: Check) -> dict[str, Any]:
    """Shares of windows in which the ball is within 2 pixels of its place, by horizon and by speed.

    Raises:
        UserError: there is no ball.
    """
    last = max(HORIZONS)
    places = [
        window
        for episode in episodes
        for start in range(len(episode) - last - CONTEXT + 2)
        if read_ball(episode.observations[(window := Window(episode, start, CONTEXT, last)).now])
    ]
    if not places:
        raise UserError("no held-out frame shows Pong's ball; this check is for colour frames of ALE/Pong-v5")
    rng = np.random.default_rng(check.seed)
    chosen = [places[i] for i in rng.permutation(len(places))[: check.windows]]
    right: dict[str, dict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for i in range(0, len(chosen), ROWS):
        part = chosen[i : i + ROWS]
        dreams = simulator.rollout(*inputs(part)).observations
        for window, dream in zip(part, dreams, strict=True):
            episode, now = window.episode, window.now
            present, before = (read_ball(episode.observations[t]) for t in (now, now - 1))
            columns = abs(present[1] - before[1]) * 80 / dream.shape[-2] if present and before else None
            speed = "unknown" if columns is None else str(min(SPEEDS, key=lambda s: abs(s - columns)))
            for horizon in HORIZONS:
                truth = read_ball(episode.observations[now + horizon])
                if truth:
                    pixels = white_pixels(dream[horizon - 1])
                    found = bool((np.abs(pixels - truth).max(1) <= REACH + 0.5).any())
                    right["all"][horizon].append(found)
                    right[speed][horizon].append(found)
    return {
        speed: {str(h): {"within": float(np.mean(found)), "windows": len(found)} for h, found in sorted(each.items())}
        for speed, each in sorted(right.items())
    }


def at_the_paddle(simulator: Any, episodes: Sequence[Any], check: Check) -> dict[str, Any]:
    """What becomes of real hits and misses in sampled dreams, as shares."""
    steps = np.cumsum([len(episode) for episode in episodes])
    cases = []
    for episode, end in zip(episodes, steps, strict=True):
        if end <= 0.75 * steps[-1]:
            continue
        balls = [read_ball(frame) for frame in episode.observations]
        width = episode.observations.shape[-2]
        for t in arrivals(balls, width):
            truth = what_becomes(balls[t : t + AFTER], episode.rewards[t - 1 :], width)
            if truth in ("hit", "miss"):
                cases.append((Window(episode, t - AHEAD - CONTEXT + 1, CONTEXT, AHEAD + AFTER - 1), truth))
    rng = np.random.default_rng(check.seed)
    cases = [cases[i] for i in rng.permutation(len(cases))[: check.arrivals]]
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for i in range(0, len(cases), ROWS // FUTURES):
        part = [case for case in cases[i : i + ROWS // FUTURES] for _ in range(FUTURES)]
        dreams = simulator.rollout(*inputs([window for window, _ in part]), temperature=1.0, seed=i)
        for (_, truth), frames, rewards in zip(part, dreams.observations, dreams.rewards, strict=True):
            balls = [read_ball(frame) for frame in frames]
            found[truth][what_becomes(balls[AHEAD - 1 :], rewards[AHEAD - 1 :], frames.shape[-2])] += 1
    return {
        truth: {"cases": each.total() // FUTURES, **{what: n / each.total() for what, n in sorted(each.items())}}
        for truth, each in sorted(found.items())
    }


def main() -> None:
    """Check both, print both."""
    import dreamplay
    from dreamplay.episodes import Episodes
    from dreamplay.json_files import write_json

    check = tyro.cli(Check, description=__doc__)
    simulator, episodes = dreamplay.load(check.run), Episodes.open(check.data)
    answer = {
        "run": str(check.run),
        "ball": where(simulator, episodes.split()[1], check),
        "paddle": at_the_paddle(simulator, list(episodes), check),
    }
    for speed, each in answer["ball"].items():
        shares = " / ".join(f"{at['within']:.3f}" for at in each.values())
        of = f"{max(at['windows'] for at in each.values())} windows"
        print(f"ball within {REACH} px {' / '.join(each)} ahead, speed {speed}: {shares} of {of}")
    for truth, each in answer["paddle"].items():
        shares = ", ".join(f"{what} {share:.2f}" for what, share in each.items() if what != "cases")
        print(f"of {each['cases']} real cases of {truth}, dreamed: {shares}")
    if check.json is not None:
        write_json(check.json, answer)


if __name__ == "__main__":
    tell_mistakes(main)
