"""Dreams that a policy lives through: B at once, step by step, each restarted where it ends or has lasted long enough.

B batch · T time · F features · n components of an action.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dreamplay.agents.action_heads import ActionHead
from dreamplay.agents.policy import Policy
from dreamplay.simulator import Simulator, State, rows

RECENT = 100  # dreams that the mean return is taken of


class Experience(NamedTuple):
    """T steps of B dreams; values in units of reward."""

    features: Tensor  # (B, T, F)
    draws: Tensor  # (B, T, n), see `dreamplay.agents.action_heads`
    log_probs: Tensor  # (B, T)
    values: Tensor  # (B, T)
    rewards: Tensor  # (B, T), expected ones
    lives: Tensor  # (B, T), probability that the step does not end the episode
    next_values: Tensor  # (B, T), of the states that the steps lead to
    goes_on: Tensor  # bool (B, T), whether the same dream goes on after the step


class Dreams:
    """B dreams under way, each in the simulator's hidden state; no frame is ever decoded.

    What frames leave open is dreamed by `temperature`; rewards and ends are taken as the simulator expects them: their
    probabilities tell more than a draw would. A dream restarts where it has more likely ended than not, which earns
    nothing any more, or after `longest` steps, which its last value makes up for.

    A step that leaves more of the frame open than `most_open` is where a dream may be false, and a policy finds out
    where false is better than true. There the dream restarts, too, and where the step leads is worth no more than where
    it began: as the halting states of Kidambi et al. 2020 (MOReL, section 4), but without a penalty of their own.

    Args:
        simulator: dreams; its rewards and ends are all that is learned from.
        senses: states -> features (B, F); see `dreamplay.agents.senses`.
        head: the distribution of actions.
        starts: states to begin from, any number of rows.
        count: B.
        longest: steps after which a dream is restarted; the first dreams are of various ages.
        seed: of starts, of chance and of what the policy draws.
        temperature: of the dreams, see `dreamplay.simulator.Simulator.step`.
        most_open: open pixels of a step that is believed in, see `dreamplay.agents.doubt`.
    """

    def __init__(
        self,
        simulator: Simulator,
        senses: Callable[[State], Tensor],
        head: ActionHead,
        starts: State,
        count: int,
        longest: int,
        seed: int,
        temperature: float = 1.0,
        most_open: float = inf,
    ) -> None:
        self._simulator, self._senses, self._head, self._starts = simulator, senses, head, starts
        self.longest, self.temperature, self.most_open = longest, temperature, most_open
        self._rng = np.random.default_rng(seed)
        self._generator = torch.Generator(next(iter(starts.values())).device).manual_seed(seed)
        self._state = rows(starts, self._draw_starts(count))
        self._ages = self._rng.integers(longest, size=count)
        self._earned = np.zeros(count)
        self._whole = np.zeros(count, bool)  # dreams that were seen from their start on
        self._returns: deque[float] = deque(maxlen=RECENT)

    @property
    def mean_return(self) -> float:
        """Mean sum of rewards of the latest dreams, each from its start to where it restarts; NaN before one."""
        return float(np.mean(self._returns)) if self._returns else float("nan")

    @torch.no_grad()
    def live(self, policy: Policy, steps: int) -> Experience:
        """Lets a policy act in all dreams for T steps; they go on from there at the next call."""
        simulator, head = self._simulator, self._head
        features = self._senses(self._state)
        outputs, values = self._judge(policy, features)
        lived = []
        for _ in range(steps):
            draws = head.sample(outputs, self._generator)
            luck = self._rng.random((len(draws), simulator.draws), np.float32) if self.temperature else None
            state, step = simulator.step(
                self._state, head.to_actions(draws), temperature=self.temperature, uniforms=luck, decode=False
            )
            next_features = self._senses(state)
            next_outputs, next_values = self._judge(policy, next_features)
            ended = step.termination_probability > 0.5
            lives = np.where(ended, 0, 1 - step.termination_probability).astype(np.float32)
            doubtful = step.open_pixels > self.most_open
            over = self._count(step.expected_rewards, ended | doubtful)
            facts = (
                torch.from_numpy(fact).to(values.device) for fact in (step.expected_rewards, lives, ~over, doubtful)
            )
            rewards, alive, goes_on, unsure = facts
            next_values = torch.where(unsure, torch.minimum(values, next_values), next_values)
            log_probs = head.log_prob(outputs, draws)
            lived.append(Experience(features, draws, log_probs, values, rewards, alive, next_values, goes_on))
            features, outputs, values = next_features, next_outputs, next_values
            if over.any():
                where = torch.from_numpy(np.flatnonzero(over)).to(values.device)
                fresh = rows(self._starts, self._draw_starts(len(where)))
                state = {name: value.index_copy(0, where, fresh[name]) for name, value in state.items()}
                begun = self._senses(fresh)
                features = features.index_copy(0, where, begun)
                parts = zip((outputs, values), self._judge(policy, begun), strict=True)
                outputs, values = (part.index_copy(0, where, new) for part, new in parts)
            self._state = state
        return Experience(*(torch.stack(part, 1) for part in zip(*lived, strict=True)))

    def _judge(self, policy: Policy, features: Tensor) -> tuple[Tensor, Tensor]:
        outputs, values = policy(features)
        return outputs, policy.in_rewards(values)

    def _count(self, rewards: np.ndarray, ended: np.ndarray) -> np.ndarray:
        """Ages and returns a step later, some of which ended their dream; which dreams are over, bool (B,)."""
        self._earned += rewards
        self._ages += 1
        over = ended | (self._ages >= self.longest)
        self._returns.extend(self._earned[over & self._whole].tolist())
        self._whole |= over
        self._ages[over], self._earned[over] = 0, 0.0
        return over

    def _draw_starts(self, count: int) -> Tensor:
        first = next(iter(self._starts.values()))
        return torch.from_numpy(self._rng.integers(len(first), size=count)).to(first.device)
