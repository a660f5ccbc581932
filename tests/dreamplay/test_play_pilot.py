"""An agent at the controls of a course that may jump."""

import numpy as np
from play_toys import ScriptedAgent, StubGame, stub_session

from dreamplay.agents.planning_agent import PlanningAgent
from dreamplay.play.pilot import Pilot, pilot_for
from dreamplay.play.reality import CONTEXT


def values(session, count: int = CONTEXT) -> list[int]:
    return [int(moment.seen[0, 0, 0]) for moment in session.line.recent(count)]


def test_the_agent_sees_the_dream_and_is_told_what_came_of_every_action():
    session, agent = stub_session(StubGame()), ScriptedAgent(action=1)
    pilot = Pilot(agent, "scripted")
    pilot.reset(7)
    start = values(session)[-1]
    assert pilot.decide(session.line.recent(CONTEXT)) == (1, None)
    assert agent.log == [("reset", 7), ("reset", None), ("observe", start, None), ("act", start)]
    agent.log.clear()
    session.step(2)  # not what the agent wanted
    after = values(session)[-1]
    pilot.decide(session.line.recent(CONTEXT))
    assert agent.log == [("observe", after, 2), ("act", after)]


def test_after_a_jump_the_agent_starts_anew_from_the_last_frames():
    session, agent = stub_session(), ScriptedAgent()
    pilot = Pilot(agent, "scripted")
    for action in [1, 0, 2, 1]:
        pilot.decide(session.line.recent(CONTEXT))
        session.step(action)
    session.seek(-2)
    agent.log.clear()
    pilot.decide(session.line.recent(CONTEXT))
    seen = values(session)
    observed = [("observe", value, action) for value, action in zip(seen, [None, 1, 0], strict=True)]
    assert agent.log == [("reset", None), *observed, ("act", seen[-1])]


def test_asked_twice_at_one_moment_it_is_told_nothing_new():
    session, agent = stub_session(), ScriptedAgent()
    pilot = Pilot(agent, "scripted")
    pilot.decide(session.line.recent(CONTEXT))
    agent.log.clear()
    pilot.decide(session.line.recent(CONTEXT))
    assert agent.log == [("act", values(session)[-1])]


def test_agents_without_ears_will_do():
    session = stub_session()
    pilot = pilot_for("random", session.dream.action_space, None)
    pilot.reset(0)
    action, plan = pilot.decide(session.line.recent(CONTEXT))
    assert session.dream.action_space.contains(action) and plan is None


def test_a_planner_brings_its_plan_made_from_the_frames_of_the_course():
    session = stub_session()
    for action in [1, 0, 2]:
        session.step(action)
    pilot = pilot_for("cem", session.dream.action_space, session.dream.simulator)
    pilot.reset(0)
    action, plan = pilot.decide(session.line.recent(CONTEXT))
    assert plan is not None and plan[0] == action
    assert isinstance(pilot._agent, PlanningAgent)
    state = pilot._agent._following.state([0])
    assert np.array_equal(state["frame"][0], session.line.moments[-1].seen)
    assert int(state["total"][0]) == 1 + 0 + 2  # the stub's memory of all actions
