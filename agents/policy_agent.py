"""A policy learned in a dream, at work in reality: the dream's hidden state follows the whole episode, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dreamplay.agents.action_heads import ActionHead
from dreamplay.agents.following_agent import FollowingAgent
from dreamplay.agents.policy import Policy
from dreamplay.agents.senses import Senses
from dreamplay.errors import UserError

if TYPE_CHECKING:
    import gymnasium as gym

    from dreamplay.agents.learning import Learner
    from dreamplay.simulator import Simulator, State


class PolicyAgent(FollowingAgent):
    """Acts as a policy does on what the simulator knows of an episode, from its first frame to the present one.

    Args:
        policy: learned in this very simulator.
        head: its distribution of actions.
        simulator: its hidden state follows reality; nothing is dreamed.
        likeliest: take the most likely action instead of a drawn one.
    """

    def __init__(self, policy: Policy, head: ActionHead, simulator: Simulator, likeliest: bool = False) -> None:
        super().__init__(simulator)
        self._policy, self._head, self._simulator = policy.to(simulator.device).eval(), head, simulator
        self._senses, self._likeliest = Senses(simulator), likeliest
        self._generators: list[torch.Generator] = []
        self.reset(0)

    def reset_rows(self, count: int, seed: int | None = None) -> None:
        """New episodes in rows 0 to count - 1; row i is seeded with `seed + i`."""
        super().reset_rows(count)
        for row in range(count):
            if row == len(self._generators):
                self._generators.append(torch.Generator(self._simulator.device).manual_seed(row))
            if seed is not None:
                self._generators[row].manual_seed(seed + row)

    @torch.no_grad()
    def act_rows(self, numbers: Sequence[int], observations: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        """Actions (B, *action_shape) of the rows with these numbers, after frames uint8 (B, H, W, C)."""
        self._following.see(numbers, observations)
        outputs, _ = self._policy(self._senses(self._following.state(numbers)))
        if self._likeliest:
            return self._head.to_actions(self._head.likeliest(outputs))
        rows = zip(outputs.split(1), (self._generators[number] for number in numbers), strict=True)
        return self._head.to_actions(torch.cat([self._head.sample(row, generator) for row, generator in rows]))


class Critic:
    """What a policy expects of the states of its simulator: to stand where a plan ends, see `DreamScorer`.

    Args:
        policy: learned in this very simulator.
        simulator: whose states are judged.
    """

    def __init__(self, policy: Policy, simulator: Simulator) -> None:
        self._policy, self._senses = policy.to(simulator.device).eval(), Senses(simulator)

    @torch.no_grad()
    def __call__(self, state: State) -> np.ndarray:
        """Expected discounted rewards from the state on, in units of reward: float64 (B,)."""
        _, values = self._policy(self._senses(state))
        return self._policy.in_rewards(values).double().cpu().numpy()


def load_agent(
    path: Path,
    simulator: Simulator | None = None,
    *,
    action_space: gym.Space[Any] | None = None,
    likeliest: bool = False,
) -> PolicyAgent:
    """The agent of a policy file.

    Args:
        path: see `dreamplay.agents.policy_file`.
        simulator: in which it learned; by default that of the run which the file names.
        action_space: what it will act in must have; by default the simulator's.
        likeliest: take the most likely action instead of a drawn one.

    Raises:
        UserError: there is no such policy, or it learned in another simulator or in this one before it was trained on,
            or it is of another environment.
    """
    learner, simulator = learned_in(path, simulator, action_space)
    return PolicyAgent(learner.policy, learner.head, simulator, likeliest)


def load_critic(path: Path, simulator: Simulator) -> Critic:
    """The critic of a policy file.

    Args:
        path: see `dreamplay.agents.policy_file`.
        simulator: in which it learned.

    Raises:
        UserError: as `load_agent`.
    """
    learner, simulator = learned_in(path, simulator)
    return Critic(learner.policy, simulator)


def learned_in(
    path: Path, simulator: Simulator | None = None, action_space: gym.Space[Any] | None = None
) -> tuple[Learner, Simulator]:
    """The learner of a policy file and the simulator in which it learned; see `load_agent`."""
    from dreamplay.agents.policy_file import read_policy, weights_of
    from dreamplay.envs.dream_loading import load_simulator

    learner, said = read_policy(path)
    if simulator is None:
        simulator = load_simulator(str(said["run"]))
    space = simulator.card.action_space
    if said["action_space"] != space or action_space not in (None, space):
        raise UserError(f"{path} takes {said['action_space']}, here it is {action_space or space}; learn another one")
    if weights_of(simulator) != said["simulator"]:
        raise UserError(
            f"{path} learned in {said['run']}, as its weights were then; in the ones of now it is lost: "
            f"let it learn on, dreamplay learn RUN --out {path} --resume"
        )
    return learner, simulator
