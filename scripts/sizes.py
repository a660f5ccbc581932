"""The sizes of the default simulator side by side: what each costs, how fast it dreams, how soon it is true.

    python scripts/sizes.py --write docs/sizes.md
    python scripts/sizes.py --minutes 4 --write docs/sizes.md     # and how soon each is true, on a built-in game

Costs are those of a network for frames of few colours, at each size; a dream step is one of the environment's, on one
core, all sizes in turns. With --minutes every size is also trained on one data set and judged each --every minutes of
its own processor time; the first time that recall and precision of moving pixels reach --share at --horizon counts.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
import tyro
from comparison import Comparison, collect_once, tell_mistakes
from marked_tables import require_marks, write_between

from dreamplay.folders import claim
from dreamplay.network_sizes import SIZES

MARKS = ("<!-- sizes: begin -->", "<!-- sizes: end -->")
COLOURS = 9  # as Pong and Breakout have
ACTIONS, REWARDS = 6, 3
FRAMES = ((64, 64), (84, 84), (210, 160))


@dataclass(frozen=True)
class Sizes:
    """What to measure."""

    batches: tuple[int, ...] = (1, 64)
    """Dreams at once."""
    rounds: int = 5
    """Turns of each; the median counts."""
    seconds: float = 0.5
    """Length of a turn."""
    minutes: float = 0.0
    """Longest training of each size in minutes of processor time; 0 leaves the truth horizon out."""
    every: float = 0.5
    """Processor minutes between two judgements."""
    env: str = "Dreamplay/Bricks-v0"
    """Environment to train on."""
    steps: int = 40_000
    """Random steps to train on."""
    horizon: int = 10
    """Truth horizon to reach, in steps."""
    share: float = 0.9
    """Recall and precision to reach there."""
    out: Path = Path("runs/sizes")
    """Folder for the data and runs of the training."""
    write: Path | None = None
    """Document to put the table into, between its marks."""


def main() -> None:
    """Measure and print or write."""
    from dreamplay.rates import machine

    asked = tyro.cli(Sizes, description=__doc__)
    if asked.write is not None:
        require_marks(asked.write, MARKS)
    host = machine()
    lines = [f"Measured on one core of {host['processor']} ({host['cores']} cores), torch {host['torch']}.", ""]
    lines += costs(asked)
    if asked.minutes > 0:
        lines += ["", *times(asked)]
    text = "\n".join(lines)
    print(text)
    if asked.write is not None:
        write_between(asked.write, MARKS, text)


def costs(asked: Sizes) -> list[str]:
    """The table of parameters, operations and dream steps per second."""
    from dreamplay.onnx_backend import is_installed
    from dreamplay.progress import progress
    from dreamplay.rates import measure, one_core
    from dreamplay.speed_of_dreams import of_dream

    backends = ("torch", *(["onnx"] if is_installed() else []))
    with tempfile.TemporaryDirectory() as folder, one_core():
        runs = {(name, size): untrained(name, size, Path(folder)) for name in SIZES for size in FRAMES}
        works = {
            str((*key, backend, batch)): of_dream(str(run), backend, batch, 0)
            for key, run in runs.items()
            for backend in backends
            for batch in asked.batches
        }
        with progress("sizes", asked.rounds * len(works), "turns") as bar:
            rates = measure(works, rounds=asked.rounds, seconds=asked.seconds, on_turn=bar.advance)
        columns = [f"{backend}, {batch} at once" for backend in backends for batch in asked.batches]
        head = ["size", "frames", "parameters", "MFLOP a frame", *(f"steps/s, {column}" for column in columns)]
        rows = []
        for (name, size), run in runs.items():
            parameters, flops = count(run)
            speeds = [f"{rates[str((name, size, b, n))].median:,.0f}" for b in backends for n in asked.batches]
            rows.append([name, "{} x {}".format(*size), f"{parameters / 1e6:.2f} M", f"{flops / 1e6:.1f}", *speeds])
    return table(head, rows)


def untrained(name: str, size: tuple[int, int], folder: Path) -> Path:
    """A run folder of a network that has learned nothing: it costs what a trained one costs."""
    from dreamplay.episodes import Episodes
    from dreamplay.starting import start_training
    from dreamplay.training import TrainConfig

    data, run = folder / "data-{}x{}".format(*size), folder / f"{name}-{size[0]}x{size[1]}"
    if not data.is_dir():
        write_noise(data, size)
    run.mkdir()
    config = TrainConfig(updates=1, network_size=name)
    start_training(config, Episodes.open(data), str(data), "cpu").save(run)
    return run


def write_noise(data: Path, size: tuple[int, int]) -> None:
    """Episodes of random pixels in few colours: what a frame shows does not matter to what it costs."""
    from dreamplay.envs.card import EnvCard, Preparation
    from dreamplay.episodes import Episode, EpisodeWriter

    rng, steps = np.random.default_rng(0), 32
    palette = rng.choice(256**3, COLOURS, replace=False).astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3]
    frames, actions = gym.spaces.Box(0, 255, (*size, 3), np.uint8), gym.spaces.Discrete(ACTIONS)
    no = np.zeros(steps, bool)
    with EpisodeWriter(data, EnvCard("noise", {}, Preparation(), frames, actions, [], 15)) as writer:
        for _ in range(2):
            pixels = palette[rng.integers(0, COLOURS, (steps + 1, *size))]
            rewards = rng.integers(-1, REWARDS - 1, steps).astype(np.float32)
            writer.add(Episode(pixels, rng.integers(0, ACTIONS, steps), rewards, no, no, no))


def count(run: Path) -> tuple[int, int]:
    """Parameters, and floating-point operations of a step of one dream."""
    from torch.utils.flop_counter import FlopCounterMode

    from dreamplay.simulator import load

    simulator = load(run, "cpu", "torch")
    context = simulator.contexts[0]
    state = simulator.start(context.observations[None], context.actions[None])
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        action = torch.zeros(1, ACTIONS)
        simulator.network.step(state["frame"], action, {k: v for k, v in state.items() if k != "frame"})
    return sum(p.numel() for p in simulator.network.parameters()), counter.get_total_flops()


def times(asked: Sizes) -> list[str]:
    """The table of processor minutes to the truth horizon."""
    from dreamplay.rates import one_core

    comparison = Comparison(env=asked.env, steps=asked.steps, out=asked.out)
    collect_once(comparison)
    with one_core():
        rows = [[name, *first_time(asked, comparison.data, name)] for name in SIZES]
    wanted = f"found and real >= {asked.share:g} at {asked.horizon} steps"
    told = f"{asked.env}, {asked.steps:,} random steps, at most {asked.minutes:g} minutes"
    return [
        told + ":",
        "",
        *table(["size", f"processor minutes to {wanted}", "updates", "found / real at the end"], rows),
    ]


def first_time(asked: Sizes, data: Path, name: str) -> list[str]:
    """Train one size, judging it on the way: minutes, updates and scores in words."""
    import time

    from dreamplay.acceleration import Acceleration
    from dreamplay.episodes import Episodes
    from dreamplay.horizon import truth_horizon
    from dreamplay.simulator import load
    from dreamplay.starting import resume_training, start_training
    from dreamplay.training import TrainConfig, train

    episodes, run = Episodes.open(data), claim(asked.out / name)
    config = TrainConfig(minutes=asked.minutes, network_size=name)
    training = start_training(config, episodes, str(data.resolve()), "cpu")
    acceleration = Acceleration.of(training.device, 0)
    reached, scores = "not reached", (0.0, 0.0)
    due = asked.every
    while training.progress < 1:

        def pause(report: Any, due: float = due) -> None:
            if report.minutes >= due:
                raise KeyboardInterrupt  # saved, and gone on with below

        try:
            train(training, episodes.split()[0], run, pause, acceleration=acceleration, clock=time.process_time)
        except KeyboardInterrupt:
            due += asked.every
        judged = truth_horizon(
            load(run, "cpu"), *episodes.split(), windows=200, horizon=asked.horizon, seed=0
        ).to_json()
        at = judged["horizons"][str(asked.horizon)]
        scores = (at["recall"] or 0.0, at["precision"] or 0.0)
        if reached == "not reached" and min(scores) >= asked.share:
            reached = f"{training.minutes:.2f}"
        training = resume_training(run, {}, "cpu")
    return [reached, f"{training.updates:,}", "{:.2f} / {:.2f}".format(*scores)]


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    return ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]


if __name__ == "__main__":
    tell_mistakes(main)
