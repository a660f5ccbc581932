"""Frames a second that training learns from, on one core, by curriculum stage, beside the machine's matrix product.

    python scripts/benchmark_training.py --data data/ALE-Pong-v5 --json training.json

A frame counts once in each update whose windows hold it. Data are read and windows are cut as in `dreamplay train`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tyro

from dreamplay.errors import UserError
from dreamplay.json_files import write_json

if TYPE_CHECKING:
    from dreamplay.training import Report


@dataclass(frozen=True)
class Benchmark:
    """What to measure."""

    data: Path
    """Data folder, as `dreamplay collect` leaves it."""
    simulator: str = "default"
    """default or classic."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """As in `dreamplay train`."""
    updates: int = 60
    """Updates of a training; longer ones come further in the curriculum."""
    repeats: int = 3
    """Trainings; the median counts."""
    json: Path | None = None
    """File for the numbers."""


def main() -> None:
    """Measure, print one line each."""
    import tempfile

    import numpy as np
    import torch

    from dreamplay.acceleration import Acceleration
    from dreamplay.episodes import Episodes
    from dreamplay.kept_memory import keep_memory
    from dreamplay.rates import Rates, machine, matmul_rate, measure, one_core
    from dreamplay.starting import start_training
    from dreamplay.training import TrainConfig, train

    asked = tyro.cli(Benchmark, description=__doc__)
    try:
        episodes = Episodes.open(asked.data)
    except UserError as error:
        raise SystemExit(str(error)) from None
    rates: dict[str, list[float]] = {}
    limits = []
    acceleration = Acceleration.of(torch.device("cpu"), 0, asked.precision)
    keep_memory()  # as `dreamplay train` does
    with one_core():
        for repeat in range(asked.repeats):
            config = TrainConfig(simulator=asked.simulator, updates=asked.updates, seed=repeat)
            training = start_training(config, episodes, str(asked.data), "cpu")
            reports: list[Report] = []
            with tempfile.TemporaryDirectory() as folder:
                train(training, episodes.split()[0], Path(folder), reports.append, acceleration=acceleration)
            for stage, rate in by_stage(reports).items():
                rates.setdefault(stage, []).append(rate)
            limits.append(measure({"matmul": matmul_rate()}, rounds=3, seconds=0.2)["matmul"].median / 1e9)
    answer = {
        "frames_per_second": {stage: Rates(np.array(rate)).to_json() for stage, rate in rates.items()},
        "matmul_gflops": float(np.median(limits)),
        "updates": asked.updates,
        "acceleration": str(acceleration),
        "machine": machine(),
    }
    for stage, rate in answer["frames_per_second"].items():
        print(f"{stage:>18}: {rate['median']:7,.0f} frames/s ({rate['min']:,.0f} to {rate['max']:,.0f})")
    print(f"{'matrix product':>18}: {answer['matmul_gflops']:7,.0f} GFLOP/s")
    if asked.json is not None:
        write_json(asked.json, answer)


def by_stage(reports: list[Report]) -> dict[str, float]:
    """Frames a second of the whole training and of each number of predicted steps; the first update warms up."""
    frames: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for before, report in itertools.pairwise(reports):
        predicted = report.stage.predicted
        for stage in ("all", f"{predicted} predicted" if predicted else "teacher forcing"):
            frames[stage] = frames.get(stage, 0) + report.steps
            seconds[stage] = seconds.get(stage, 0.0) + 60 * (report.minutes - before.minutes)
    return {stage: frames[stage] / max(seconds[stage], 1e-9) for stage in frames}


if __name__ == "__main__":
    main()
