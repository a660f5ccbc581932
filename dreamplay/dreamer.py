"""Whatever can be judged: it rolls out as a simulator does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from dreamplay.horizon_scores import Dreamed
from dreamplay.horizon_windows import Window, inputs
from dreamplay.simulator import Rollout


class Dreamer(Protocol):
    """Whatever rolls out as `Simulator` does."""

    def rollout(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        future_actions: np.ndarray,
        *,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Rollout:
        """Context (B, n, H, W, C), (B, n-1, ...) and future actions (B, T, ...) -> T dreamed steps."""
        ...


def dream(dreamer: Dreamer, windows: Sequence[Window], seed: int = 0) -> list[Dreamed]:
    """What the dreamer finds most likely in windows of one context length, each cut to its own steps."""
    rollout = dreamer.rollout(*inputs(windows), temperature=0.0, seed=seed)
    columns = (rollout.observations, rollout.rewards, rollout.termination_probability)
    return [Dreamed(*(column[i, : w.steps] for column in columns)) for i, w in enumerate(windows)]
