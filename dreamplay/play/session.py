"""A game being played: the dream, the real game beside it, who plays, and the way back. It draws nothing."""

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dreamplay.agents.agent import Agent
from dreamplay.envs.dream import DreamEnv
from dreamplay.play.reality import Reality

HISTORY = 1_000  # moments that can be rewound: a minute at 15 frames per second; each holds the dream's whole state
LEFT_BEHIND = "real game left behind: X takes the dream back to it"


@dataclass(frozen=True)
class Moment:
    """One point of a game, with all it takes to return to it. Dream and real game each have their own rewards.

    Attributes:
        step: Steps since the start.
        horizon: Steps since the dream's context ended.
        action: The action that led here, None where a dream begins.
        dream, real: uint8 (H, W, C) frames; real is None without a real game or where it was left behind.
        termination_probability: As the dream predicts it.
        snapshot: The dream's whole state.
        real_steps: Actions the real game has taken.
    """

    step: int
    horizon: int
    action: Any
    dream: np.ndarray
    dream_over: bool
    snapshot: Any
    real: np.ndarray | None = None
    real_over: bool = False
    real_steps: int = 0
    reward: float = 0.0
    real_reward: float = 0.0
    total: float = 0.0
    real_total: float = 0.0
    termination_probability: float = 0.0

    @property
    def over(self) -> bool:
        """Whether the dream or the real game has ended."""
        return self.dream_over or self.real_over


class Session:
    """The state of a game being played.

    Args:
        dream: The dream; its own horizon should be out of reach.
        reality: The real game on the same actions, or None to dream alone.
        agent: Who plays while `agent_plays`; it sees the dream's frames.
        seed: Start i uses seed + i, for the dream, the real game and the agent.
        agent_plays: Whether the agent has the controls at the start.
    """

    def __init__(
        self, dream: DreamEnv, reality: Reality | None, agent: Agent, *, seed: int = 0, agent_plays: bool = False
    ) -> None:
        self.dream = dream
        self.reality = reality
        self.agent = agent
        self.agent_plays = agent_plays
        self.paused = False
        self.notice = ""
        self._next_seed = seed
        self._moments: deque[Moment] = deque(maxlen=HISTORY)
        self._at = 0
        self.start()

    @property
    def moment(self) -> Moment:
        """Where the game stands: the newest moment, or an earlier one after `back`."""
        return self._moments[self._at]

    def start(self) -> None:
        """Begin a new game: the dream starts where the real game's first frames end, or from a stored context."""
        seed = self._next_seed
        self._next_seed += 1
        self.agent.reset(seed)
        if self.reality is not None:
            self.reality.begin(seed)
        self._moments.clear()
        self._moments.append(self._dream_from_reality(seed))
        self._at = 0
        self.notice = ""

    def step(self, action: Any) -> None:
        """Play one action (that of the player; the agent's replaces it while `agent_plays`) in both games.

        After `back`, what came later is forgotten and the game continues from there. A game that is over stays as
        it is.
        """
        now = self._resume()
        real_lives = now.real is not None and not now.real_over
        if now.dream_over and not real_lives:
            return
        if self.agent_plays:
            action = self.agent.act(now.dream)
        after = replace(now, step=now.step + 1, action=action)
        if not now.dream_over:
            frame, reward, terminated, truncated, info = self.dream.step(action)
            after = replace(
                after,
                horizon=int(info["horizon"]),
                dream=frame,
                dream_over=bool(terminated or truncated),
                snapshot=self.dream.snapshot(),
                reward=float(reward),
                total=now.total + float(reward),
                termination_probability=float(info["termination_probability"]),
            )
        if real_lives and self.reality is not None:
            real = self.reality.step(action)
            after = replace(
                after,
                real=real.frame,
                real_over=real.over,
                real_steps=self.reality.steps,
                real_reward=real.reward,
                real_total=now.real_total + real.reward,
            )
        self._append(after)

    def back(self) -> bool:
        """Go back one moment; False at the oldest one. Nothing is recomputed: the frames are those that were seen."""
        if self._at == 0:
            return False
        self._at -= 1
        return True

    def anchor(self) -> None:
        """Take the dream back to reality: it starts again where the real game's last frames end."""
        now = self._resume()
        if self.reality is None:
            self.notice = "no real game to take the dream back to"
        elif self.reality.over:
            self.notice = "the real game is over: R starts a new one"
        else:
            fresh = self._dream_from_reality(None)
            self._append(replace(fresh, step=now.step, total=now.total, real_total=now.real_total))
            self.notice = "the dream starts again from the real game's last frames"

    def hand_over(self) -> None:
        """Give the controls to the agent, or take them back."""
        self.agent_plays = not self.agent_plays

    def _dream_from_reality(self, seed: int | None) -> Moment:
        options = None if self.reality is None else {"context": self.reality.context()}
        frame, info = self.dream.reset(seed=seed, options=options)
        moment = Moment(0, int(info["horizon"]), None, frame, False, self.dream.snapshot())
        if self.reality is None:
            return moment
        return replace(moment, real=self.reality.frame, real_over=self.reality.over, real_steps=self.reality.steps)

    def _append(self, moment: Moment) -> None:
        self._moments.append(moment)
        self._at = len(self._moments) - 1

    def _resume(self) -> Moment:
        """Put both games where `moment` is, if it was rewound to, and forget what came after it."""
        if self._at == len(self._moments) - 1:
            return self.moment
        while len(self._moments) > self._at + 1:
            self._moments.pop()
        self.dream.restore(self.moment.snapshot)
        if self.reality is not None and self.moment.real is not None:
            frames = {moment.real_steps: moment.real for moment in self._moments if moment.real is not None}
            if not self.reality.return_to(self.moment.real_steps, frames):
                self._moments[-1] = replace(self.moment, real=None, real_over=False)
                self.notice = LEFT_BEHIND
        return self.moment
