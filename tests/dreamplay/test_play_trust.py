"""When the window warns of the dream, and by which yardstick."""

from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest
from play_toys import stub_session

from dreamplay.play.moment import Moment
from dreamplay.play.trust import RECENT, TOLERANCE, Trust, truth_horizon
from toys import StubSimulator


def moments(*uncertainties: float, horizon: int = 5) -> list[Moment]:
    dream = stub_session().moment.dream
    return [Moment(0, 0, replace(dream, uncertainty=u, horizon=horizon), None) for u in uncertainties]


def measured(**recalls: float | None) -> dict:
    return {"horizons": {name[1:]: {"recall": recall} for name, recall in recalls.items()}}


def test_it_is_calibrated_on_the_last_frames_of_the_stored_contexts():
    simulator = StubSimulator(contexts=6)
    expected = []
    for context in simulator.contexts:
        if len(context.observations) > 1:
            state = simulator.start(context.observations[None, :-1], context.actions[None, :-1])
            _, step = simulator.step(state, context.actions[None, -1])
            expected.append(step.observations[0, 0, 0, 0] / 1000)
    trust = Trust.of(simulator)
    assert trust.typical == pytest.approx(np.mean(expected)) and trust.most == pytest.approx(np.max(expected))
    assert trust.horizon is None


def test_without_contexts_nothing_is_known_and_nothing_warned_of():
    trust = Trust.of(StubSimulator(contexts=1))  # one of a single frame: nothing can be predicted in it
    assert isnan(trust.typical) and isnan(trust.level(moments(0.5)))
    assert trust.warning(moments(1e9)) == ""


def test_lasting_uncertainty_beyond_that_on_real_frames_is_a_warning():
    trust = Trust(typical=0.1, most=0.2)
    limit = TOLERANCE * trust.most
    assert trust.level(moments(*[0.3] * RECENT)) == pytest.approx(3.0)
    assert trust.warning(moments(*[0.99 * limit] * RECENT)) == ""
    assert "leaves what it knows" in trust.warning(moments(*[1.01 * limit] * RECENT))
    assert trust.warning(moments(*[0.1] * (RECENT - 1), limit * 1.5)) == ""  # one uncertain step, such as a serve
    assert "leaves" not in trust.warning(moments(*[9.0] * RECENT, *[0.1] * RECENT))


def test_a_dream_that_cannot_say_how_unsure_it_is_warns_by_its_age_only():
    trust = Trust(typical=nan, most=nan, horizon=20)
    assert isnan(trust.level(moments(nan)))
    assert trust.warning(moments(nan, horizon=20)) == ""
    assert "20 steps" in trust.warning(moments(nan, horizon=21))


def test_the_real_game_alone_needs_no_trust():
    assert Trust(horizon=1).warning([Moment(9, 0, None, None)]) == ""


@pytest.mark.parametrize(
    ("evaluation", "horizon"),
    [
        (measured(h1=0.9, h10=0.6, h100=0.4), 10),
        (measured(h1=0.9, h100=0.5), None),
        (measured(h1=0.2, h10=0.1), 0),
        (measured(h1=0.9, h10=0.3, h20=0.6, h50=0.2), 1),
        (measured(h1=None), None),
        (None, None),
        ({}, None),
        ({"horizons": {"x": {}}}, None),
    ],
)
def test_the_truth_horizon_ends_where_less_than_half_of_what_moves_is_found(evaluation, horizon):
    assert truth_horizon(evaluation) == horizon
