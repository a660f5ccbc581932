"""One job at a time beside the loop, and what it is used for: an agent's decisions and fans."""

import threading

import numpy as np
import pytest
from play_toys import AtOnce, ScriptedAgent, WhenTold, stub_session

from dreamplay.play.background import Background
from dreamplay.play.fan import FUTURES, STEPS
from dreamplay.play.foresight import Decisions, FanKeeper, decide
from dreamplay.play.pilot import Pilot


def test_a_thread_takes_one_job_and_keeps_its_result():
    woken, go = threading.Event(), threading.Event()
    background = Background(woken.set)
    assert background.take() is None and not background.busy
    assert background.offer("first", lambda: go.wait(30) and 7)
    assert not background.offer("second", lambda: 8)
    assert background.take() is None and background.busy
    go.set()
    assert woken.wait(30)
    assert background.take(patience=30) == ("first", 7)
    assert background.take() is None and background.offer("third", lambda: 9)
    assert background.take(patience=30) == ("third", 9)
    background.close()


def test_what_a_job_raises_is_raised_where_its_result_is_taken():
    background = Background()
    background.offer("", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        background.take(patience=30)
    assert not background.busy
    background.close()


def test_a_decision_brings_the_dream_of_the_plan_after_its_first_action():
    session = stub_session()
    pilot = Pilot(ScriptedAgent(action=1, plan=np.array([1, 2, 0])), "scripted")
    decision = decide(pilot, session.line.recent(10), session.dream.simulator)
    assert decision.action == 1 and decision.plan.tolist() == [2, 0]
    session.step(1)
    frames = [session.step(action).seen for action in (2, 0)]
    assert np.array_equal(decision.frames, frames)


def test_without_a_plan_or_a_dream_there_is_nothing_to_draw():
    session = stub_session()
    recent = session.line.recent(10)
    assert decide(Pilot(ScriptedAgent(), ""), recent, session.dream.simulator).frames is None
    planned = Pilot(ScriptedAgent(plan=np.array([2, 1])), "")
    assert decide(planned, recent, None).plan is None


def test_a_decision_for_a_moment_that_was_left_is_dropped():
    session, worker = stub_session(), WhenTold()
    decisions = Decisions(Pilot(ScriptedAgent(action=1), ""), None, Background(executor=worker))
    assert decisions.ask(session.line.recent(10)) is None and decisions.pending
    session.step(0)
    worker.work()
    assert decisions.ask(session.line.recent(10)) is None  # it was for the moment before
    assert decisions.ask(session.line.recent(10)) is None and decisions.pending
    worker.work()
    assert decisions.ask(session.line.recent(10)).action == 1


def keeper_of(session, worker) -> FanKeeper:
    return FanKeeper(session.dream.simulator, Background(executor=worker))


def test_a_fan_follows_the_game_and_the_held_action():
    session = stub_session()
    keeper = keeper_of(session, AtOnce())
    keeper.update(session.moment, 1, None, 0.0)
    assert keeper.fan is None
    keeper.update(session.moment, 1, None, 0.0)
    assert keeper.fan.origin is session.moment
    assert keeper.fan.frames.shape[:2] == (FUTURES, STEPS) and keeper.fan.cause == "held action"
    steps = session.dream.simulator.steps
    keeper.update(session.moment, 1, None, 0.0)
    assert session.dream.simulator.steps == steps  # it is the same fan
    keeper.update(session.moment, 2, None, 0.0)
    keeper.update(session.moment, 2, None, 0.0)
    assert session.dream.simulator.steps == steps + STEPS
    session.step(0)
    keeper.update(session.moment, 2, None, 0.0)
    keeper.update(session.moment, 2, None, 0.0)
    assert keeper.fan.origin is session.moment
    keeper.forget()
    assert keeper.fan is None


def test_a_fan_spreads_over_a_plan_if_there_is_one():
    session = stub_session()
    keeper = keeper_of(session, AtOnce())
    plan = np.array([2, 1, 0])
    for _ in range(2):
        keeper.update(session.moment, 0, plan, 0.0)
    assert keeper.fan.cause == "plan" and keeper.fan.frames.shape[1] == 3


def test_the_fan_of_a_dream_without_chance_is_drawn_as_learned():
    session = stub_session()
    keeper = keeper_of(session, AtOnce())
    for _ in range(2):
        keeper.update(session.moment, 0, None, 0.0)
    assert len({future.tobytes() for future in keeper.fan.frames}) > 1


def test_an_ended_dream_has_no_future():
    session = stub_session(endless=False)
    for _ in range(3):
        session.step(0)
    keeper = keeper_of(session, AtOnce())
    for _ in range(2):
        keeper.update(session.moment, 0, None, 0.0)
    assert keeper.fan is None
