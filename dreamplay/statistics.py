"""What a data folder says of its contents without anybody reading them: counts, rewards, returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import reduce
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Range:
    """Numbers summed up. An empty range has a count of 0 and no bounds."""

    count: int = 0
    sum: float = 0.0
    min: float | None = None
    max: float | None = None

    @classmethod
    def of(cls, values: np.ndarray) -> Range:
        """Of numbers (N,)."""
        if not len(values):
            return cls()
        return cls(len(values), float(values.sum(dtype=np.float64)), float(values.min()), float(values.max()))

    def __add__(self, other: Range) -> Range:
        if self.min is None or self.max is None:
            return other
        if other.min is None or other.max is None:
            return self
        bounds = min(self.min, other.min), max(self.max, other.max)
        return Range(self.count + other.count, self.sum + other.sum, *bounds)

    @property
    def mean(self) -> float | None:
        """None when there is nothing."""
        return self.sum / self.count if self.count else None


@dataclass(frozen=True)
class Statistics:
    """Of episodes; those of parts add up to those of the whole."""

    lengths: Range = Range()
    """Steps of each episode."""
    rewards: Range = Range()
    """Of each step."""
    rewarded: int = 0
    """Steps whose reward is not zero."""
    returns: Range = Range()
    """Sum of rewards of each episode that came to its own end."""
    terminated: int = 0
    """Episodes that ended so."""
    truncated: int = 0
    """Episodes that ended so."""
    chance: int = 0
    """Steps that drew on randomness, as far as the environment says."""

    @classmethod
    def of(cls, episodes: Sequence[dict[str, np.ndarray]]) -> Statistics:
        """Of episodes as dicts of their arrays, see `dreamplay.shards.fields`; at least one."""
        rewards = np.concatenate([episode["rewards"] for episode in episodes])
        ended = [episode for episode in episodes if episode["terminated"][-1] or episode["truncated"][-1]]
        return cls(
            Range.of(np.array([len(episode["rewards"]) for episode in episodes])),
            Range.of(rewards),
            int(np.count_nonzero(rewards)),
            Range.of(np.array([episode["rewards"].sum(dtype=np.float64) for episode in ended])),
            sum(bool(episode["terminated"][-1]) for episode in episodes),
            sum(bool(episode["truncated"][-1]) for episode in episodes),
            sum(int(episode["chance"].sum()) for episode in episodes),
        )

    def __add__(self, other: Statistics) -> Statistics:
        return Statistics(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @classmethod
    def total(cls, parts: Sequence[Statistics]) -> Statistics:
        """Of all parts together."""
        return reduce(cls.__add__, parts, cls())

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Statistics:
        """What `to_json` wrote; KeyError or TypeError if it is no such thing."""
        ranges = {name: Range(**data[name]) for name in ("lengths", "rewards", "returns")}
        return cls(**{field.name: ranges.get(field.name, data[field.name]) for field in fields(cls)})
