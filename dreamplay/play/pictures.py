"""What there is to see at a moment: truth, dream and their difference, labelled; for the window and for recordings."""

from typing import NamedTuple

import numpy as np

from dreamplay.play.session import Moment
from dreamplay.video import difference


class Picture(NamedTuple):
    """One pane: its label, its frame, uint8 (H, W, 3), or None where there is nothing to show, a number, and news."""

    label: str
    frame: np.ndarray | None
    value: str = ""
    banner: str = ""


def pictures(moment: Moment, *, beside_reality: bool) -> list[Picture]:
    """The panes of a moment: truth, dream and difference, or the dream alone."""
    ended = "the dream ended\nR starts anew" if moment.dream_over else ""
    dream = Picture("dream", _rgb(moment.dream), f"return {moment.total:.2f}", ended)
    if not beside_reality:
        return [dream]
    if moment.real is None:
        gone = Picture("truth", None, "", "left behind\nX takes the dream back")
        return [gone, dream, Picture("difference", None)]
    ended = "the real game ended\nR starts anew" if moment.real_over else ""
    reality = Picture("truth", _rgb(moment.real), f"return {moment.real_total:.2f}", ended)
    wrong = np.mean((moment.real != moment.dream).any(axis=2))
    return [reality, dream, Picture("difference", difference(moment.real, moment.dream), f"{wrong:.1%} wrong")]


def _rgb(frame: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(frame, (*frame.shape[:2], 3)))
