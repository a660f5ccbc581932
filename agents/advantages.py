"""How much better than expected it went: generalised advantage estimation (Schulman et al. 2016) with soft ends."""

from __future__ import annotations

import torch
from torch import Tensor


def advantages(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    lives: Tensor,
    goes_on: Tensor,
    *,
    discount: float,
    trace: float,
) -> Tensor:
    """Advantages of T steps of B dreams.

        delta_t = rewards_t + discount * lives_t * next_values_t - values_t
        A_t = delta_t + discount * trace * lives_t * goes_on_t * A_{t+1}

    Args:
        rewards: (B, T), expected ones.
        values: (B, T), of the states that the steps start from.
        next_values: (B, T), of the states they lead to, before any restart.
        lives: (B, T), probability in [0, 1] that the episode does not end with the step.
        goes_on: bool (B, T), whether the next column continues the same dream.
        discount: worth of a reward one step later.
        trace: lambda, 0 trusts the values after one step, 1 only what was earned.

    Returns:
        (B, T), of the last column as if nothing were known beyond `next_values`.
    """
    deltas = rewards + discount * lives * next_values - values
    weights = discount * trace * lives * goes_on
    found, later = [], torch.zeros_like(values[:, 0])
    for t in reversed(range(rewards.shape[1])):
        later = deltas[:, t] + weights[:, t] * later
        found.append(later)
    return torch.stack(found[::-1], 1)
