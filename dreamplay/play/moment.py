"""One point of a game, with all it takes to return to it."""

from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import Any

import numpy as np

from dreamplay.metrics import wrong_pixels


@dataclass(frozen=True)
class Dreamed:
    """The dream's side of a moment.

    Attributes:
        frame: uint8 (H, W, C).
        horizon: Steps since the dream's context ended.
        snapshot: The dream's whole state.
        reward: Of the step that led here.
        total: Rewards since the game began.
        over: Whether the dream has ended.
        termination_probability: As predicted for the step that led here.
        uncertainty: How unsure the dream was of this frame, in nats per pixel; NaN where it cannot say.
    """

    frame: np.ndarray
    horizon: int
    snapshot: Any
    reward: float = 0.0
    total: float = 0.0
    over: bool = False
    termination_probability: float = 0.0
    uncertainty: float = nan


@dataclass(frozen=True, eq=False)
class Past:
    """How a real game came to a point: all it takes to play it again.

    Attributes:
        seed: Of its reset.
        course: Actions since the reset; shared with later points of the same course, so it may go on beyond this one.
        steps: How many of them led here.
        total: Rewards since the player took over; what idling earned before is not his.
    """

    seed: int
    course: list[Any]
    steps: int
    total: float

    @property
    def actions(self) -> list[Any]:
        """The actions that led here."""
        return self.course[: self.steps]


@dataclass(frozen=True)
class Lived:
    """The real game's side of a moment.

    Attributes:
        frame: uint8 (H, W, C).
        past: How the game came here.
        reward: Of the step that led here.
        over: Whether the real game has ended.
    """

    frame: np.ndarray
    past: Past
    reward: float = 0.0
    over: bool = False

    @property
    def total(self) -> float:
        """Rewards since the player took over."""
        return self.past.total


@dataclass(frozen=True)
class Moment:
    """One point of a game.

    Attributes:
        step: Steps since the start.
        action: The action that led here; None where a game or a dream begins.
        dream: None when the real game is played alone.
        real: None without a real game, or where it was left behind.
    """

    step: int
    action: Any
    dream: Dreamed | None
    real: Lived | None

    @property
    def over(self) -> bool:
        """Whether the dream or the real game has ended."""
        return any(side is not None and side.over for side in (self.dream, self.real))

    @cached_property
    def wrong(self) -> int | None:
        """Pixels in which dream and real game differ; None unless there are both."""
        if self.dream is None or self.real is None:
            return None
        return int(wrong_pixels(self.real.frame, self.dream.frame))

    @property
    def seen(self) -> np.ndarray:
        """The frame that whoever plays acts on: the dream's if there is one, else the real one."""
        side = self.dream or self.real
        assert side is not None
        return side.frame

    @property
    def reward(self) -> float:
        """Reward of the side that is acted on."""
        side = self.dream or self.real
        assert side is not None
        return side.reward
