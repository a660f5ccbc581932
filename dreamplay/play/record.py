"""A game played by an agent and written to a video, without a window."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dreamplay.play.pictures import pictures
from dreamplay.play.session import Session
from dreamplay.progress import Progress, progress
from dreamplay.video import panes, write_video


def record(session: Session, path: Path, steps: int, fps: float) -> None:
    """Let the session's agent play, and write what is to be seen after each step: truth, dream and difference.

    A game that ends is followed by the next one.

    Args:
        session: The game; its agent must have the controls.
        path: The video, .mp4 or .gif.
        steps: How many steps, and frames.
        fps: Frames per second.
    """
    with progress("record", total=steps, unit="steps") as bar:
        write_video(path, _frames(session, steps, bar), fps)


def _frames(session: Session, steps: int, bar: Progress) -> Iterator[np.ndarray]:
    for _ in range(steps):
        if session.moment.over:
            session.start()
        session.step(None)
        shown = pictures(session.moment, beside_reality=session.reality is not None)
        now = session.moment
        caption = f"step {now.step}   horizon {now.horizon}   return {now.total:.2f}"
        yield panes([(picture.label, picture.frame) for picture in shown if picture.frame is not None], caption=caption)
        bar.advance(1)
