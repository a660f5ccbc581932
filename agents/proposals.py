"""Distributions over action sequences, one class for finite choices and one for continuous actions.

The parameters of B rows are one array (B, T, ...). Sampling is split in two: each row draws its noise from its own
generator, then all rows are turned into actions at once, so that a row never depends on its neighbours.
"""

from __future__ import annotations

from typing import Protocol

import gymnasium as gym
import numpy as np

from dreamplay.agents.noise_in_time import coloured
from dreamplay.errors import UserError


class Proposal(Protocol):
    """A family of distributions over action sequences of T steps. A is the number of components of an action."""

    def zeros(self, batch: int) -> np.ndarray:
        """Arrays for B sequences, (B, T, *action_shape), of the type that `sample` returns."""
        ...

    def prior(self, batch: int) -> np.ndarray:
        """The widest distribution, for each of B rows: parameters (B, T, ...)."""
        ...

    def around(self, plans: np.ndarray) -> np.ndarray:
        """A wide distribution centred on a plan (B, T, *action_shape): parameters (B, T, ...)."""
        ...

    def centre(self, parameters: np.ndarray) -> np.ndarray:
        """The middle of a distribution: the likeliest choices, the means. (B, T, ...) -> (B, T, *action_shape)."""
        ...

    def noise(self, generator: np.random.Generator, count: int, beta: float = 0.0) -> np.ndarray:
        """One row's raw noise (count, T, A), independent over steps unless it is coloured (beta > 0)."""
        ...

    def sample(self, parameters: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Noise (B, N, T, A) made into actions (B, N, T, *action_shape); each step follows its parameters."""
        ...

    def fit(self, actions: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The parameters (B, T, ...) that explain actions (B, N, T, *action_shape) weighted by (B, N), kept wide enough
        to go on exploring. A row without any weight gets meaningless parameters."""
        ...


class CategoricalProposal:
    """Independent categories per step and component: Discrete, MultiDiscrete and MultiBinary actions.

    Parameters are probabilities (B, T, A, K), where K is the largest number of choices; choices that a component does
    not have get probability zero.
    """

    def __init__(
        self,
        space: gym.spaces.Discrete | gym.spaces.MultiDiscrete | gym.spaces.MultiBinary,
        horizon: int,
        smoothing: float,
    ) -> None:
        """`horizon` is T in steps; `smoothing` in (0, 1] the share of the uniform prior that never goes away."""
        self._shape = tuple(space.shape or ())
        self._horizon = horizon
        self._smoothing = smoothing
        if isinstance(space, gym.spaces.MultiBinary):
            counts, start = np.full(self._shape, 2), np.zeros(self._shape)
        elif isinstance(space, gym.spaces.MultiDiscrete):
            counts, start = np.asarray(space.nvec), np.asarray(space.start)
        else:
            counts, start = np.asarray(space.n), np.asarray(space.start)
        self._counts = counts.reshape(-1).astype(np.int64)  # (A,)
        self._start = start.reshape(-1).astype(np.int64)  # (A,)
        self._choices = np.arange(self._counts.max())  # (K,)
        self._uniform = (self._choices < self._counts[:, None]) / self._counts[:, None]  # (A, K)

    def zeros(self, batch: int) -> np.ndarray:
        return np.zeros((batch, self._horizon, *self._shape), dtype=np.int64)

    def prior(self, batch: int) -> np.ndarray:
        return np.broadcast_to(self._uniform, (batch, self._horizon, *self._uniform.shape)).copy()

    def around(self, plans: np.ndarray) -> np.ndarray:
        # Half of the probability stays with the prior: what was best a step ago may be poor now.
        return 0.5 * self._one_hot(plans) + 0.5 * self._uniform

    def centre(self, parameters: np.ndarray) -> np.ndarray:
        actions = parameters.argmax(axis=-1) + self._start  # (B, T, A)
        return actions.reshape(*actions.shape[:2], *self._shape)

    def noise(self, generator: np.random.Generator, count: int, beta: float = 0.0) -> np.ndarray:
        if beta == 0:
            return generator.random((count, self._horizon, self._counts.size))
        z = coloured(generator, count, self._horizon, self._counts.size, beta)
        # The normal distribution function to within 0.0005 (Page 1977): each step on its own is uniform again.
        return 0.5 + 0.5 * np.tanh((2 / np.pi) ** 0.5 * (z + 0.044715 * z**3))

    def sample(self, parameters: np.ndarray, noise: np.ndarray) -> np.ndarray:
        thresholds = np.cumsum(parameters, axis=-1)[:, None, :, :, :-1]  # (B, 1, T, A, K - 1)
        index = (noise[..., None] >= thresholds).sum(axis=-1)  # (B, N, T, A)
        # A rounded sum of probabilities may end just below one, hence the bound.
        actions = np.minimum(index, self._counts - 1) + self._start
        return actions.reshape(*noise.shape[:3], *self._shape)

    def fit(self, actions: np.ndarray, weights: np.ndarray) -> np.ndarray:
        weights = weights[:, :, None, None, None]  # (B, N, 1, 1, 1)
        total = np.maximum(weights.sum(axis=1), np.finfo(np.float64).tiny)
        frequency = (weights * self._one_hot(actions)).sum(axis=1) / total  # (B, T, A, K)
        return (1 - self._smoothing) * frequency + self._smoothing * self._uniform

    def _one_hot(self, actions: np.ndarray) -> np.ndarray:
        components = actions.reshape(*actions.shape[: actions.ndim - len(self._shape)], -1) - self._start
        return components[..., None] == self._choices  # (..., A, K)


class GaussianProposal:
    """Independent normal distributions per step and component, clipped to the bounds: Box actions.

    Parameters are mean and standard deviation (B, T, A, 2). A side without a bound is taken to be one unit from zero
    when the first distribution is laid out, and is not clipped.
    """

    def __init__(self, space: gym.spaces.Box, horizon: int, minimum_std: float) -> None:
        """`horizon` is T in steps; `minimum_std` the smallest standard deviation, in half-widths of the Box."""
        self._space = space
        self._horizon = horizon
        low, high = space.low.reshape(-1).astype(np.float64), space.high.reshape(-1).astype(np.float64)
        self._low, self._high = low, high  # (A,)
        low = np.where(np.isfinite(low), low, np.minimum(-1.0, np.where(np.isfinite(high), high - 2.0, -1.0)))
        high = np.where(np.isfinite(high), high, np.maximum(1.0, low + 2.0))
        self._middle, self._half_width = (low + high) / 2, (high - low) / 2  # (A,)
        self._minimum_std = minimum_std * self._half_width

    def zeros(self, batch: int) -> np.ndarray:
        return np.zeros((batch, self._horizon, *self._space.shape), dtype=self._space.dtype)

    def prior(self, batch: int) -> np.ndarray:
        step = np.stack([self._middle, self._half_width], axis=-1)  # (A, 2)
        return np.broadcast_to(step, (batch, self._horizon, *step.shape)).copy()

    def around(self, plans: np.ndarray) -> np.ndarray:
        mean = plans.reshape(*plans.shape[:2], -1).astype(np.float64)  # (B, T, A)
        return np.stack([mean, np.broadcast_to(self._half_width, mean.shape)], axis=-1)

    def centre(self, parameters: np.ndarray) -> np.ndarray:
        actions = np.clip(parameters[..., 0], self._low, self._high).astype(self._space.dtype)  # (B, T, A)
        return actions.reshape(*actions.shape[:2], *self._space.shape)

    def noise(self, generator: np.random.Generator, count: int, beta: float = 0.0) -> np.ndarray:
        return coloured(generator, count, self._horizon, self._low.size, beta)

    def sample(self, parameters: np.ndarray, noise: np.ndarray) -> np.ndarray:
        mean, std = parameters[:, None, ..., 0], parameters[:, None, ..., 1]  # (B, 1, T, A)
        actions = np.clip(mean + std * noise, self._low, self._high).astype(self._space.dtype)
        return actions.reshape(*noise.shape[:3], *self._space.shape)

    def fit(self, actions: np.ndarray, weights: np.ndarray) -> np.ndarray:
        actions = actions.reshape(*actions.shape[:3], -1).astype(np.float64)  # (B, N, T, A)
        weights = weights[:, :, None, None]
        total = np.maximum(weights.sum(axis=1), np.finfo(np.float64).tiny)
        mean = (weights * actions).sum(axis=1) / total  # (B, T, A)
        variance = (weights * (actions - mean[:, None]) ** 2).sum(axis=1) / total
        return np.stack([mean, np.maximum(np.sqrt(variance), self._minimum_std)], axis=-1)


def proposal_for(space: gym.Space, horizon: int, *, smoothing: float = 0.1, minimum_std: float = 0.05) -> Proposal:
    """The distribution over sequences of `horizon` actions that fits the kind of action space.

    Args:
        space: of the actions.
        horizon: T in steps.
        smoothing: for finite choices, the share of the uniform distribution that every one keeps, in (0, 1].
        minimum_std: for a Box, the smallest standard deviation, in half-widths of the Box.

    Raises:
        UserError: If the space is none of Discrete, MultiDiscrete, MultiBinary and Box.
    """
    if isinstance(space, gym.spaces.Discrete | gym.spaces.MultiDiscrete | gym.spaces.MultiBinary):
        return CategoricalProposal(space, horizon, smoothing)
    if isinstance(space, gym.spaces.Box):
        return GaussianProposal(space, horizon, minimum_std)
    raise UserError(f"cannot plan over the action space {space}; use Discrete, MultiDiscrete, MultiBinary or Box")
