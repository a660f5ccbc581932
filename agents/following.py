"""The dream's state kept beside reality, in several episodes at once, from their first frame on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from dreamplay.frames import PICTURE
from dreamplay.simulator import Simulator, State, rows


class Following:
    """Where the dream stands in each running episode, as reality showed it.

    Each real step moves the state on by the action and puts the real frame in the place of the dreamed one. This comes
    to the same as `Simulator.start` on all frames since the first, at the price of one step: a memory of how the
    episode began is not lost, however long it lasts.

    Args:
        simulator: whose states they are.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._states: dict[int, State] = {}  # by number of the row, one row each
        self._frames: dict[int, np.ndarray] = {}  # the real frame that each stands at

    def forget(self, numbers: Sequence[int] | None = None) -> None:
        """The episodes in these rows are over; by default all."""
        for number in list(self._states) if numbers is None else numbers:
            self._states.pop(number, None)
            self._frames.pop(number, None)

    def see(self, numbers: Sequence[int], observations: Sequence[np.ndarray] | np.ndarray) -> None:
        """These frames are the present ones, uint8 (B, H, W, C). One that no `advance` led to begins an episode."""
        new = [i for i, n in enumerate(numbers) if not np.array_equal(self._frames.get(n, ()), observations[i])]
        if new:
            seen = [observations[i] for i in new]
            self._keep([numbers[i] for i in new], self._start(seen), seen)

    def advance(
        self,
        numbers: Sequence[int],
        actions: Sequence[Any] | np.ndarray,
        observations: Sequence[np.ndarray] | np.ndarray,
    ) -> None:
        """These actions (B, *action_shape) led to these frames, uint8 (B, H, W, C).

        In a row without an episode the frame begins one: an action before the first frame leads from nowhere.
        """
        on = [i for i, number in enumerate(numbers) if number in self._states]
        if on:
            space = self._simulator.card.action_space
            dtype = np.float32 if isinstance(space, gym.spaces.Box) else np.int64
            taken = np.array([actions[i] for i in on], dtype).reshape(len(on), *(space.shape or ()))
            rows_on, seen = [numbers[i] for i in on], [observations[i] for i in on]
            after, _ = self._simulator.step(self.state(rows_on), taken, decode=False)
            real = {name: value for name, value in self._start(seen).items() if name in PICTURE}
            self._keep(rows_on, {**after, **real}, seen)
        self.see(numbers, observations)

    def state(self, numbers: Sequence[int]) -> State:
        """The states of these rows, in this order, as one of B rows."""
        states = [self._states[number] for number in numbers]
        return {name: torch.cat([state[name] for state in states]) for name in states[0]}

    def _start(self, observations: Sequence[np.ndarray]) -> State:
        shape = self._simulator.card.action_space.shape or ()
        return self._simulator.start(np.stack(observations)[:, None], np.zeros((len(observations), 0, *shape)))

    def _keep(self, numbers: Sequence[int], state: State, observations: Sequence[np.ndarray]) -> None:
        for row, (number, observation) in enumerate(zip(numbers, observations, strict=True)):
            self._states[number] = rows(state, slice(row, row + 1))
            self._frames[number] = np.array(observation)  # some environments draw every frame into one buffer
