"""Peak memory and time of one update, activations kept or computed twice (`--checkpoint-gradients`), by window length.

    python scripts/benchmark_memory.py --size 64 64 --steps 32 128 512

Each measurement has a process of its own, which first makes a small update: what is reported is the growth of its
resident memory over that, at its highest. The frame is random and of few colours; what it shows does not matter here.
"""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

from dreamplay.json_files import write_json

ACTIONS, REWARDS = 6, 3


@dataclass(frozen=True)
class Memory:
    """What to measure."""

    simulator: Literal["default", "classic"] = "default"
    """Which network."""
    size: tuple[int, int] = (64, 64)
    """Height and width of a frame in pixels."""
    colours: int = 9
    """Colours of a frame."""
    batch: int = 2
    """Windows per update."""
    steps: tuple[int, ...] = (32, 128, 512)
    """Window lengths."""
    json: Path | None = None
    """File for the numbers."""


def main() -> None:
    """Measure all, print one table."""
    from rich.console import Console
    from rich.table import Table

    asked = tyro.cli(Memory, description=__doc__)
    tasks = [(asked, steps, twice) for steps in asked.steps for twice in (False, True)]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        results = pool.starmap(measure, tasks, chunksize=1)
    table = Table("steps", "activations", "peak memory, MB", "processor time, s")
    for result in results:
        kept = "computed twice" if result["checkpoint_gradients"] else "kept"
        table.add_row(str(result["steps"]), kept, f"{result['megabytes']:.0f}", f"{result['seconds']:.2f}")
    Console().print(table)
    if asked.json is not None:
        write_json(asked.json, {"simulator": asked.simulator, "size": asked.size, "results": results})


def measure(asked: Memory, steps: int, checkpoint_gradients: bool) -> dict[str, Any]:
    """One update on windows of that length, in this process."""
    import torch

    from dreamplay.objective import objective
    from dreamplay.recomputation import recomputed_objective

    torch.set_num_threads(1)
    update = updater(asked, recomputed_objective if checkpoint_gradients else objective)
    update(2)
    before, begun = peak(), time.process_time()
    update(steps)
    seconds = time.process_time() - begun
    return {
        "steps": steps,
        "checkpoint_gradients": checkpoint_gradients,
        "megabytes": (peak() - before) / 1e6,
        "seconds": seconds,
    }


def updater(asked: Memory, compute: Callable[..., Any]) -> Callable[[int], None]:
    """A function that computes the gradients of one batch of windows of the given length."""
    import torch

    from dreamplay.classic import ClassicNetwork, RawFrames
    from dreamplay.curriculum import window
    from dreamplay.frames import Patches, choose_frames
    from dreamplay.network import Network, NetworkConfig, patch_side
    from dreamplay.objective import Targets

    rng = np.random.default_rng(0)
    palette = rng.choice(256, (asked.colours, 3)).astype(np.uint8)

    frame = palette[rng.integers(asked.colours, size=(asked.batch, 1, *asked.size))]
    network: Network | ClassicNetwork
    if asked.simulator == "classic":
        network = ClassicNetwork(RawFrames(np.full(3, 0.5)), asked.size, ACTIONS, REWARDS)
    else:
        codec = choose_frames(Patches(asked.size, patch_side(asked.size)), [frame])
        network = Network(codec, ACTIONS, REWARDS, NetworkConfig())
    codes = network.frames.encode(frame)

    def update(steps: int) -> None:
        shape = (asked.batch, steps)
        targets = Targets(
            codes.repeat(1, steps + 1, *[1] * (codes.ndim - 2)),
            torch.eye(ACTIONS)[torch.from_numpy(rng.integers(ACTIONS, size=shape))],
            torch.eye(REWARDS)[torch.from_numpy(rng.integers(REWARDS, size=shape))],
            torch.zeros(shape),
            torch.ones(shape),
            torch.zeros(shape, dtype=torch.bool),
            torch.zeros(REWARDS),
        )
        network.zero_grad()
        compute(network, targets, window(steps)).total.backward()

    return update


def peak() -> float:
    """Most resident memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
