"""Where chance decides: do dreams make its moves as often as the real environment does?

Steps that drew on randomness, each after a real history; the truth took one of the possible steps, and eight dreams are
sampled of it. What chance decides shows where not all nine agree: pixels that change in some of them and stay as they
were in others. On those, the truth changes a share of the pixels, and so do the dreams. If the truth is a draw of the
distribution that the dreams are drawn from, the two shares are equal on average, since the pixels were chosen without
regard to which of the nine was the truth; a move dreamed too rarely or too often shows as their difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dreamplay.confidence import Interval, ratio_ci95, resamples
from dreamplay.dreamer import Dreamer
from dreamplay.episodes import Episode
from dreamplay.horizon_scores import ratio
from dreamplay.horizon_windows import CONTEXT, Window, batches, inputs
from dreamplay.metrics import visible

SAMPLES = 8
STEPS = 400


@dataclass(frozen=True)
class ChanceMoves:
    """How often what chance decides moves.

    Args:
        steps: steps looked at.
        pixels: pixels on which truth and dreams did not all agree, over all steps.
        true: share of them that changed in truth.
        dreamed: share of them that changed in a dream.
        difference: dreamed - true.
        difference_ci95: its 95 % interval over steps.
    """

    steps: int
    pixels: int
    true: float | None
    dreamed: float | None
    difference: float | None
    difference_ci95: Interval

    def to_json(self) -> dict[str, Any]:
        """JSON values only."""
        return asdict(self)


def chance_windows(held_out: Sequence[Episode], seed: int) -> list[Window]:
    """At most 400 single steps that drew on chance, drawn evenly, each after up to ten real frames."""
    places = [(episode, int(now)) for episode in held_out for now in np.flatnonzero(episode.chance)]
    drawn = np.random.default_rng(seed).choice(len(places), min(STEPS, len(places)), replace=False)
    chosen = (places[i] for i in sorted(drawn))
    return [Window(episode, max(0, now + 1 - CONTEXT), min(CONTEXT, now + 1), 1) for episode, now in chosen]


def chance_moves(
    dreamer: Dreamer, windows: Sequence[Window], seed: int = 0, on_window: Callable[[int], None] = lambda count: None
) -> ChanceMoves | None:
    """Compares eight sampled dreams of each step with the truth.

    Args:
        dreamer: whose dreams.
        windows: from `chance_windows`.
        seed: of the samples.
        on_window: told how many windows were just dreamed, each eight times in all.

    Returns:
        None without windows: nothing in the data says that it drew on chance.
    """
    if not windows:
        return None
    rng = np.random.default_rng(seed)
    counts = np.zeros((3, len(windows)))  # pixels in question, changed in truth, changed in a dream
    for indices in batches(windows):
        together = [windows[i] for i in indices]
        last = np.stack([window.context_observations[-1] for window in together])
        true = visible(np.concatenate([window.true_frames(np.array([1])) for window in together]), last)  # (B, H, W)
        dreamed = np.zeros(true.shape)
        for _ in range(SAMPLES):
            rollout = dreamer.rollout(*inputs(together), temperature=1.0, seed=int(rng.integers(2**31)))
            dreamed += visible(rollout.observations[:, 0], last)
            on_window(len(indices))
        changed = true + dreamed
        open_ = (changed > 0) & (changed < SAMPLES + 1)
        counts[:, indices] = [(open_ * part).sum((1, 2)) for part in (1, true, dreamed / SAMPLES)]
    pixels, in_truth, in_dream = counts
    return ChanceMoves(
        len(windows),
        int(pixels.sum()),
        ratio(in_truth, pixels),
        ratio(in_dream, pixels),
        ratio(in_dream - in_truth, pixels),
        ratio_ci95(in_dream - in_truth, pixels, resamples(len(windows), rng)),
    )
