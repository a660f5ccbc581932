"""What is worked out beside the event loop: the agent's next action with its plan, and the fan of futures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dreamplay.envs.dream import DreamEnv
from dreamplay.play.background import Background
from dreamplay.play.fan import FUTURES, STEPS, Fan, spread
from dreamplay.play.moment import Moment
from dreamplay.play.pilot import Pilot
from dreamplay.simulator import Simulator


class Decision(NamedTuple):
    """What an agent wants to do, and what it believes will come of it."""

    action: Any
    plan: np.ndarray | None  # the actions after this one, (T-1, *action_shape)
    frames: np.ndarray | None  # uint8 (T-1, H, W, C), dreamed from the moment after the action on


def decide(pilot: Pilot, recent: Sequence[Moment], simulator: Simulator | None) -> Decision:
    """Ask a pilot at the last of these moments, and dream what it means to do after that."""
    action, plan = pilot.decide(recent)
    dream = recent[-1].dream
    if plan is None or len(plan) < 2 or dream is None or simulator is None:
        return Decision(action, None, None)
    scout = DreamEnv(simulator)  # of its own: the dream that is played stays where it is
    scout.restore(dream.snapshot)
    return Decision(action, plan[1:], scout.imagine(plan[None], temperature=0.0).observations[0, 1:])


class Decisions:
    """Lets a pilot think without holding up the window.

    Args:
        pilot: Who decides.
        simulator: Dreams its plans; None shows none.
        background: The worker.
    """

    def __init__(self, pilot: Pilot, simulator: Simulator | None, background: Background) -> None:
        self._pilot, self._simulator, self._background = pilot, simulator, background

    @property
    def pending(self) -> bool:
        """Whether the pilot is thinking."""
        return self._background.busy

    def ask(self, recent: Sequence[Moment], patience: float = 0.0) -> Decision | None:
        """The decision at the last of these moments, or None as long as the pilot thinks.

        Args:
            recent: Oldest first.
            patience: Seconds to wait for it: whoever decides at once should not cost a frame.
        """
        self._background.offer(recent[-1], partial(decide, self._pilot, recent, self._simulator))
        done = self._background.take(patience)
        # What was decided for a moment that the player has left since is of no use.
        return done[1] if done is not None and done[0] is recent[-1] else None

    def close(self) -> None:
        """Forget what is under way."""
        self._background.close()


class FanKeeper:
    """Keeps a fan up to date with a game that goes on, as fast as its worker can.

    Args:
        simulator: Dreams the futures.
        background: The worker.
    """

    def __init__(self, simulator: Simulator, background: Background) -> None:
        self._simulator, self._background = simulator, background
        self._made_for: tuple[Moment, bytes] | None = None
        self.fan: Fan | None = None

    def update(self, moment: Moment, held: Any, plan: np.ndarray | None, temperature: float) -> None:
        """Take a fan that is done, and begin the next one unless it would be the same.

        Args:
            moment: Where it is to begin.
            held: The action of every step, unless there is a plan.
            plan: (T, *action_shape) or None.
            temperature: Of the dream; at 0, where all futures are alike, they are drawn as learned, at 1.
        """
        done = self._background.take()
        if done is not None:
            self._made_for, self.fan = done
        actions = np.stack([np.asarray(held)] * STEPS) if plan is None else plan
        wanted = (moment, actions.tobytes())
        if moment.dream is None or moment.dream.over or self._is_made_for(*wanted):
            return
        job: Callable[[], Fan] = partial(
            spread,
            self._simulator,
            moment,
            actions,
            futures=FUTURES,
            temperature=temperature or 1.0,
            cause="held action" if plan is None else "plan",
        )
        self._background.offer(wanted, job)

    def forget(self) -> None:
        """Drop the fan, which belongs to another game."""
        self._made_for = self.fan = None

    def close(self) -> None:
        """Forget what is under way."""
        self._background.close()

    def _is_made_for(self, moment: Moment, actions: bytes) -> bool:
        return self._made_for is not None and self._made_for[0] is moment and self._made_for[1] == actions
