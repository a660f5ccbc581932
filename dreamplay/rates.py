"""Rates of several things measured in turns, so that whatever else the machine does meets all of them alike."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

Work = Callable[[], int]
"""Does a small piece of work and says how many steps that was."""


@dataclass(frozen=True)
class Rates:
    """Steps per second, or a ratio of two such, in each round."""

    rounds: np.ndarray  # float (rounds,)

    def __truediv__(self, other: Rates) -> Rates:
        """Round by round: what the machine did to both cancels out."""
        return Rates(self.rounds / other.rounds)

    @property
    def median(self) -> float:
        """Of the rounds."""
        return float(np.median(self.rounds))

    def to_json(self) -> dict[str, float]:
        """The middle and the extremes."""
        return {"min": float(self.rounds.min()), "median": self.median, "max": float(self.rounds.max())}


def measure(
    works: Mapping[str, Work],
    *,
    rounds: int,
    seconds: float,
    on_turn: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Rates]:
    """Let each work run for some seconds, one after the other, and all of that several times.

    Args:
        works: what to measure, by name; each runs once before, which warms it up.
        rounds: how often each has its turn.
        seconds: how long a turn is, at least; it ends with a piece of work.
        on_turn: called after each turn.
        clock: seconds; for tests.
    """
    for work in works.values():
        work()
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            steps, start = 0, clock()
            while (passed := clock() - start) < seconds or not steps:
                steps += work()
            found[name].append(steps / max(passed, 1e-9))
            on_turn()
    return {name: Rates(np.array(rates)) for name, rates in found.items()}


@contextmanager
def one_core() -> Iterator[None]:
    """Within, this process and the threads it starts stay on one core, if the system can do that."""
    import torch

    threads = torch.get_num_threads()
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    torch.set_num_threads(1)
    if cores:
        os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        if cores:
            os.sched_setaffinity(0, cores)
        torch.set_num_threads(threads)


def matmul_rate(size: int = 512) -> Work:
    """The machine's limit: a work whose steps are floating-point operations of a product of two matrices."""
    import torch

    matrix = torch.rand(size, size)

    def work() -> int:
        torch.mm(matrix, matrix)
        return 2 * size**3

    return work


def machine() -> dict[str, Any]:
    """What the rates were measured on."""
    import platform

    import torch

    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), model)
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
