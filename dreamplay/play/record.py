"""A game played by an agent and written to a video, without a display."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dreamplay.play.clip import clean
from dreamplay.play.reality import CONTEXT
from dreamplay.play.session import Session
from dreamplay.play.setup import Setup
from dreamplay.play.views import pictures
from dreamplay.progress import Progress, progress
from dreamplay.video import write_video


def record(session: Session, setup: Setup, path: Path, steps: int, window: str | None = None) -> None:
    """Let the agent play, and write what is to be seen after each step.

    A game that ends is followed by the next one.

    Args:
        session: The game.
        setup: Who plays, and how fast.
        path: The video, .mp4 or .gif.
        steps: How many steps, and frames.
        window: Title of a window in memory whose picture is recorded; by default clean frames are.
    """
    with progress("record", total=steps, unit="steps") as bar:
        frames = _clean_frames(session, setup, steps) if window is None else _windows(session, setup, steps, window)
        write_video(path, _counted(frames, bar), setup.fps)


def _counted(frames: Iterator[np.ndarray], bar: Progress) -> Iterator[np.ndarray]:
    for frame in frames:
        yield frame
        bar.advance(1)


def _clean_frames(session: Session, setup: Setup, steps: int) -> Iterator[np.ndarray]:
    pilot = setup.pilot
    pilot.reset(session.seed)
    for _ in range(steps):
        if session.moment.over:
            session.start()
            pilot.reset(session.seed + session.starts)
        action, _ = pilot.decide(session.line.recent(CONTEXT))
        session.step(action)
        yield clean(pictures(session), session.moment)


def _windows(session: Session, setup: Setup, steps: int, title: str) -> Iterator[np.ndarray]:
    os.environ["SDL_VIDEODRIVER"] = "dummy"  # draws to memory
    from dreamplay.play.display import open_display
    from dreamplay.play.player import open_player

    open_display()
    with open_player(session, setup, title) as player:
        player.pilot_plays = True
        for _ in range(steps):
            before = session.moment
            while session.moment is before:
                player.tick()
            yield player.screen.capture()
