"""What happens in the last steps before a horizon: does a dream stand still, does what left its place come back?

A *stretch* is the frame at a horizon and the ten before it, or as many as there are since the context, whose last frame
begins the first of them. Small drifts of gray levels are no movement: see `metrics.MOVES`.

- A stretch *stands still* when no pixel of a later frame differs from the first frame. A dream is *frozen* when its
  stretch stands still and the true one does not.
- A pixel *comes back* when it moves (differs from the background) in the last frame, had the same colour earlier in
  the stretch, and another one in between: an object left its place and returned, as after an action and its inverse. A
  dream that drifts does not bring it back.

K + 1 frames of a stretch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dreamplay.metrics import moving, visible

STEPS = 10


class Stretch(NamedTuple):
    """One stretch in truth and dream."""

    moved: bool  # the truth does not stand still
    froze: bool  # and the dream does
    back: int  # pixels that come back in truth
    back_dreamed: int  # in the dream
    back_both: int  # in both, in the same colour


def compare_stretch(true: np.ndarray, dreamed: np.ndarray, background: np.ndarray) -> Stretch:
    """Compares a stretch uint8 (K+1, H, W, C) with the dream of it; background (H, W, C)."""
    moved = not stands_still(true)
    in_truth, in_dream = came_back(true, background), came_back(dreamed, background)
    both = in_truth & in_dream & ~visible(true[-1], dreamed[-1])
    return Stretch(moved, moved and stands_still(dreamed), int(in_truth.sum()), int(in_dream.sum()), int(both.sum()))


def stands_still(frames: np.ndarray) -> bool:
    """Whether uint8 (K+1, H, W, C) shows the same throughout."""
    return not visible(frames[1:], frames[0]).any()


def came_back(frames: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Which pixels left and came back: uint8 (K+1, H, W, C) and (H, W, C) -> bool (H, W)."""
    as_now = ~visible(frames, frames[-1])  # (K+1, H, W)
    was = np.logical_or.accumulate(as_now, 0)
    return np.asarray((was & ~as_now).any(0) & moving(frames[-1], background))
