"""Rewards as a distribution over bins: the values themselves when they are few, else a grid of quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

MAX_VALUES = 33


@dataclass(frozen=True)
class RewardBins:
    """A categorical distribution of the reward.

    A reward between two bins is spread over both so that the mean is kept (two-hot); a reward that is a bin's value is
    that bin alone, so for few distinct rewards this is the exact log-likelihood.

    Args:
        values: float32 (R,), ascending.
        exact: whether every reward of the data is one of the values, so that the most likely bin is the answer;
            otherwise the mean is.
    """

    values: np.ndarray
    exact: bool

    @classmethod
    def of(cls, rewards: np.ndarray) -> RewardBins:
        """The bins for a data set's rewards, float (N,)."""
        distinct = np.unique(rewards.astype(np.float32))
        if len(distinct) <= MAX_VALUES:
            return cls(distinct, True)
        quantiles = np.unique(np.quantile(distinct, np.linspace(0, 1, MAX_VALUES)).astype(np.float32))
        return cls(quantiles, False)

    def unknown(self, rewards: np.ndarray) -> np.ndarray:
        """Which rewards, float (N,), can only be told as the nearest bin: ascending, each once."""
        distinct = np.unique(rewards.astype(np.float32))
        if self.exact:
            return np.setdiff1d(distinct, self.values)
        return distinct[(distinct < self.values[0]) | (distinct > self.values[-1])]

    def encode(self, rewards: np.ndarray) -> Tensor:
        """Rewards (...) -> target probabilities float (..., R)."""
        values = torch.from_numpy(self.values)
        flat = torch.as_tensor(rewards, dtype=torch.float32).clamp(values[0], values[-1])
        if len(values) == 1:
            return torch.ones(*flat.shape, 1)
        right = torch.searchsorted(values, flat.contiguous()).clamp(1, len(values) - 1)
        share = (flat - values[right - 1]) / (values[right] - values[right - 1])
        target = torch.zeros(*flat.shape, len(values))
        target.scatter_(-1, (right - 1).unsqueeze(-1), (1 - share).unsqueeze(-1))
        return target.scatter_(-1, right.unsqueeze(-1), share.unsqueeze(-1))

    def mean(self, logits: Tensor) -> Tensor:
        """Expected reward (...) of logits (..., R)."""
        return logits.softmax(-1) @ torch.from_numpy(self.values).to(logits.device)

    def not_zero(self, logits: Tensor) -> Tensor:
        """Probability (...) that there is a reward at all, of logits (..., R)."""
        return logits.softmax(-1) @ torch.from_numpy((self.values != 0).astype(np.float32)).to(logits.device)

    def most_likely(self, logits: Tensor) -> Tensor:
        """The most likely reward (...) of logits (..., R); the mean where rewards are continuous."""
        if not self.exact:
            return self.mean(logits)
        return torch.from_numpy(self.values).to(logits.device)[logits.argmax(-1)]

    def sample(self, logits: Tensor, temperature: float | Tensor, uniforms: Tensor) -> Tensor:
        """Rewards (B,) drawn from softmax(logits / temperature), logits (B, R), uniforms (B,) in [0, 1)."""
        if not self.exact:
            return self.mean(logits)
        cumulative = (logits / temperature).softmax(-1).cumsum(-1)
        index = (uniforms.unsqueeze(-1) >= cumulative / cumulative[..., -1:]).sum(-1)  # see PaletteFrames.sample
        return torch.from_numpy(self.values).to(logits.device)[index]

    def to_json(self) -> dict[str, Any]:
        """What `RewardBins.from_json` rebuilds the bins from."""
        return {"values": self.values.tolist(), "exact": self.exact}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RewardBins:
        """The bins that `to_json` described."""
        return cls(np.array(data["values"], np.float32), bool(data["exact"]))
