"""How far a dream can be trusted: its uncertainty against that on real frames, its age against the truth horizon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamplay.play.moment import Moment

if TYPE_CHECKING:
    from dreamplay.simulator import Simulator

RECENT = 8  # moments: a single uncertain step, such as a serve, is no reason to warn
TOLERANCE = 1.25  # times the largest uncertainty on real frames
FOUND = 0.5  # beyond the horizon at which fewer of the moving pixels are found, the dream is rather wrong than right


@dataclass(frozen=True)
class Trust:
    """What the simulator is used to.

    Attributes:
        typical: Mean uncertainty one step after real frames, in nats per pixel; NaN if unknown.
        most: The largest there.
        horizon: Steps up to which the dream was measured to find at least half of what moves; None if not measured, or
            if it always did.
    """

    typical: float = nan
    most: float = nan
    horizon: int | None = None

    @classmethod
    def of(cls, simulator: Simulator) -> Trust:
        """Calibrated on the contexts of the checkpoint, and on its measured truth horizon if there is one."""
        uncertainty = _on_real_frames(simulator)
        return cls(float(uncertainty.mean()), float(uncertainty.max()), truth_horizon(simulator.horizon))

    def level(self, moments: Sequence[Moment]) -> float:
        """Uncertainty of the last few moments, in multiples of the typical one; NaN if unknown."""
        known = [
            m.dream.uncertainty for m in moments[-RECENT:] if m.dream is not None and not isnan(m.dream.uncertainty)
        ]
        return float(np.mean(known)) / max(self.typical, 1e-9) if known else nan

    def unsure(self, moments: Sequence[Moment]) -> bool:
        """Whether the dream is lately less sure of its frames than it ever was on real ones; False if unknown."""
        return self.level(moments) * self.typical > TOLERANCE * self.most

    def warning(self, moments: Sequence[Moment]) -> str:
        """Why the dream at the last of these moments is not to be trusted; empty if nothing speaks against it."""
        dream = moments[-1].dream
        if dream is None:
            return ""
        if self.unsure(moments):
            return "the dream leaves what it knows"
        if self.horizon is not None and dream.horizon > self.horizon:
            return f"older than the truth horizon, {self.horizon} steps"
        return ""


def truth_horizon(measured: dict[str, Any] | None) -> int | None:
    """The last horizon of an evaluation at which half of the moving pixels were found; None if they always were."""
    try:
        recalls = sorted((int(h), at["recall"]) for h, at in (measured or {})["horizons"].items())
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    found = [h for h, recall in recalls if recall is not None and recall >= FOUND]
    lost = [h for h, recall in recalls if recall is not None and recall < FOUND]
    return max((h for h in found if h < min(lost)), default=0) if lost else None


def _on_real_frames(simulator: Simulator) -> np.ndarray:
    """Uncertainty about the last frame of each stored context, given those before it: (N,), NaN without contexts."""
    values = [nan]
    groups: dict[int, list[Any]] = {}
    for context in simulator.contexts:
        groups.setdefault(len(context.observations), []).append(context)
    for length, contexts in groups.items():
        if length < 2:
            continue
        observations = np.stack([context.observations for context in contexts])  # (N, n, H, W, C)
        actions = np.stack([context.actions for context in contexts])  # (N, n-1, ...)
        state = simulator.start(observations[:, :-1], actions[:, :-1])
        values += simulator.uncertainty(state, actions[:, -1]).tolist()
    return np.array(values[1:] or values)
