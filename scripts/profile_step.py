"""Where the time of one dream step goes, by operator, beside what the machine's matrix product would need for its sums.

    python scripts/profile_step.py runs/ALE-Pong-v5 --batch 16

The step runs in ONNX Runtime on one core, which times its operators itself. For one update of a training, of which
there is one per run folder and data folder, add `--update`: there PyTorch's profiler times the operators.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro


@dataclass(frozen=True)
class Profile:
    """What to profile."""

    checkpoint: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Run folder."""
    batch: int = 64
    """Dreams at once."""
    steps: int = 60
    """Steps, or updates, to profile; an operator's median counts."""
    update: bool = False
    """Profile updates on the run's data instead."""
    top: int = 14
    """Operators to show."""


def main() -> None:
    """Profile, print one table."""
    from dreamplay.rates import matmul_rate, measure, one_core

    asked = tyro.cli(Profile, description=__doc__)
    with one_core():
        times = of_updates(asked) if asked.update else of_steps(asked)
        limit = measure({"matmul": matmul_rate()}, rounds=5, seconds=0.1)["matmul"].median / 1e9
    total = sum(times.values())
    for name, microseconds in sorted(times.items(), key=lambda item: -item[1])[: asked.top]:
        print(f"{name:>44}  {microseconds:9.1f} us  {microseconds / total:5.1%}")
    what = "update" if asked.update else f"step of {asked.batch} dreams"
    print(f"{total:,.0f} us in the operators of one {what}; matrix product {limit:.0f} GFLOP/s")


def of_steps(asked: Profile) -> dict[str, float]:
    """Microseconds of a step by kind of operator."""
    import onnxruntime

    from dreamplay.simulator import load

    simulator = load(asked.checkpoint, "cpu", "onnx")
    simulator.stepper.session(False)
    start = simulator.contexts[0]
    state = simulator.start(start.observations[None], start.actions[None])
    feed: dict[str, Any] = {name: value.numpy().repeat(asked.batch, 0) for name, value in state.items()}
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.enable_profiling, options.log_severity_level = 1, True, 3
        options.profile_file_prefix = str(Path(folder) / "profile")
        graph = simulator.stepper.graphs[False]
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        action = next(value for value in session.get_inputs() if value.name == "action")
        feed["action"] = np.zeros((asked.batch, action.shape[1]), np.float32)
        for _ in range(asked.steps):
            session.run(None, feed)
        return by_operator(json.loads(Path(session.end_profiling()).read_text()))


def by_operator(events: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Sums over the operators of a kind of each one's median, from the events of ONNX Runtime's profile."""
    durations: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            durations[event["args"]["op_name"], event["name"]].append(event["dur"])
    kinds: dict[str, float] = defaultdict(float)
    for (kind, _), each in durations.items():
        kinds[kind] += float(np.median(each))
    return dict(kinds)


def of_updates(asked: Profile) -> dict[str, float]:
    """Microseconds of an update by operator, in teacher forcing."""
    from torch.profiler import ProfilerActivity, profile

    from dreamplay.acceleration import Acceleration
    from dreamplay.checkpoint import read_manifest
    from dreamplay.episodes import Episodes
    from dreamplay.starting import start_training
    from dreamplay.training import TrainConfig, train

    data = asked.checkpoint / read_manifest(asked.checkpoint)["data"]
    episodes = Episodes.open(data)
    config = TrainConfig(updates=asked.steps, curriculum="teacher-forcing")
    training = start_training(config, episodes, str(data), "cpu")
    acceleration = Acceleration.of(training.device, 0)
    with tempfile.TemporaryDirectory() as folder, profile(activities=[ProfilerActivity.CPU]) as found:
        train(training, episodes.split()[0], Path(folder), lambda report: None, acceleration=acceleration)
    return {event.key: event.self_cpu_time_total / asked.steps for event in found.key_averages()}


if __name__ == "__main__":
    main()
