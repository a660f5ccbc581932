"""Learning inside the dream: proximal policy optimisation (Schulman et al. 2017). The loop is `learn`, top to bottom.

B batch · T time · N = B * T
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from dreamplay.agents.action_heads import ActionHead
from dreamplay.agents.advantages import advantages
from dreamplay.agents.dreams import Dreams, Experience
from dreamplay.agents.policy import Policy
from dreamplay.errors import UserError
from dreamplay.interruption import deferred_interrupt

SAVE_SECONDS = 60.0


@dataclass(frozen=True)
class LearnConfig:
    """How a policy learns: the same for every game."""

    dreams: int = 128
    """B, dreams at once."""
    steps: int = 32
    """T, steps of each dream between two updates."""
    longest: int = 100
    """Steps after which a dream starts anew from a real moment."""
    temperature: float = 1.0
    """Of the dreams: 1 samples as learned what they leave open, 0 takes what is most likely."""
    discount: float = 0.99
    """Worth of a reward one step later."""
    trace: float = 0.95
    """Lambda of the generalised advantage estimation."""
    epochs: int = 4
    """How often an update goes over its steps."""
    minibatch: int = 256
    """Steps of a gradient."""
    clip: float = 0.2
    """How far the probability of an action may move in an update before it carries no gradient."""
    entropy: float = 0.01
    """Worth of a nat of entropy, in standard deviations of the advantages."""
    learning_rate: float = 1e-3
    """Of Adam, at first; falls to a tenth in a straight line."""
    clip_norm: float = 0.5
    """Largest norm of a gradient."""
    width: int = 128
    """Units of a hidden layer of the policy."""


@dataclass
class Learner:
    """A policy that learns, and how far it is."""

    config: LearnConfig
    policy: Policy
    head: ActionHead
    optimiser: torch.optim.Optimizer
    least: float
    """Smallest standard deviation of returns and advantages to believe in, in units of reward: below it is noise."""
    steps: int = 0
    """Dreamed steps, of all dreams together."""
    minutes: float = 0.0

    def to(self, device: torch.device) -> None:
        """Moves the policy to a device, and the optimiser's state with it."""
        self.policy.to(device)
        self.optimiser.load_state_dict(self.optimiser.state_dict())


class Report(NamedTuple):
    """What one update reports."""

    steps: int
    minutes: float
    mean_return: float  # of the latest dreams
    entropy: float  # nats


def new_learner(config: LearnConfig, features: int, head: ActionHead, rewards: np.ndarray, seed: int) -> Learner:
    """A policy that knows nothing.

    Args:
        config: how to learn.
        features: F, see `dreamplay.agents.senses`.
        head: the distribution of actions.
        rewards: values that a reward may take; the largest sets the scale below which all is noise.
        seed: of the weights.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        policy = Policy(features, head.outputs, config.width)
    least = 0.01 * float(np.abs(rewards).max()) or 1.0
    return Learner(config, policy, head, make_optimiser(policy, config), least)


def make_optimiser(policy: Policy, config: LearnConfig) -> torch.optim.Optimizer:
    """Adam on all of a policy."""
    return torch.optim.Adam(policy.parameters(), lr=config.learning_rate, eps=1e-5, fused=True)


def learn(
    learner: Learner,
    dreams: Dreams,
    *,
    seed: int,
    steps: int | None = None,
    minutes: float | None = None,
    on_update: Callable[[Report], None] | None = None,
    save: Callable[[Learner], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Learn until `steps` dreamed steps or `minutes` are full, earlier parts included.

    Args:
        learner: is changed.
        dreams: where it lives.
        seed: of the order of the steps.
        steps: in all, of all dreams together; or
        minutes: in all; exactly one of the two.
        on_update: called after each update.
        save: called now and then, at the end, and when Ctrl-C stops the learning.
        clock: seconds, monotonic.

    Raises:
        UserError: the policy is no longer finite; what was saved before stays.
        KeyboardInterrupt: Ctrl-C; saved.
    """
    config, policy = learner.config, learner.policy
    generator = torch.Generator().manual_seed(seed)
    began = saved = clock()
    first = learner.minutes
    with deferred_interrupt() as stop:
        while not stop.asked and (learner.steps < steps if steps else learner.minutes < (minutes or 0)):
            progress = learner.steps / steps if steps else learner.minutes / (minutes or 1)
            for group in learner.optimiser.param_groups:
                group["lr"] = config.learning_rate * (1 - 0.9 * min(1.0, progress))
            experience = dreams.live(policy, config.steps)
            entropy = update(learner, experience, generator)
            if not np.isfinite(entropy):
                raise UserError("the policy diverged: its numbers are not finite any more; start it anew")
            now = clock()
            learner.steps += experience.rewards.numel()
            learner.minutes = first + (now - began) / 60
            if on_update is not None:
                try:
                    on_update(Report(learner.steps, learner.minutes, dreams.mean_return, entropy))
                except KeyboardInterrupt:
                    stop.asked = True
            if save is not None and now - saved > SAVE_SECONDS:
                save(learner)
                saved = now
        if save is not None:
            save(learner)
    if stop.asked:
        raise KeyboardInterrupt


def update(learner: Learner, experience: Experience, generator: torch.Generator) -> float:
    """One update of the policy; returns its mean entropy in nats.

    Args:
        learner: is changed.
        experience: lived by this very policy.
        generator: shuffles.
    """
    config, policy, head = learner.config, learner.policy, learner.head
    gains = advantages(
        experience.rewards,
        experience.values,
        experience.next_values,
        experience.lives,
        experience.goes_on,
        discount=config.discount,
        trace=config.trace,
    )
    returns = experience.values + gains  # (B, T)
    policy.measure(returns, learner.least)
    gains = (gains - gains.mean()) / gains.std().clamp_min(learner.least)
    features, draws, old, gains, targets = (
        part.flatten(0, 1)
        for part in (experience.features, experience.draws, experience.log_probs, gains, policy.in_units(returns))
    )
    entropies = []
    for _ in range(config.epochs):
        for rows in torch.randperm(len(gains), generator=generator).split(config.minibatch):
            outputs, values = policy(features[rows])
            ratio = (head.log_prob(outputs, draws[rows]) - old[rows]).exp()
            clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
            surrogate = torch.minimum(ratio * gains[rows], clipped * gains[rows]).mean()
            entropy = head.entropy(outputs).mean()
            loss = 0.5 * (values - targets[rows]).square().mean() - surrogate - config.entropy * entropy
            learner.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), config.clip_norm)
            learner.optimiser.step()
            entropies.append(entropy.item())
    return float(np.mean(entropies))
