"""Distributions over actions, from the numbers that a policy puts out: one kind for choices, one for boxes.

B batch · O outputs of the policy · n components of an action · K choices of a component, at most.

A *draw* is an action as a tensor (B, n), as the distribution sees it; `to_actions` makes of it what environments take.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor
from torch.nn import functional as F

from dreamplay.actions import action_size

NARROWEST = -4.0  # log of the smallest standard deviation of a box action, in half-widths of the box


class ActionHead(Protocol):
    """A distribution over actions for outputs (B, O)."""

    outputs: int
    """O."""

    def sample(self, outputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draws (B, n)."""
        ...

    def likeliest(self, outputs: Tensor) -> Tensor:
        """The draws (B, n) of highest probability."""
        ...

    def log_prob(self, outputs: Tensor, draws: Tensor) -> Tensor:
        """Log-probability, or log-density, of draws (B, n): (B,)."""
        ...

    def entropy(self, outputs: Tensor) -> Tensor:
        """Entropy in nats, summed over components: (B,)."""
        ...

    def to_actions(self, draws: Tensor) -> np.ndarray:
        """Actions of the space (B, *action_shape)."""
        ...


class ChoiceHead:
    """Independent categorical components: Discrete, MultiDiscrete and MultiBinary actions."""

    def __init__(self, space: spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary) -> None:
        self._shape = space.shape or ()
        counts: Any
        start: Any = 0
        if isinstance(space, spaces.MultiBinary):
            counts = np.full(self._shape, 2)
        elif isinstance(space, spaces.MultiDiscrete):
            counts, start = space.nvec, space.start
        else:
            counts, start = space.n, space.start
        self._counts = np.ravel(counts).astype(np.int64).tolist()  # n numbers
        self._start = np.broadcast_to(start, self._shape)
        self.outputs = sum(self._counts)

    def sample(self, outputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        logits = self._logits(outputs)
        noise = torch.empty_like(logits).exponential_(generator=generator).log()  # Gumbel: an exact draw
        return (logits - noise).argmax(-1)

    def likeliest(self, outputs: Tensor) -> Tensor:
        return self._logits(outputs).argmax(-1)

    def log_prob(self, outputs: Tensor, draws: Tensor) -> Tensor:
        return self._logits(outputs).gather(-1, draws.unsqueeze(-1)).squeeze(-1).sum(-1)

    def entropy(self, outputs: Tensor) -> Tensor:
        logits = self._logits(outputs)
        return -(logits.exp() * logits.clamp_min(-1e9)).sum((-2, -1))  # 0 times minus infinity is no number

    def to_actions(self, draws: Tensor) -> np.ndarray:
        return draws.cpu().numpy().reshape(len(draws), *self._shape) + self._start

    def _logits(self, outputs: Tensor) -> Tensor:
        """Normalised (B, n, K); a component of fewer than K choices never takes the others."""
        most = max(self._counts)
        parts = outputs.split(self._counts, -1)
        padded = [F.pad(part, (0, most - part.shape[-1]), value=-torch.inf) for part in parts]
        return torch.stack(padded, 1).log_softmax(-1)


class BoxHead:
    """Independent normal components on a box scaled to [-1, 1]; what lies outside is clipped when it is acted out.

    Where a side lacks a bound the scale is that of `dreamplay.actions.encode_actions`: the number as it is.
    """

    def __init__(self, space: spaces.Box) -> None:
        self._space, self._size = space, action_size(space)
        low, high = space.low.ravel().astype(float), space.high.ravel().astype(float)
        bounded = np.isfinite(low) & np.isfinite(high)
        low, high = np.where(bounded, low, -1), np.where(bounded, high, 1)
        self._middle, self._half = (low + high) / 2, (high - low) / 2
        self.outputs = 2 * self._size

    def sample(self, outputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        mean, log_std = self._normal(outputs)
        return mean + log_std.exp() * torch.empty_like(mean).normal_(generator=generator)

    def likeliest(self, outputs: Tensor) -> Tensor:
        return self._normal(outputs)[0]

    def log_prob(self, outputs: Tensor, draws: Tensor) -> Tensor:
        mean, log_std = self._normal(outputs)
        return (-0.5 * ((draws - mean) / log_std.exp()) ** 2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)

    def entropy(self, outputs: Tensor) -> Tensor:
        return (self._normal(outputs)[1] + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)

    def to_actions(self, draws: Tensor) -> np.ndarray:
        scaled = self._middle + self._half * draws.cpu().numpy().astype(float)
        actions = scaled.reshape(len(draws), *(self._space.shape or ()))
        return np.clip(actions, self._space.low, self._space.high).astype(self._space.dtype)

    def _normal(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log of the standard deviation, (B, n) each; the latter from -4 to 0, -0.8 for an output of 0."""
        mean, width = outputs.chunk(2, -1)
        return mean, NARROWEST * (-width - 1.4).sigmoid()


def head_for(space: gym.Space[Any]) -> ActionHead:
    """The distribution that fits a space.

    Raises:
        UserError: the space is none of Discrete, MultiDiscrete, MultiBinary and Box.
    """
    action_size(space)  # refuses all others
    return BoxHead(space) if isinstance(space, spaces.Box) else ChoiceHead(space)  # type: ignore[arg-type]
