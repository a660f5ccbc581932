"""Curricula: the windows of every scheme, written out."""

import pytest

from dreamplay.curriculum import CURRICULA, Stage, curriculum, window
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


def test_default_starts_in_teacher_forcing_and_predicts_ever_more():
    stages = [curriculum("default")(progress) for progress in GRID]
    for progress, stage in zip(GRID, stages, strict=True):
        expected = window(32) if progress < 0.5 else window(8, (1, 2, 4, 8, 16, 16)[int((progress - 0.5) * 10)])
        assert stage.real == expected.real
        assert stage.warm_up == 0
    predicted = [stage.predicted for stage in stages]
    assert predicted == sorted(predicted)
    assert set(predicted) == {0, 1, 2, 4, 8, 16}
    rates = [stage.rate for stage in stages]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(1)
    assert rates[-1] == pytest.approx(0.02)


def test_teacher_forcing_differs_from_default_in_its_inputs_only():
    for progress in GRID:
        stage = curriculum("teacher-forcing")(progress)
        assert stage.real == (True,) * 32
        assert stage.rate == curriculum("default")(progress).rate


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
    with pytest.raises(UserError, match=r"'pdt-99'.*default.*oh"):
        curriculum("pdt-99")
