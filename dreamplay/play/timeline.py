"""One course that a game took: its moments in order, and where among them the player stands."""

from __future__ import annotations

from bisect import bisect_right

from dreamplay.play.moment import Moment

HISTORY = 1_000  # moments that can be rewound: a minute at 15 frames per second; each holds the dream's whole state


class Timeline:
    """A course of a game. Moments never change, so courses that have some in common share them.

    Args:
        moments: The course so far, oldest first, at least one; the player stands at the last.

    Attributes:
        moments: Oldest first.
        at: Index of the present moment.
        origin: Step at which it left another course, if it did.
    """

    def __init__(self, moments: list[Moment], origin: int | None = None) -> None:
        self.moments = moments
        self.at = len(moments) - 1
        self.origin = origin

    @property
    def moment(self) -> Moment:
        """Where the player stands."""
        return self.moments[self.at]

    @property
    def newest(self) -> bool:
        """Whether nothing comes after the present moment."""
        return self.at == len(self.moments) - 1

    def append(self, moment: Moment) -> None:
        """Go on from the present moment; what came after it is forgotten, and so is the oldest beyond the limit."""
        del self.moments[self.at + 1 :]
        self.moments.append(moment)
        del self.moments[: max(0, len(self.moments) - HISTORY)]
        self.at = len(self.moments) - 1

    def seek(self, index: int) -> None:
        """Stand at a moment by its index, at the nearest one if there is none. Nothing is computed anew."""
        self.at = min(max(index, 0), len(self.moments) - 1)

    def branch(self) -> Timeline:
        """A course of its own that has everything up to the present moment in common with this one."""
        return Timeline(self.moments[: self.at + 1], self.moment.step)

    def at_step(self, step: int) -> Moment:
        """The last moment of a step, or the nearest one that there is."""
        after = bisect_right(self.moments, step, key=lambda moment: moment.step)
        return self.moments[max(0, after - 1)]

    def recent(self, count: int) -> list[Moment]:
        """At most `count` moments up to the present one, oldest first."""
        return self.moments[max(0, self.at + 1 - count) : self.at + 1]
