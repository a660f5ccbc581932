"""What there is to see of a session, view by view, as labelled pictures; for the window and for recordings."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import numpy as np

from dreamplay.play.fan import PLAN, Fan, paths
from dreamplay.play.moment import Moment
from dreamplay.play.session import Session
from dreamplay.video import difference


class View(Enum):
    """What the window shows."""

    BESIDE = "dream beside reality"
    DREAM = "one game, large"
    BRANCHES = "two branches"


class Picture(NamedTuple):
    """One pane.

    Attributes:
        label: Its name.
        frame: uint8 (H, W, 3), or None where there is nothing to show.
        value: A number beside the name.
        banner: News across the frame.
        dream: Whether it is the dream itself: a warning frames it, and a plan is drawn on it.
    """

    label: str
    frame: np.ndarray | None
    value: str = ""
    banner: str = ""
    dream: bool = False


def next_view(session: Session, view: View) -> View:
    """The view after this one, of those that have something to show."""
    possible = [View.DREAM]
    if session.dream is not None and session.reality is not None:
        possible.insert(0, View.BESIDE)
    if session.compared is not None:
        possible.append(View.BRANCHES)
    place = possible.index(view) + 1 if view in possible else 0
    return possible[place % len(possible)]


def pictures(
    session: Session, view: View = View.BESIDE, fan: Fan | None = None, plan: np.ndarray | None = None
) -> list[Picture]:
    """The panes of a session where it stands.

    Args:
        session: The game.
        view: Which panes; one that has nothing to show becomes the one that has.
        fan: Futures to show instead of the view.
        plan: Frames, uint8 (T, H, W, C), of what the agent means to do, drawn over the dream.
    """
    moment = session.moment
    if fan is not None:
        return _fan(moment, fan)
    if view is View.BRANCHES and session.compared is not None:
        return _branches(session, session.compared)
    both = view is not View.DREAM and session.dream is not None and session.reality is not None
    return beside(moment, both, plan)


def beside(moment: Moment, both: bool, plan: np.ndarray | None = None) -> list[Picture]:
    """Truth, dream and difference, or the one game there is; see `pictures` for the plan."""
    if both:
        return [_truth(moment), _dream(moment, plan), _difference(moment)]
    return [_dream(moment, plan) if moment.dream is not None else _truth(moment)]


def _truth(moment: Moment) -> Picture:
    real = moment.real
    if real is None:
        return Picture("truth", None, "", "left behind\nX takes the dream back")
    ended = "the real game ended\nR starts anew" if real.over else ""
    return Picture("truth", _rgb(real.frame), f"return {real.total:.2f}", ended)


def _dream(moment: Moment, plan: np.ndarray | None = None) -> Picture:
    dream = moment.dream
    assert dream is not None
    ended = "the dream ended\nR starts anew" if dream.over else ""
    value = f"return {dream.total:.2f}"
    if plan is None:
        return Picture("dream", _rgb(dream.frame), value, ended, dream=True)
    return Picture("dream and plan", paths(dream.frame, plan[None], PLAN, light=1.0), value, ended, dream=True)


def _difference(moment: Moment) -> Picture:
    if moment.real is None or moment.dream is None or moment.wrong is None:
        return Picture("difference", None)
    picture = difference(moment.real.frame, moment.dream.frame)
    return Picture("difference", picture, f"{moment.wrong / picture[..., 0].size:.1%} wrong")


def _branches(session: Session, compared: int) -> list[Picture]:
    here = session.moment
    there = session.branches[compared].at_step(here.step)
    shown = []
    for number, moment in sorted([(session.chosen, here), (compared, there)], key=lambda branch: branch[0]):
        side = moment.dream or moment.real
        assert side is not None
        label = f"branch {number + 1}" + " (yours)" * (number == session.chosen)
        late = f"ends at step {moment.step}" if moment.step < here.step else ""
        shown.append(Picture(label, _rgb(side.frame), f"return {side.total:.2f}", late, dream=moment is here))
    changed = difference(here.seen, there.seen)
    wrong = (here.seen != there.seen).any(-1).mean()
    return [*shown, Picture("difference", changed, f"{wrong:.1%} differ")]


def _fan(moment: Moment, fan: Fan) -> list[Picture]:
    assert fan.origin.dream is not None
    all_paths = paths(fan.origin.dream.frame, fan.frames)
    shown = [_dream(moment), Picture(f"{fan.cause}, {fan.frames.shape[1]} steps", all_paths)]
    for number, (frames, earned, ending) in enumerate(zip(fan.frames, fan.returns, fan.ending, strict=True), 1):
        label, value = f"{number}", f"{earned:+.1f}, ends {ending:.0%}"
        shown.append(Picture(label, _rgb(frames[-1]), value))
    return shown


def _rgb(frame: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(frame, (*frame.shape[:2], 3)))
