"""Curricula: the windows of every scheme, written out."""

from dataclasses import replace

import numpy as np
import pytest

from dreamplay.curriculum import CURRICULA, DECAYS, Stage, curriculum, window
from dreamplay.errors import UserError

# The published schemes behind ten warm-up steps: what follows them, o observed and p predicted, from that progress on.
PUBLISHED = {
    "pdt-0": {0: "ooooooooooooooo"},
    "pdt-33": {0: "ooooooooooppppp"},
    "pdt-0-20-33": {0: "ooooooooooooooo", 0.02: "ooooooooooooppp", 0.22: "ooooooooooppppp"},
    "pdt-46": {0: "ooooooooppppppp"},
    "pdt-46-alternating": {0: "opopopopopopopo"},
    "pdt-67": {0: "ooooopppppppppp"},
    "pdt-0-100": {0: "ooooooooooooooo", 0.002: "ppppppppppppppp"},
    "pdt-100": {0: "ppppppppppppppp"},
    "oh": {0: "oooooooooo", 1 / 3: "ppp", 1 / 2: "ppppp"},
}
GRID = [i / 1000 for i in range(1001)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_schemes_are_as_published(name):
    scheme = curriculum(name)
    for progress in GRID:
        pattern = PUBLISHED[name][max(start for start in PUBLISHED[name] if start <= progress)]
        stage = scheme(progress)
        assert stage.real == (True,) * 10 + tuple(letter == "o" for letter in pattern)
        assert stage.warm_up == 10
        assert stage.rate == 1
        assert stage.predicted == pattern.count("p")


def test_default_starts_in_teacher_forcing_and_then_dreams_ever_longer_in_turns_with_it():
    stages = [curriculum("default")(progress) for progress in GRID]
    dreams = []
    for progress, stage in zip(GRID, stages, strict=True):
        if progress < 0.5 or stage.predicted == 0:
            assert stage.real == window(64).real and stage.warm_up == 0
        else:
            expected = window(8, (1, 2, 4, 8, 16, 16)[int((progress - 0.5) * 10)], warm_up=7)
            assert (stage.real, stage.warm_up) == (expected.real, expected.warm_up)
            dreams.append(stage.predicted)
    assert dreams == sorted(dreams)
    assert set(dreams) == {1, 2, 4, 8, 16}
    fine = [curriculum("default")(0.5 + i / 10_000).predicted > 0 for i in range(5000)]
    assert sum(fine) == pytest.approx(2500, abs=10)
    rates = [stage.rate for stage in stages]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(1)
    assert rates[-1] == pytest.approx(0.02)


def test_teacher_forcing_differs_from_default_in_its_inputs_only():
    for progress in GRID:
        stage = curriculum("teacher-forcing")(progress)
        assert stage.real == (True,) * 64
        assert stage.rate == curriculum("default")(progress).rate


def test_long_windows_are_those_of_default_times_four():
    for progress in GRID:
        long, usual = curriculum("long")(progress), curriculum("default")(progress)
        assert (sum(long.real), long.predicted) == (4 * sum(usual.real), 4 * usual.predicted)
        assert long.rate == usual.rate
        assert long.warm_up == (4 * 8 - 1 if long.predicted else 0)


@pytest.mark.parametrize(
    ("name", "base", "changes"),
    [
        ("bptt-15-2", "pdt-0-100", {"windows": 2}),
        ("bptt-15-5", "pdt-0-100", {"windows": 5}),
        ("carried", "default", {"windows": 4}),
    ],
)
def test_a_variation_differs_from_its_base_in_one_thing(name, base, changes):
    for progress in GRID:
        assert curriculum(name)(progress) == replace(curriculum(base)(progress), **changes)


# Bengio et al. 2015, section 2.4, at a quarter, half and three quarters of the way.
DECAYED = {
    "linear": (0.75, 0.5, 0.25),
    "exponential": (10**-0.75, 10**-1.5, 10**-2.25),
    "inverse-sigmoid": (1 / (1 + 10**-1.5), 0.5, 1 / (1 + 10**1.5)),
}


@pytest.mark.parametrize("decay", DECAYS)
def test_scheduled_sampling_goes_from_the_truth_to_own_output(decay):
    name = "scheduled-sampling" + ("" if decay == "linear" else f"-{decay}")
    stages = [curriculum(name)(progress) for progress in GRID]
    assert {(stage.real, stage.warm_up, stage.windows) for stage in stages} == {(window(8, 56).real, 0, 1)}
    assert [stage.rate for stage in stages] == [curriculum("default")(progress).rate for progress in GRID]
    truths = [stage.truth for stage in stages]
    assert truths == sorted(truths, reverse=True)
    assert truths[0] >= 0.999 and 0 <= truths[-1] <= 0.001
    assert [truths[i] for i in (250, 500, 750)] == pytest.approx(DECAYED[decay])


def test_a_coin_is_flipped_for_each_predicted_input():
    stage, rng = Stage(window(2, 1000).real, warm_up=1, rate=0.5, truth=0.3), np.random.default_rng(0)
    flipped = stage.flip(rng)
    assert flipped.real[:2] == (True, True)
    assert sum(flipped.real[2:]) / 1000 == pytest.approx(0.3, abs=0.05)
    assert flipped.real != stage.flip(rng).real
    assert replace(flipped, real=stage.real) == replace(stage, truth=0)  # nothing else changes, no coin is left
    assert replace(stage, truth=1.0).flip(rng).predicted == 0


def test_without_coins_nothing_is_drawn():
    rng, untouched = np.random.default_rng(0), np.random.default_rng(0)
    assert window(2, 5).flip(rng) == window(2, 5)
    assert rng.bit_generator.state == untouched.bit_generator.state


def test_a_later_window_needs_no_warm_up():
    stage = Stage((True, True, True, False, False), warm_up=2, rate=0.5, windows=3)
    assert stage.span == 2 + 3 * 3
    assert stage.later() == replace(stage, real=(True, False, False), warm_up=0)
    assert stage.later().later() == stage.later()
    assert window(7).span == 7


@pytest.mark.parametrize("at", range(1, 6))
def test_a_cut_stage_keeps_its_steps(at):
    stage = Stage((True, True, True, False, True, False), warm_up=3, rate=0.5)
    first, second = stage.cut(0, at), stage.cut(at, 6)
    assert first.real + second.real == stage.real
    assert (first.warm_up, second.warm_up) == (min(at, 3), max(3 - at, 0))
    assert first.rate == second.rate == 0.5


@pytest.mark.parametrize("name", CURRICULA)
def test_a_curriculum_is_a_pure_function_whose_windows_start_with_a_real_frame(name):
    scheme = curriculum(name)
    forwards = [scheme(progress) for progress in GRID]
    assert [scheme(progress) for progress in reversed(GRID)] == forwards[::-1]
    assert all(stage.real[0] for stage in forwards)


@pytest.mark.parametrize("name", CURRICULA)
def test_segments_cover_the_window_and_never_mix(name):
    for progress in GRID[::50]:
        stage = curriculum(name)(progress)
        segments = stage.segments()
        assert [t for start, end in segments for t in range(start, end)] == list(range(len(stage.real)))
        for start, end in segments:
            assert all(stage.real[start:end]) or (not stage.real[start] and end == start + 1)
            assert not start < stage.warm_up < end


def test_segments_are_as_long_as_can_be():
    assert Stage((True, True, True, False, False, True, True)).segments() == [(0, 3), (3, 4), (4, 5), (5, 7)]
    assert window(5, warm_up=2).segments() == [(0, 2), (2, 5)]
    assert str(window(5, 2)) == "5 real + 2 predicted"


def test_an_unknown_curriculum_is_named():
    with pytest.raises(UserError, match=r"'pdt-99'.*default.*scheduled-sampling.*oh.*bptt-15-2"):
        curriculum("pdt-99")
