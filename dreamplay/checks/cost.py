"""What a training will need, found out by training for some seconds."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dreamplay.checks.finding import Finding, note, of_message
from dreamplay.episodes import Episodes
from dreamplay.errors import UserError
from dreamplay.shards import bytes_per_step

SLOW = 100  # frames a second


@dataclass(frozen=True)
class Cost:
    """What was measured."""

    parameters: int
    frames_per_second: float
    memory: int | None
    """Largest memory of this process in bytes, PyTorch included; None where it cannot be told."""
    bytes_per_step: int
    """On disk."""
    frames: str
    """Codec of the frames: "palette" or "colour"."""

    def lines(self) -> list[Finding]:
        """In words."""
        memory = "" if self.memory is None else f", {self.memory / 1e6:.0f} MB of memory in all"
        per_minute = 60 * self.frames_per_second
        cure = "smaller frames learn faster: --size, such as half of each side" if self.frames_per_second < SLOW else ""
        return [
            note(
                f"training: {self.parameters / 1e6:.2f} M parameters, {self.frames} frames, "
                f"{self.frames_per_second:.0f} a second here on one thread ({per_minute / 1000:.0f} thousand a minute)"
                f"{memory}; 20000 steps take {20000 * self.bytes_per_step / 1e6:.0f} MB on disk",
                cure,
            )
        ]


def try_training(episodes: Episodes, seconds: float, seed: int = 0) -> tuple[Cost | None, list[Finding]]:
    """Train for some seconds through the whole curriculum, into a folder that is thrown away.

    Args:
        episodes: the data.
        seconds: how long.
        seed: of the training.
    """
    import torch

    from dreamplay.acceleration import Acceleration
    from dreamplay.starting import start_training
    from dreamplay.training import Report, TrainConfig, train

    seen = 0

    def count(report: Report) -> None:
        nonlocal seen
        seen += report.steps

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        try:
            config = TrainConfig(minutes=seconds / 60, seed=seed)
            training = start_training(config, episodes, str(episodes.folder), "cpu")
            acceleration = Acceleration.of(training.device, 0)
            train(training, episodes.split()[0], Path(folder), count, acceleration=acceleration)
        except UserError as problem:
            return None, [of_message(str(problem))]
    cost = Cost(
        parameters=sum(parameter.numel() for parameter in training.network.parameters()),
        frames_per_second=seen / max(60 * training.minutes, 1e-9),
        memory=_peak_memory(),
        bytes_per_step=bytes_per_step(episodes.card),
        frames=str(training.network.frames.to_json()["kind"]),
    )
    return cost, cost.lines()


def _peak_memory() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
