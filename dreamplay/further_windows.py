"""Further windows for horizons that few windows reach before chance has a hand in them.

Windows are drawn from all there are, so where chance strikes every few steps hardly any is decided far ahead, though
the data hold some. A further window is drawn from those that are decided up to a horizon. It counts from that horizon
on, in what is decided only, and not for the events: there it is a fair draw, elsewhere it would not be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from dreamplay.episodes import Episode
from dreamplay.horizon_windows import CONTEXT, LONG_STEPS, Window

LEAST_DECIDED = 50


def further_windows(
    episodes: Sequence[Episode], chosen: Sequence[Window], horizons: np.ndarray, count: int, rng: np.random.Generator
) -> list[Window]:
    """Fills up to 50 decided windows, or `count` if that is less, at each horizon up to 100 steps.

    Args:
        episodes: held-out ones.
        chosen: the windows drawn from all; none of them is drawn again.
        horizons: int (J,), ascending, in steps.
        count: how many windows were asked for.
        rng: draws the starts.
    """
    known = [int(np.argmin(np.append(window.decided, False))) for window in chosen]  # steps before chance
    taken = {(id(window.episode), window.start) for window in chosen}
    further: list[Window] = []
    for horizon in horizons[horizons <= LONG_STEPS].tolist():
        missing = min(LEAST_DECIDED, count) - sum(steps >= horizon for steps in known)
        if missing <= 0:
            continue
        free = [place for place in _decided(episodes, horizon) if (id(place[0]), place[1]) not in taken]
        for i in sorted(rng.choice(len(free), min(missing, len(free)), replace=False)):
            episode, start, steps = free[i]
            further.append(Window(episode, start, CONTEXT, steps, counts_from=horizon))
            taken.add((id(episode), start))
            known.append(steps)
    return further


def _decided(episodes: Sequence[Episode], horizon: int) -> Iterator[tuple[Episode, int, int]]:
    """(episode, start, steps before chance, at most 100) of every window that is decided up to the horizon."""
    for episode in episodes:
        strikes = np.append(np.flatnonzero(episode.chance), len(episode))
        now = np.arange(CONTEXT - 1, len(episode))  # last context frames
        steps = strikes[np.searchsorted(strikes, now)] - now
        for place in np.flatnonzero(steps >= horizon):
            yield episode, int(now[place]) - CONTEXT + 1, min(int(steps[place]), LONG_STEPS)
