"""Clean frames: the panes of moments, labelled and enlarged, without the window around them."""

from __future__ import annotations

import numpy as np

from dreamplay.play.moment import Moment
from dreamplay.play.views import Picture
from dreamplay.video import panes

SECONDS = 10


def clean(pictures: list[Picture], moment: Moment) -> np.ndarray:
    """One picture of panes side by side with a caption, uint8 (H', W', 3), for a video."""
    named = [(picture.label, picture.frame if picture.frame is not None else _blank(pictures)) for picture in pictures]
    return panes(named, caption=caption(moment))


def caption(moment: Moment) -> str:
    """Step, horizon and return of a moment."""
    if moment.dream is None:
        assert moment.real is not None
        return f"step {moment.step}   return {moment.real.total:.2f}"
    return f"step {moment.step}   horizon {moment.dream.horizon}   return {moment.dream.total:.2f}"


def last_seconds(moments: list[Moment], fps: float) -> list[Moment]:
    """The moments of the last ten seconds of play."""
    return moments[-max(1, round(SECONDS * fps)) :]


def _blank(pictures: list[Picture]) -> np.ndarray:
    frame = next(picture.frame for picture in pictures if picture.frame is not None)
    return np.full_like(frame, 32)
