"""An agent at the controls of a game that a person may rewind, branch and take over at any time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym
import numpy as np

from dreamplay.agents.agent import Agent
from dreamplay.play.moment import Moment

if TYPE_CHECKING:
    from dreamplay.simulator import Simulator

PilotName = Literal["random", "shooting", "cem", "icem", "mppi", "beam", "policy"]


def pilot_for(
    name: PilotName, action_space: gym.Space[Any], simulator: Simulator | None, policy: Path | None = None
) -> Pilot:
    """An agent by the name the command line knows it by; all but random ones need a simulator, a policy its file."""
    if name == "random":
        from dreamplay.agents.random_agent import RandomAgent

        return Pilot(RandomAgent(action_space), name)
    from dreamplay.agents.planners import make_planner
    from dreamplay.agents.planning_agent import PlanningAgent
    from dreamplay.agents.scoring import DreamScorer

    if simulator is None:
        raise ValueError(f"{name} needs a dream, and there is none")
    if name == "policy":
        from dreamplay.agents.policy_agent import load_agent

        assert policy is not None
        return Pilot(load_agent(policy, simulator), name)
    quick = make_planner(name, action_space, horizon=12, candidates=16, iterations=1)  # someone is watching
    return Pilot(PlanningAgent(quick, DreamScorer(simulator)), name)


class Pilot:
    """Keeps an agent informed of a course that may jump.

    An agent with a method `observe` (planners) is told what came of each action, its own or the player's. Where the
    course does not follow from what it saw last, it starts anew from the last few frames.

    Args:
        agent: Who decides; it sees what whoever plays sees, the dream's frames if there is a dream.
        name: What the player knows it by.
    """

    def __init__(self, agent: Agent, name: str) -> None:
        self.name = name
        self._agent = agent
        self._observe = getattr(agent, "observe", None)
        self._last: Moment | None = None

    def reset(self, seed: int) -> None:
        """A new game."""
        self._agent.reset(seed)
        self._last = None

    def decide(self, recent: Sequence[Moment]) -> tuple[Any, np.ndarray | None]:
        """The agent's action at the last of these moments, and its plan (T, *action_shape), which begins with it."""
        now = recent[-1]
        if now is not self._last:
            follows = len(recent) > 1 and recent[-2] is self._last
            if not follows:
                self._agent.reset()
            if self._observe is not None:
                for moment in recent[-1:] if follows else recent:
                    self._observe(moment.seen, moment.action, moment.reward, False, False)
        self._last = now
        action = self._agent.act(now.seen)
        return action, getattr(self._agent, "plan", None)
