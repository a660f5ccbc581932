"""Where dreams start: the real contexts a simulator stores, and those a user passes to `reset`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.error import InvalidAction

from dreamplay.envs.dream_actions import ActionChecker
from dreamplay.errors import UserError

if TYPE_CHECKING:
    from dreamplay.simulator import Simulator, State


class StoredContexts:
    """The contexts of a simulator, and the states that they lead to.

    Each state is computed once, by itself, when it is first needed: a reset is then a copy, and the start of a dream
    does not depend on which other dreams start at the same moment.

    Args:
        simulator: a loaded simulator.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._states: dict[int, State] = {}

    def draw(self, rng: np.random.Generator) -> int:
        """Choose a context: its index.

        Raises:
            UserError: if the simulator stores none.
        """
        if not self._simulator.contexts:
            raise UserError('the checkpoint stores no contexts; pass reset(options={"context": {...}})')
        return int(rng.integers(len(self._simulator.contexts)))

    def frame(self, index: int) -> np.ndarray:
        """The last frame of a context, uint8 (H, W, C)."""
        return self._simulator.contexts[index].observations[-1]

    def state(self, index: int) -> State:
        """The simulator's state, of one row, at the end of a context."""
        if index not in self._states:
            context = self._simulator.contexts[index]
            self._states[index] = self._simulator.start(context.observations[None], context.actions[None])
        return self._states[index]


def check_context(simulator: Simulator, context: Any, rows: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Check what a user passed as `options["context"]`.

    Args:
        simulator: gives the spaces that it must fit.
        context: {"observations": uint8 (rows, n, H, W, C), "actions": (rows, n-1, *action_shape)} with n >= 1.
        rows: how many contexts there must be; None for one context without the axis of the rows.

    Returns:
        Fresh arrays (observations, actions), always with the axis of the rows.

    Raises:
        UserError: if anything does not fit.
    """
    if not isinstance(context, Mapping) or not {"observations", "actions"} <= context.keys():
        raise UserError('options["context"] must be {"observations": uint8 (n, H, W, C), "actions": (n-1, ...)}')
    observations, actions = np.array(context["observations"]), np.array(context["actions"])
    frame = simulator.card.observation_space.shape
    lead = () if rows is None else (rows,)
    if observations.dtype != np.uint8:
        raise UserError(f"the context's observations are of type {observations.dtype}; pass uint8 frames")
    if (
        observations.ndim != len(lead) + 4
        or observations.shape[: len(lead)] != lead
        or observations.shape[-3:] != frame
    ):
        wanted = ", ".join(map(str, (*lead, "n", *frame)))
        raise UserError(f"the context's observations have shape {observations.shape}; pass ({wanted})")
    n = observations.shape[len(lead)]
    if n < 1:
        raise UserError("the context holds no frame; pass at least one")
    shape = (*lead, n - 1, *(simulator.card.action_space.shape or ()))
    if actions.shape != shape:
        raise UserError(f"the context's actions have shape {actions.shape}; pass {shape}: one between two frames")
    count = (rows or 1) * (n - 1)
    try:
        checked = ActionChecker(simulator.card.action_space).check(
            actions.reshape(count, *shape[len(lead) + 1 :]), count
        )
    except InvalidAction as error:
        raise UserError(f"the context's actions do not fit: {error}") from error
    return observations.reshape(rows or 1, n, *frame), checked.reshape(rows or 1, *shape[len(lead) :])
