"""Episodes dreamed from their very start: is their return right, and their end?

The context is the first two frames, the fewest that show a motion; the rest of the episode, up to the horizon, is
dreamed on the real actions. So nothing that only the beginning shows is ever seen again, and what it decides can only
come right if the dream remembers it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dreamplay.confidence import Interval, rate_ci95
from dreamplay.dreamer import Dreamer, dream
from dreamplay.episodes import Episode
from dreamplay.events import reward_events
from dreamplay.horizon_windows import Window, batches

CONTEXT = 2
EPISODES = 200


@dataclass(frozen=True)
class StartScores:
    """Episodes dreamed from their start; rates in [0, 1], None without episodes.

    Args:
        episodes: how many.
        steps: mean number of dreamed steps.
        return_right: share whose dreamed return is less than half of the smallest reward off the true one.
        final_reward_right: share whose last step has the right reward, see `events.reward_events`, or rightly none.
        end_right: share that the dream ends on exactly the right step; not at all if they go on past the horizon, or
            are cut off.
    """

    episodes: int
    steps: float | None
    return_right: float | None
    return_right_ci95: Interval
    final_reward_right: float | None
    final_reward_right_ci95: Interval
    end_right: float | None
    end_right_ci95: Interval


@dataclass(frozen=True)
class FromStart:
    """Scores of episodes without chance after the context, and of the others."""

    decided: StartScores
    undecided: StartScores

    def to_json(self) -> dict[str, Any]:
        """The decided scores, beside them the number of undecided episodes and their scores."""
        undecided = asdict(self.undecided) if self.undecided.episodes else None
        return asdict(self.decided) | {
            "context": CONTEXT,
            "undecided": self.undecided.episodes,
            "on_undecided": undecided,
        }


def start_windows(held_out: Sequence[Episode], horizon: int, seed: int) -> list[Window]:
    """At most 200 episodes, drawn evenly, of those long enough to have a step after the context."""
    lasting = [episode for episode in held_out if len(episode) >= CONTEXT]
    drawn = np.random.default_rng(seed).choice(len(lasting), min(EPISODES, len(lasting)), replace=False)
    chosen = (lasting[i] for i in sorted(drawn))
    return [Window(episode, 0, CONTEXT, min(horizon, len(episode) - CONTEXT + 1)) for episode in chosen]


def from_start(
    dreamer: Dreamer, windows: Sequence[Window], floor: float, on_window: Callable[[int], None] = lambda count: None
) -> FromStart:
    """Dreams what is most likely and compares it with what was.

    Args:
        dreamer: whose dreams.
        windows: from `start_windows`.
        floor: half the smallest reward, see `events.reward_floor`.
        on_window: told how many windows were just dreamed.
    """
    right = np.zeros((len(windows), 3), bool)  # return, final reward, end
    for indices in batches(windows):
        together = [windows[i] for i in indices]
        for i, window, dreamed in zip(indices, together, dream(dreamer, together), strict=True):
            rewards = window.future(window.episode.rewards)
            events = reward_events(rewards, dreamed.rewards, floor)
            ends = dreamed.termination_probability > 0.5
            right[i] = (
                abs(float(dreamed.rewards.sum(dtype=float) - rewards.sum(dtype=float))) < floor,
                events.hit[-1] if events.true[-1] else not events.dreamed[-1],
                not ends[:-1].any() and ends[-1] == window.ends,
            )
        on_window(len(indices))
    decided = np.array([window.decided[-1] for window in windows], bool)
    steps = np.array([window.steps for window in windows])
    return FromStart(_scores(right[decided], steps[decided]), _scores(right[~decided], steps[~decided]))


def _scores(right: np.ndarray, steps: np.ndarray) -> StartScores:
    n = len(right)
    rates: list[Any] = []
    for hits in right.sum(0).tolist():
        rates += [hits / n if n else None, rate_ci95(hits, n)]
    return StartScores(n, float(steps.mean()) if n else None, *rates)
