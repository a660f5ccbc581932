"""Rates measured in turns, on a clock that the works themselves move."""

import os

import numpy as np
import pytest

from dreamplay.rates import Rates, matmul_rate, measure, one_core


def test_works_take_turns_and_rates_are_steps_over_time() -> None:
    now, order = 0.0, []

    def work(name: str, steps: int, seconds: float):
        def one() -> int:
            nonlocal now
            now += seconds
            order.append(name)
            return steps

        return one

    turns: list[None] = []
    works = {"slow": work("slow", 1, 0.5), "fast": work("fast", 4, 0.25)}
    rates = measure(works, rounds=2, seconds=1.0, on_turn=lambda: turns.append(None), clock=lambda: now)
    assert order == ["slow", "fast", *(["slow"] * 2 + ["fast"] * 4) * 2], "one of each to warm up, then in turns"
    assert len(turns) == 4
    np.testing.assert_allclose(rates["slow"].rounds, [2, 2])
    np.testing.assert_allclose(rates["fast"].rounds, [16, 16])


def test_a_work_longer_than_its_turn_runs_once() -> None:
    ticks = iter([0.0, 0.0, 7.0, 7.0])
    assert measure({"long": lambda: 14}, rounds=1, seconds=1.0, clock=lambda: next(ticks))["long"].median == 2.0


def test_ratios_are_taken_within_a_round() -> None:
    ratio = Rates(np.array([10.0, 2.0, 6.0])) / Rates(np.array([5.0, 1.0, 1.0]))
    assert ratio.to_json() == {"min": 2.0, "median": 2.0, "max": 6.0}


def test_a_matrix_product_counts_its_operations() -> None:
    assert matmul_rate(4)() == 2 * 4**3


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system binds no process to a core")
def test_one_core_is_given_back() -> None:
    import torch

    before, threads = os.sched_getaffinity(0), torch.get_num_threads()
    with one_core():
        assert len(os.sched_getaffinity(0)) == torch.get_num_threads() == 1
    assert (os.sched_getaffinity(0), torch.get_num_threads()) == (before, threads)
