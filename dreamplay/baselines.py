"""What a simulator has to beat: dreams that know nothing, rolled out as a simulator is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dreamplay.simulator import Rollout


@dataclass(frozen=True)
class LastFrame:
    """Repeats the last frame of the context."""

    def rollout(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        future_actions: np.ndarray,
        *,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Rollout:
        """As `Simulator.rollout`: context uint8 (B, n, H, W, C), future actions (B, T, ...); no reward and no end."""
        return _standing_still(observations[:, -1], future_actions)


@dataclass(frozen=True)
class MeanFrame:
    """Shows the same frame whatever the context.

    Args:
        frame: uint8 (H, W, C), the mean of the training frames.
    """

    frame: np.ndarray

    @classmethod
    def of(cls, frames: np.ndarray) -> MeanFrame:
        """The mean of frames uint8 (N, H, W, C), rounded to whole gray levels."""
        return cls(frames.mean(0).round().astype(np.uint8))

    def rollout(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        future_actions: np.ndarray,
        *,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Rollout:
        """As `Simulator.rollout`: context uint8 (B, n, H, W, C), future actions (B, T, ...); no reward and no end."""
        return _standing_still(np.broadcast_to(self.frame, observations[:, -1].shape), future_actions)


def _standing_still(frames: np.ndarray, future_actions: np.ndarray) -> Rollout:
    b, t = future_actions.shape[:2]
    nothing = np.zeros((b, t), np.float32)
    return Rollout(np.broadcast_to(frames[:, None], (b, t, *frames.shape[1:])), nothing, nothing, nothing)
