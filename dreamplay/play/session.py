"""A game being played: the dream, the real game beside it, the courses it took, and the way back. It draws nothing."""

from dataclasses import replace
from typing import Any

import numpy as np

from dreamplay.envs.dream import DreamEnv
from dreamplay.play.moment import Dreamed, Lived, Moment
from dreamplay.play.reality import Reality
from dreamplay.play.timeline import Timeline

LEFT_BEHIND = "real game left behind: X takes the dream back to it"
MOST_BRANCHES = 9  # as many as there are keys to choose one


class Session:
    """The state of a game being played: one or more courses of it, of which one is chosen.

    Args:
        dream: The dream, its own horizon out of reach; None plays the real game alone.
        reality: The real game on the same actions; None dreams alone.
        seed: Start i uses seed + i, for the dream and the real game.

    Attributes:
        branches: The courses, in the order in which they were begun.
        chosen: Index of the one that is played.
        compared: Index of the one beside it in a comparison, if there is one.
        notice: What the player should know of the last thing that was done.
        starts: How many games were begun.
    """

    def __init__(self, dream: DreamEnv | None, reality: Reality | None, *, seed: int = 0) -> None:
        if dream is None and reality is None:
            raise ValueError("there is nothing to play: pass a dream, a real game or both")
        self.dream = dream
        self.reality = reality
        self.seed = seed
        self.starts = 0
        self.notice = ""
        self.branches: list[Timeline] = []
        self.chosen = 0
        self.compared: int | None = None
        self._stands: Moment | None = None  # where dream and real game are, unless the player looks elsewhere
        self._context = -1
        self.start()

    @property
    def line(self) -> Timeline:
        """The course that is played."""
        return self.branches[self.chosen]

    @property
    def moment(self) -> Moment:
        """Where the player stands in it."""
        return self.line.moment

    @property
    def frame_size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        height, width, _ = self.moment.seen.shape
        return height, width

    def start(self) -> None:
        """Begin a new game: the dream starts where the real game's first frames end, or from a stored context."""
        seed = self.seed + self.starts
        self.starts += 1
        if self.reality is not None:
            self.reality.begin(seed, idle_first=self.dream is not None)
        self.begin(Moment(0, None, self._dream_anew(seed), self._live()))
        self.notice = ""

    def begin(self, moment: Moment) -> None:
        """Forget every course; dream and real game stand at this moment."""
        self.branches = [Timeline([moment])]
        self.chosen, self.compared = 0, None
        self._stands = moment

    def unsettle(self) -> None:
        """Dream and real game are about to be moved from outside: the next step puts them back where the player is."""
        self._stands = None

    def step(self, action: Any) -> Moment:
        """Play one action in both games, from where the player stands; what came after that is forgotten.

        A game that is over stays as it is.
        """
        now = self._resume()
        dream, real = now.dream, now.real
        if dream is not None and not dream.over:
            dream = self._dream_on(dream, action)
        if self.reality is not None and real is not None and not real.over:
            real = self._live(self.reality.step(action))
        if dream is not now.dream or real is not now.real:
            self._append(Moment(now.step + 1, action, dream, real))
        return self.moment

    def seek(self, moments: int) -> bool:
        """Go back (negative) or forward by some moments; whether that led anywhere. Frames are those that were seen."""
        before = self.line.at
        self.line.seek(before + moments)
        return self.line.at != before

    def branch(self) -> None:
        """Begin a course of its own where the player stands, and play it; the one before stays as it is."""
        if len(self.branches) == MOST_BRANCHES:
            self.notice = f"there are {MOST_BRANCHES} branches already: 1 to {MOST_BRANCHES} choose one"
            return
        self.branches.append(self.line.branch())
        self.chosen, self.compared = len(self.branches) - 1, self.chosen
        self.notice = f"branch {self.chosen + 1} begins here; 1 to {len(self.branches)} choose one"

    def choose(self, index: int) -> None:
        """Play another course; the one before is what it is compared with."""
        if index >= len(self.branches):
            self.notice = f"there is no branch {index + 1}: B begins one"
        elif index != self.chosen:
            self.chosen, self.compared = index, self.chosen
            self.notice = f"branch {index + 1}"

    def anchor(self) -> None:
        """Take the dream back to reality: it starts again where the real game's last frames end."""
        now = self._resume()
        if self.dream is None or now.dream is None:
            self.notice = "there is no dream: this is the real game"
        elif self.reality is None:
            self.notice = "no real game to take the dream back to"
        elif self.reality.over:
            self.notice = "the real game is over: R starts a new one"
        else:
            dream = self._dream_anew(None)
            assert dream is not None
            self._append(Moment(now.step, None, replace(dream, total=now.dream.total), self._live()))
            self.notice = "the dream starts again from the real game's last frames"

    def next_context(self) -> None:
        """Dream on from the next stored context; the real game, which was never there, is left behind."""
        contexts = [] if self.dream is None else self.dream.simulator.contexts
        if self.dream is None or not contexts:
            self.notice = "no contexts are stored"
            return
        self._context = (self._context + 1) % len(contexts)
        context = contexts[self._context]
        options = {"context": {"observations": context.observations, "actions": context.actions}}
        frame, info = self.dream.reset(options=options)
        dream = Dreamed(frame, int(info["horizon"]), self.dream.snapshot())
        self._append(Moment(self.moment.step, None, dream, None))
        beside = "" if self.reality is None else "; X takes it back to the real game"
        self.notice = f"stored context {self._context + 1} of {len(contexts)}{beside}"

    def _dream_anew(self, seed: int | None) -> Dreamed | None:
        if self.dream is None:
            return None
        options = None if self.reality is None else {"context": self.reality.context()}
        frame, info = self.dream.reset(seed=seed, options=options)
        return Dreamed(frame, int(info["horizon"]), self.dream.snapshot())

    def _live(self, reward: float = 0.0) -> Lived | None:
        real = self.reality
        return None if real is None else Lived(real.frame, real.past, reward, real.over)

    def _dream_on(self, now: Dreamed, action: Any) -> Dreamed:
        assert self.dream is not None
        frame, reward, terminated, truncated, info = self.dream.step(action)
        return Dreamed(
            frame,
            int(info["horizon"]),
            self.dream.snapshot(),
            float(reward),
            now.total + float(reward),
            bool(terminated or truncated),
            float(info["termination_probability"]),
            self.dream.uncertainty(),
        )

    def _append(self, moment: Moment) -> None:
        self.line.append(moment)
        self._stands = moment

    def _resume(self) -> Moment:
        """Put both games where the player stands, if he has gone elsewhere since the last step."""
        now = self.moment
        if now is self._stands:
            return now
        if self.dream is not None and now.dream is not None:
            self.dream.restore(now.dream.snapshot)
        if self.reality is not None and now.real is not None:
            frames: dict[int, np.ndarray] = {
                m.real.past.steps: m.real.frame for m in self.line.recent(len(self.line.moments)) if m.real is not None
            }
            if not self.reality.return_to(now.real.past, frames):
                now = replace(now, real=None)
                self.line.moments[self.line.at] = now
                self.notice = LEFT_BEHIND
        self._stands = now
        return now
