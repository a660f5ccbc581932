"""Frames a second by stage, from the reports of a training."""

from types import SimpleNamespace


def report(minutes: float, steps: int, predicted: int) -> SimpleNamespace:
    return SimpleNamespace(minutes=minutes, steps=steps, stage=SimpleNamespace(predicted=predicted))


def test_rates_are_frames_over_the_time_of_their_stage() -> None:
    from benchmark_training import by_stage

    reports = [report(1, 999, 0), report(2, 600, 0), report(3, 1200, 0), report(7, 240, 4)]
    assert by_stage(reports) == {"all": 2040 / 360, "teacher forcing": 1800 / 120, "4 predicted": 240 / 240}
