"""Which panes there are, what they show, and what the head-up display says."""

from dataclasses import replace

import numpy as np
from play_toys import StubGame, stub_session

from dreamplay.play.fan import PLAN, paths, spread
from dreamplay.play.hud import SPARKLINE, divergence, readings, status
from dreamplay.play.reality import Reality
from dreamplay.play.session import Session
from dreamplay.play.trust import Trust
from dreamplay.play.views import View, next_view, pictures
from dreamplay.video import difference


def labels(shown) -> list[str]:
    return [picture.label for picture in shown]


def gray(frame: np.ndarray) -> np.ndarray:
    return frame.repeat(3, axis=2)


def test_dream_and_reality_lie_side_by_side_with_their_difference():
    session = stub_session(StubGame())
    session.dream._state["frame"] += 50
    session.step(1)
    truth, dream, wrong = pictures(session)
    assert labels([truth, dream, wrong]) == ["truth", "dream", "difference"]
    assert np.array_equal(truth.frame, gray(session.moment.real.frame))
    assert np.array_equal(dream.frame, gray(session.moment.dream.frame)) and dream.dream
    assert np.array_equal(wrong.frame, difference(session.moment.real.frame, session.moment.dream.frame))
    assert wrong.value == "100.0% wrong"


def test_one_game_alone_has_one_pane():
    assert labels(pictures(stub_session())) == ["dream"]
    assert labels(pictures(Session(None, Reality(StubGame(), idle=0)))) == ["truth"]
    assert labels(pictures(stub_session(StubGame()), View.DREAM)) == ["dream"]


def test_what_is_left_behind_keeps_its_pane():
    session = stub_session(StubGame())
    session.next_context()
    truth, _, wrong = pictures(session)
    assert truth.frame is None and wrong.frame is None and "X takes" in truth.banner


def test_two_branches_are_compared_at_the_same_step():
    session = stub_session(StubGame())
    for action in [1, 1, 2]:
        session.step(action)
    session.seek(-2)
    session.branch()
    session.step(0)
    one, two, wrong = pictures(session, View.BRANCHES)
    assert labels([one, two, wrong]) == ["branch 1", "branch 2 (yours)", "difference"]
    assert np.array_equal(one.frame, gray(session.branches[0].moments[2].seen))
    assert np.array_equal(two.frame, gray(session.moment.seen)) and (one.dream, two.dream) == (False, True)
    assert np.array_equal(wrong.frame, difference(session.branches[0].moments[2].seen, session.moment.seen))
    session.step(0)
    session.step(0)
    assert "ends at step 3" in pictures(session, View.BRANCHES)[0].banner


def test_a_fan_shows_all_futures_together_and_where_each_ends():
    session = stub_session()
    fan = spread(
        session.dream.simulator, session.moment, np.array([1, 2]), futures=3, temperature=1.0, cause="held action"
    )
    now, together, *futures = pictures(session, fan=fan)
    assert np.array_equal(now.frame, gray(session.moment.seen))
    assert (
        np.array_equal(together.frame, paths(session.moment.seen, fan.frames))
        and together.label == "held action, 2 steps"
    )
    assert all(np.array_equal(f.frame, gray(frames[-1])) for f, frames in zip(futures, fan.frames, strict=True))
    assert all("ends" in future.value for future in futures)


def test_a_plan_is_drawn_over_the_dream():
    session = stub_session()
    plan = np.stack([session.moment.seen + np.uint8(t) for t in (1, 2, 3)])
    (pane,) = pictures(session, plan=plan)
    assert pane.label == "dream and plan" and np.array_equal(
        pane.frame, paths(session.moment.seen, plan[None], PLAN, light=1.0)
    )


def test_tab_goes_round_the_views_that_have_something_to_show():
    beside = stub_session(StubGame())
    assert next_view(beside, View.BESIDE) is View.DREAM and next_view(beside, View.DREAM) is View.BESIDE
    beside.branch()
    assert next_view(beside, View.DREAM) is View.BRANCHES and next_view(beside, View.BRANCHES) is View.BESIDE
    alone = stub_session()
    assert next_view(alone, View.BESIDE) is View.DREAM and next_view(alone, View.DREAM) is View.DREAM


def values(session, trust: Trust | None = None) -> dict[str, tuple[str, bool]]:
    return {r.name: (r.value, r.warn) for r in readings(session, trust or Trust())}


def test_the_head_up_display_says_what_the_moment_holds():
    session = stub_session(StubGame())
    session.step(2)
    dream = replace(
        session.moment.dream, reward=-1.5, total=3.25, horizon=7, termination_probability=0.125, uncertainty=0.3
    )
    session.line.moments[-1] = replace(session.moment, step=12, dream=dream)
    assert values(session, Trust(typical=0.1, most=1.0, horizon=6))["uncertainty"] == ("3.0x", False)
    said = values(session, Trust(typical=0.1, most=0.1, horizon=6))
    assert said == {
        "step": ("12", False),
        "horizon": ("7 / 6", True),
        "reward": ("-1.50", False),
        "return": ("+3.25", False),
        "chance of ending": ("12.5%", False),
        "uncertainty": ("3.0x", True),
        "wrong pixels": ("0", False),
    }


def test_what_is_not_known_is_not_made_up():
    session = stub_session()
    said = values(session)
    assert said["uncertainty"] == ("unknown", False) and said["wrong pixels"] == ("-", False)
    alone = Session(None, Reality(StubGame(), idle=0))
    alone.step(2)
    assert values(alone) == {"step": ("1", False), "reward": ("+2.00", False), "return": ("+2.00", False)}


def test_the_divergence_meter_follows_the_wrong_pixels():
    session = stub_session(StubGame())
    session.step(1)
    session.dream._state["frame"] += 50
    session.step(1)
    session.next_context()
    assert np.array_equal(divergence(session), [0, 0, 6, np.nan], equal_nan=True)
    for _ in range(SPARKLINE):
        session.step(0)
    assert len(divergence(session)) == SPARKLINE


def test_the_status_says_who_plays_and_how():
    session = stub_session()
    quiet = {"paused": False, "turns": False, "speed": 1.0, "pilot": None, "thinking": False}
    assert status(session, **quiet) == "you play"
    assert status(session, **quiet | {"pilot": "cem"}) == "cem plays"
    assert status(session, **quiet | {"pilot": "cem", "thinking": True}) == "cem thinks"
    for _ in range(4):
        session.step(0)
    session.seek(-3)
    session.branch()
    session.choose(0)
    session.dream.temperature = 0.7
    said = status(session, **quiet | {"paused": True, "turns": True, "speed": 0.25})
    assert said.split("  |  ") == [
        "paused at 1 of 0 to 4",
        "turn-based",
        "speed x0.25",
        "temperature 0.7",
        "branch 1 of 2",
        "you play",
    ]
