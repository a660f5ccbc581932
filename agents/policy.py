"""A policy and its critic: one small network on what the simulator knows.

B batch · F features, see `dreamplay.agents.senses` · O outputs, see `dreamplay.agents.action_heads`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Policy(nn.Module):
    """What to do and what it is worth.

    The critic puts out values in units of how returns vary, so that rewards may be of any size; when these units
    change, its last layer is rescaled so that no value does (PopArt, van Hasselt et al. 2016).

    Args:
        features: F.
        outputs: O, numbers that describe the distribution of actions.
        width: units of each of the two hidden layers.
    """

    mean: Tensor
    scale: Tensor
    updates: Tensor

    def __init__(self, features: int, outputs: int, width: int) -> None:
        super().__init__()
        self.features, self.width = features, width
        self.body = nn.Sequential(
            nn.Linear(features, width), nn.LayerNorm(width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.actor, self.critic = nn.Linear(width, outputs), nn.Linear(width, 1)
        nn.init.orthogonal_(self.actor.weight, 0.01)  # at first all actions are about as likely,
        for start in (self.actor.bias, self.critic.weight, self.critic.bias):
            nn.init.zeros_(start)  # and nothing is worth anything, in whatever units
        self.register_buffer("mean", torch.zeros(()))  # of returns
        self.register_buffer("scale", torch.ones(()))  # their standard deviation
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, F) -> outputs (B, O) and values (B,) in the critic's units."""
        x = self.body(features)  # (B, width)
        return self.actor(x), self.critic(x).squeeze(-1)

    def in_rewards(self, values: Tensor) -> Tensor:
        """Values in the critic's units -> in units of reward."""
        return values * self.scale + self.mean

    def in_units(self, returns: Tensor) -> Tensor:
        """Returns in units of reward -> in the critic's units."""
        return (returns - self.mean) / self.scale

    @torch.no_grad()
    def measure(self, returns: Tensor, least: float, rate: float = 0.05) -> None:
        """Adapts the critic's units to returns, without changing any value in units of reward.

        Args:
            returns: any shape.
            least: smallest standard deviation to believe in.
            rate: weight of these returns against those before.
        """
        self.updates += 1
        rate = max(rate, 1 / int(self.updates))  # at first the mean of all
        mean = self.mean.lerp(returns.mean(), rate)
        scale = self.scale.lerp(returns.std(), rate).clamp_min(least)
        self.critic.weight.mul_(self.scale / scale)
        self.critic.bias.mul_(self.scale / scale).add_((self.mean - mean) / scale)
        self.mean.copy_(mean)
        self.scale.copy_(scale)
