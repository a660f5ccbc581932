"""How fast a device trains, and what share of its matrix product that is; and what more processes bring.

    python scripts/benchmark_scaling.py --data data/ALE-Pong-v5 --device cuda
    python scripts/benchmark_scaling.py --data data/ALE-Pong-v5 --device cpu --processes 1 2
    python scripts/benchmark_scaling.py --sizes 10x10 64x64 210x160    # no data: what frames of a size cost, counted

A frame counts once in each update whose windows hold it. The sums and products of an update are counted, not estimated;
the limit is what a product of two large matrices reaches on the same device in the same precision.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from dreamplay.errors import UserError
from dreamplay.json_files import write_json

if TYPE_CHECKING:
    import torch

    from dreamplay.acceleration import Acceleration
    from dreamplay.episodes import Episodes
    from dreamplay.training import TrainConfig


@dataclass(frozen=True)
class Benchmark:
    """What to measure."""

    data: Path | None = None
    """Data folder, as `dreamplay collect` leaves it."""
    sizes: tuple[str, ...] = ()
    """Frame sizes in pixels, as HEIGHTxWIDTH, whose cost to count; needs no data."""
    device: str = "auto"
    """Where: auto (a GPU when there is one), cpu, cuda."""
    batch_steps: tuple[int, ...] = (256, 1024)
    """Steps per update; each is measured."""
    updates: int = 60
    """Updates of a training; the first third warms up."""
    curriculum: str = "default"
    """Name of the curriculum."""
    compile: bool = False
    """Measure the compiled network too."""
    processes: tuple[int, ...] = ()
    """Numbers of processes to train with under torchrun, each on one thread, or on a GPU each."""
    json: Path | None = None
    """File for the numbers."""


def main() -> None:
    """Measure, print one line each."""
    import torch

    from dreamplay.episodes import Episodes
    from dreamplay.rates import machine
    from dreamplay.simulator import choose_device
    from dreamplay.training import TrainConfig

    asked = tyro.cli(Benchmark, description=__doc__)
    for size in asked.sizes:
        height, width = map(int, size.split("x"))
        print("{size:>8}: {parameters:.2f} M parameters, {megabytes:.1f} MB of gradients an update, "
              "{mflop:.0f} MFLOP a predicted step".format_map(cost_of_frames(height, width)))  # fmt: skip
    if asked.data is None:
        return
    try:
        device, episodes = choose_device(asked.device), Episodes.open(asked.data)
    except UserError as error:
        raise SystemExit(str(error)) from None
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for steps in asked.batch_steps:
        for acceleration in variants(device, asked.compile):
            config = TrainConfig(updates=asked.updates, batch_steps=steps, curriculum=asked.curriculum)
            rows.append(one_process(episodes, device, acceleration, config))
            print("{batch_steps:>6} steps an update, {how}: {frames_per_second:,.0f} frames/s, "
                  "{mflop_per_frame:.0f} MFLOP a frame, {gflops:.1f} of {limit_gflops:.0f} GFLOP/s: "
                  "{utilisation:.0%}".format_map(rows[-1]), flush=True)  # fmt: skip
        for count in asked.processes:
            rows.append(under_torchrun(asked, count, steps))
            print("{batch_steps:>6} steps an update, {processes} process(es): "
                  "{frames_per_second:,.0f} frames/s".format_map(rows[-1]), flush=True)  # fmt: skip
    if asked.json is not None:
        gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
        write_json(asked.json, {"rows": rows, "machine": machine() | {"gpu": gpu}, "updates": asked.updates})


def cost_of_frames(height: int, width: int, colours: int = 8, steps: int = 16) -> dict[str, Any]:
    """What the default network costs in teacher forcing when every step is predicted: forward and backward, counted."""
    import numpy as np
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from dreamplay.curriculum import window
    from dreamplay.frames import PaletteFrames, Patches
    from dreamplay.network import Network, NetworkConfig, patch_side
    from dreamplay.objective import Targets, objective

    palette = np.arange(colours, dtype=np.uint8)[:, None]
    codec = PaletteFrames(Patches((height, width), patch_side((height, width))), palette)
    network = Network(codec, 6, 3, NetworkConfig())
    frames = codec.encode(np.zeros((1, steps + 1, height, width, 1), np.uint8))
    ones = torch.ones(1, steps)
    actions, rewards = torch.zeros(1, steps, 6), torch.ones(1, steps, 3) / 3
    targets = Targets(frames, actions, rewards, ones, ones, ones < 1, torch.zeros(3))
    with FlopCounterMode(display=False) as counter:
        objective(network, targets, window(steps)).total.backward()
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return {
        "size": f"{height}x{width}",
        "parameters": parameters / 1e6,
        "megabytes": 4 * parameters / 1e6,
        "mflop": counter.get_total_flops() / steps / 1e6,
    }


def variants(device: torch.device, compiled: bool) -> list[Acceleration]:
    """What to compare: nothing; data on the device; on a GPU bfloat16, and recorded; compiled, if that is wanted."""
    from dreamplay.acceleration import PLAIN, Acceleration

    found = [PLAIN, Acceleration(resident=True)]
    if device.type == "cuda":
        found.append(Acceleration(bfloat16=True, resident=True))
        found += [replace(acceleration, recorded=True) for acceleration in found[1:]]
    return [*found, *([Acceleration(device.type == "cuda", True, True)] if compiled else [])]


def one_process(
    episodes: Episodes, device: torch.device, acceleration: Acceleration, config: TrainConfig
) -> dict[str, Any]:
    """Rate and utilisation of one way to train."""
    from torch.utils.flop_counter import FlopCounterMode

    from dreamplay.acceleration import Acceleration

    with FlopCounterMode(display=False) as counter:
        frames, _ = timed(episodes, device, Acceleration(acceleration.bfloat16), replace(config, updates=15))
    each = counter.get_total_flops() / frames
    frames, seconds = timed(episodes, device, acceleration, config)
    limit = matmul_limit(device, acceleration.bfloat16)
    return {
        "batch_steps": config.batch_steps,
        "how": str(acceleration),
        "frames_per_second": frames / seconds,
        "mflop_per_frame": each / 1e6,
        "gflops": each * frames / seconds / 1e9,
        "limit_gflops": limit / 1e9,
        "utilisation": each * frames / seconds / limit,
    }


def timed(
    episodes: Episodes, device: torch.device, acceleration: Acceleration, config: TrainConfig
) -> tuple[int, float]:
    """Frames and seconds of a training, from the end of its first third to its last update; saving left out."""
    import torch

    from dreamplay.starting import start_training
    from dreamplay.training import Report, train

    training = start_training(config, episodes, str(episodes.folder), str(device))
    frames, at, warm, updates = 0, [0.0, 0.0], (config.updates or 0) // 3, config.updates

    def count(report: Report) -> None:
        nonlocal frames
        if report.updates in (warm, updates):
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            at[report.updates > warm] = time.perf_counter()
        frames += report.steps if report.updates > warm else 0

    with tempfile.TemporaryDirectory() as folder:
        train(training, episodes.split()[0], Path(folder), count, acceleration=acceleration)
    return frames, at[1] - at[0]


def matmul_limit(device: torch.device, bfloat16: bool) -> float:
    """Floating-point operations a second of a product of two matrices: large ones on a GPU."""
    import torch

    size, rounds = (8192, 20) if device.type == "cuda" else (1024, 5)
    matrix = torch.rand(size, size, device=device, dtype=torch.bfloat16 if bfloat16 else torch.float32)
    best = 0.0
    for _ in range(4):  # the first warms up
        start = time.perf_counter()
        for _ in range(rounds):
            matrix @ matrix
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = max(best, 2 * size**3 * rounds / (time.perf_counter() - start))
    return best


def under_torchrun(asked: Benchmark, count: int, batch_steps: int) -> dict[str, Any]:
    """Frames a second of `dreamplay train` in several processes, as it reports them itself."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        words = {
            "data": asked.data, "out": Path(folder) / "run", "updates": asked.updates, "device": asked.device,
            "batch-steps": batch_steps, "json": answer,
        }  # fmt: skip
        options = [word for name, value in words.items() for word in (f"--{name}", str(value))]
        run = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
        done = subprocess.run(
            [*run, "-m", "dreamplay", "train", *options],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        rate = json.loads(answer.read_text(encoding="utf-8"))["frames_per_second"]
    return {"batch_steps": batch_steps, "processes": count, "frames_per_second": rate}


if __name__ == "__main__":
    main()
