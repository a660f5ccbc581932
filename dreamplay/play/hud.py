"""The head-up display as plain values: readings, the divergence meter, and who is at the controls."""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

import numpy as np

from dreamplay.play.session import Session
from dreamplay.play.trust import Trust

SPARKLINE = 120  # moments that the divergence meter shows


class Reading(NamedTuple):
    """A name, a value and the width in pixels that keeps the numbers from dancing."""

    name: str
    value: str
    width: int
    warn: bool = False


def readings(session: Session, trust: Trust) -> list[Reading]:
    """The head-up display, the most important first."""
    moment = session.moment
    if moment.dream is None:
        assert moment.real is not None
        real = moment.real
        return [
            Reading("step", str(moment.step), 70),
            Reading("reward", f"{real.reward:+.2f}", 84),
            Reading("return", f"{real.total:+.2f}", 100),
        ]
    dream = moment.dream
    recent = session.line.recent(SPARKLINE)
    level = trust.level(recent)
    return [
        Reading("step", str(moment.step), 54),
        _horizon(dream.horizon, trust.horizon),
        Reading("reward", f"{dream.reward:+.2f}", 66),
        Reading("return", f"{dream.total:+.2f}", 76),
        Reading("chance of ending", f"{dream.termination_probability:.1%}", 124),
        Reading("uncertainty", "unknown" if isnan(level) else f"{level:.1f}x", 96, trust.unsure(recent)),
        Reading("wrong pixels", "-" if moment.wrong is None else str(moment.wrong), 100),
    ]


def _horizon(steps: int, measured: int | None) -> Reading:
    if measured is None:
        return Reading("horizon", str(steps), 70)
    return Reading("horizon", f"{steps} / {measured}", 92, steps > measured)


def divergence(session: Session) -> np.ndarray:
    """Wrong pixels of the last moments, oldest first, float (n,); NaN where there was no reality to compare with."""
    return np.array([np.nan if m.wrong is None else m.wrong for m in session.line.recent(SPARKLINE)], float)


def status(session: Session, *, paused: bool, turns: bool, speed: float, pilot: str | None, thinking: bool) -> str:
    """Who plays, how fast, and whether the game stands still."""
    line = session.line
    parts = []
    if paused:
        oldest, newest = line.moments[0].step, line.moments[-1].step
        parts.append("paused" if line.newest else f"paused at {line.moment.step} of {oldest} to {newest}")
    if turns:
        parts.append("turn-based")
    if speed != 1:
        parts.append(f"speed x{speed:g}")
    if session.dream is not None and session.dream.temperature > 0:
        parts.append(f"temperature {session.dream.temperature:.1f}")
    if len(session.branches) > 1:
        parts.append(f"branch {session.chosen + 1} of {len(session.branches)}")
    parts.append(f"{pilot} {'thinks' if thinking else 'plays'}" if pilot else "you play")
    return "  |  ".join(parts)
