"""The truth horizon as a film: truth, dream and their difference, window after window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from dreamplay.dreamer import Dreamer, dream
from dreamplay.horizon_windows import Window
from dreamplay.video import difference, panes

CLIPS = 4
CLIP_STEPS = 100
HOLD = 8


def choose_clips(windows: Sequence[Window], seed: int) -> list[Window]:
    """A few windows to show, drawn among those that last at least as long as half of them do, each cut to 100 steps."""
    median = np.median([min(window.steps, CLIP_STEPS) for window in windows])
    lasting = [window for window in windows if min(window.steps, CLIP_STEPS) >= median]
    picked = np.random.default_rng(seed).choice(len(lasting), min(CLIPS, len(lasting)), replace=False)
    return [
        Window(w.episode, w.start, w.context, min(w.steps, CLIP_STEPS)) for w in (lasting[i] for i in sorted(picked))
    ]


def pictures(dreamer: Dreamer, clips: Sequence[Window], seed: int) -> Iterator[np.ndarray]:
    """The film, picture by picture, uint8 (H', W', 3): the context frames, then the dream beside the truth.

    Args:
        dreamer: dreams the clips.
        clips: windows to show one after another.
        seed: of the dreams.
    """
    for number, window in enumerate(clips, 1):
        name = f"window {number} of {len(clips)}"
        for place, frame in enumerate(window.context_observations, 1):
            caption = f"{name}   context frame {place} of {window.context}"
            yield _picture(frame, frame, "context", caption)
        truth = window.true_frames(np.arange(1, window.steps + 1))
        dreamed = dream(dreamer, [window], seed)[0].observations
        for step, (true, dreamt) in enumerate(zip(truth, dreamed, strict=True), 1):
            wrong = int((true != dreamt).any(-1).sum())
            caption = f"{name}   horizon {step}   {wrong} wrong pixel{'s' * (wrong != 1)}"
            picture = _picture(true, dreamt, "dream", caption)
            for _ in range(HOLD if step == window.steps else 1):
                yield picture


def _picture(true: np.ndarray, dreamed: np.ndarray, label: str, caption: str) -> np.ndarray:
    named = [("truth", true), (label, dreamed), ("difference", difference(true, dreamed))]
    return panes(named, caption=caption)
