"""A policy learned in a dream, at work in reality: the dream's hidden state follows the whole episode, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import torch

from dreamplay.agents.action_heads import ActionHead
from dreamplay.agents.following import follow
from dreamplay.agents.policy import Policy
from dreamplay.agents.senses import Senses
from dreamplay.errors import UserError

if TYPE_CHECKING:
    from dreamplay.simulator import Simulator, State


class PolicyAgent:
    """Acts as a policy does on what the simulator knows of an episode, from its first frame to the present one.

    Several episodes can be played at once, one per row: see `dreamplay.agents.acting.RowsAgent`. Rows do not influence
    one another. Without `observe` the present frame is all that is known.

    Args:
        policy: learned in this very simulator.
        head: its distribution of actions.
        simulator: its hidden state follows reality; nothing is dreamed.
        likeliest: take the most likely action instead of a drawn one.
    """

    def __init__(self, policy: Policy, head: ActionHead, simulator: Simulator, likeliest: bool = False) -> None:
        self._policy, self._head, self._simulator = policy.to(simulator.device).eval(), head, simulator
        self._senses, self._likeliest = Senses(simulator), likeliest
        self._states: dict[int, State] = {}  # by row, one row each; of a new episode none yet
        self._generators: dict[int, torch.Generator] = {}
        self.reset(0)

    def reset(self, seed: int | None = None) -> None:
        """A new episode: forgets the one before; a seed restarts the agent's own random numbers."""
        self.reset_rows(1, seed)

    def act(self, observation: np.ndarray) -> Any:
        """The action to take after this frame, uint8 (H, W, C)."""
        return self.act_rows([0], [observation])[0]

    def observe(self, observation: np.ndarray, action: Any, reward: float, terminated: bool, truncated: bool) -> None:
        """What reality answered to an action, the agent's own or another: the next frame, uint8 (H, W, C)."""
        self.observe_rows([0], [observation], [action], [reward], [terminated], [truncated])

    def reset_rows(self, count: int, seed: int | None = None) -> None:
        """New episodes in rows 0 to count - 1; row i is seeded with `seed + i`."""
        self._states = {}
        for row in range(count):
            if seed is not None or row not in self._generators:
                own = torch.Generator(self._simulator.device)
                self._generators[row] = own.manual_seed((0 if seed is None else seed) + row)

    @torch.no_grad()
    def act_rows(self, numbers: Sequence[int], observations: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        """Actions (B, *action_shape) of the rows with these numbers, after frames uint8 (B, H, W, C)."""
        for number, observation in zip(numbers, observations, strict=True):
            if number not in self._states:
                self._begin(number, observation)
        outputs, _ = self._policy(self._senses(self._gather(numbers)))
        if self._likeliest:
            return self._head.to_actions(self._head.likeliest(outputs))
        pairs = zip(numbers, outputs.split(1), strict=True)
        return self._head.to_actions(torch.cat([self._head.sample(row, self._generators[n]) for n, row in pairs]))

    def observe_rows(
        self,
        numbers: Sequence[int],
        observations: Sequence[np.ndarray] | np.ndarray,
        actions: Sequence[Any] | np.ndarray,
        rewards: Sequence[float] | np.ndarray,
        terminated: Sequence[bool] | np.ndarray,
        truncated: Sequence[bool] | np.ndarray,
    ) -> None:
        """What reality answered in the rows with these numbers. A row whose episode is over is ready for another."""
        going = []
        for i, number in enumerate(numbers):
            if terminated[i] or truncated[i]:
                self._states.pop(number, None)
            elif number not in self._states:  # an action before the first frame leads from nowhere
                self._begin(number, observations[i])
            else:
                going.append(i)
        if not going:
            return
        frames = np.stack([observations[i] for i in going])[:, None]  # (b, 1, H, W, C)
        done = np.stack([np.asarray(actions[i]) for i in going])[:, None]
        state = follow(self._simulator, self._gather([numbers[i] for i in going]), done, frames)
        for place, i in enumerate(going):
            self._states[numbers[i]] = {name: value[place : place + 1] for name, value in state.items()}

    def _begin(self, number: int, observation: np.ndarray) -> None:
        space = self._simulator.card.action_space
        nothing = np.zeros((1, 0, *(space.shape or ())), np.float32 if isinstance(space, gym.spaces.Box) else np.int64)
        self._states[number] = self._simulator.start(np.asarray(observation)[None, None], nothing)

    def _gather(self, numbers: Sequence[int]) -> State:
        states = [self._states[number] for number in numbers]
        return {name: torch.cat([state[name] for state in states]) for name in states[0]}


def load_agent(
    path: Path, simulator: Simulator | None = None, *, run: Path | None = None, likeliest: bool = False
) -> PolicyAgent:
    """The agent of a policy file.

    Args:
        path: see `dreamplay.agents.policy_file`.
        simulator: that of the policy's run, if it is loaded already.
        run: its folder; by default the one that the file names.
        likeliest: take the most likely action instead of a drawn one.

    Raises:
        UserError: there is no such policy, or it learned in another simulator, or in this one with other weights.
    """
    from dreamplay.agents.policy_file import read_policy, weights_of
    from dreamplay.envs.dream_loading import load_simulator

    learner, said = read_policy(path)
    folder = said["run"] if run is None else run
    if weights_of(folder) != said["run_weights"]:
        raise UserError(
            f"{path} learned in another simulator than {folder} is now, as {said['run']} was then; "
            f"let it learn on there: dreamplay learn {folder} --out {path} --resume"
        )
    return PolicyAgent(learner.policy, learner.head, simulator or load_simulator(str(folder)), likeliest)
