"""Trainings on equal data and equal processor time: made, judged by the truth horizon, kept, and used again.

Every training has one thread, and its minutes are those of its own processor time: a busy machine makes a comparison
slower, not unfair. Each runs in a process of its own, so that one that dies takes no other with it. What is finished is
used again, what was cut short goes on where it stopped; after a change to the code choose another folder.
"""

import json
import multiprocessing
import platform
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamplay.errors import UserError
from dreamplay.folders import slug
from dreamplay.json_files import write_json

RESULT = "result.json"
HELD_OUT_SEED = 0  # draws the windows to judge on, the same for all


@dataclass(frozen=True)
class Comparison:
    """What all trainings of a comparison share."""

    env: str = "Dreamplay/Bricks-v0"
    """Environment."""
    size: tuple[int, int] | None = None
    """Height and width of a frame in pixels, by subsampling; None = as `dreamplay collect` prepares it."""
    steps: int = 40_000
    """Real steps of a random agent to learn from."""
    minutes: float = 3.0
    """Processor time of each training, in minutes."""
    seeds: tuple[int, ...] = (0,)
    """A training each, of every variant."""
    horizon: int = 100
    """Largest horizon in steps."""
    windows: int = 400
    """Held-out windows."""
    jobs: int = 1
    """Trainings at the same time; at most the number of cores."""
    out: Path = Path("runs/comparison")
    """Folder for data, runs and results."""

    @property
    def name(self) -> str:
        """Of the environment as prepared, for files."""
        return slug(self.env) + ("" if self.size is None else "-{}x{}".format(*self.size))

    @property
    def data(self) -> Path:
        """Folder of the episodes."""
        return self.out / f"data-{self.name}-{self.steps}"

    def folder(self, settings: dict[str, Any], seed: int) -> Path:
        """Run folder of one training."""
        words = [f"{key}-{value}" for key, value in {**settings, "minutes": self.minutes, "seed": seed}.items()]
        return self.out / f"{self.name}-{self.steps}" / "-".join(words)


def compare(comparison: Comparison, variants: list[dict[str, Any]]) -> dict[str, Any]:
    """Trains and judges each variant with each seed.

    Args:
        comparison: what they share.
        variants: fields of `dreamplay.training.TrainConfig`.

    Returns:
        What they share, and under "results" an entry for each training that came to an end, in order; under "failed"
        the folders of the others. JSON values.

    Raises:
        UserError: none came to an end.
    """
    collect_once(comparison)
    tasks = [(settings, seed) for seed in comparison.seeds for settings in variants]
    with ThreadPoolExecutor(comparison.jobs) as pool:
        done = list(pool.map(lambda task: _in_a_process(comparison, *task), tasks))
    results = [result for result in done if result is not None and "horizons" in result]
    failed = [str(comparison.folder(*task)) for task, result in zip(tasks, done, strict=True) if result not in results]
    if not results:
        raise UserError(f"no training came to its end; see what {comparison.out} holds")
    return {
        "machine": f"{_processor()}, 1 thread each, {comparison.jobs} at a time",
        "env": comparison.env,
        "size": comparison.size,
        "steps": comparison.steps,
        "processor_minutes": comparison.minutes,
        "results": results,
        "failed": failed,
    }


def collect_once(comparison: Comparison) -> None:
    """The episodes, unless they are there: collected under another name first, so that they are whole."""
    import shutil

    from dreamplay.agents.random_agent import RandomAgent
    from dreamplay.collect import collect
    from dreamplay.envs.real import card_of, make_env
    from dreamplay.episodes import EpisodeWriter
    from dreamplay.progress import progress

    if comparison.data.is_dir():
        return
    unfinished = comparison.data.with_name(comparison.data.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    env = make_env(comparison.env, size=comparison.size)
    try:
        with EpisodeWriter(unfinished, card_of(env)) as writer, progress("collect", comparison.steps, "steps") as bar:
            collect(env, RandomAgent(env.action_space), comparison.steps, writer, seed=0, on_step=bar.advance)
    finally:
        env.close()
    unfinished.rename(comparison.data)


def train_and_judge(comparison: Comparison, settings: dict[str, Any], seed: int) -> None:
    """One training and its truth horizon, into its folder."""
    import torch

    from dreamplay.acceleration import Acceleration
    from dreamplay.checkpoint import MANIFEST
    from dreamplay.episodes import Episodes
    from dreamplay.horizon import truth_horizon
    from dreamplay.simulator import load
    from dreamplay.starting import resume_training, start_training
    from dreamplay.training import TrainConfig, train

    torch.set_num_threads(1)
    run = comparison.folder(settings, seed)
    run.mkdir(parents=True, exist_ok=True)
    episodes = Episodes.open(comparison.data)
    if (run / MANIFEST).is_file():
        training = resume_training(run, {}, "cpu")
    else:
        config = TrainConfig(minutes=comparison.minutes, seed=seed, **settings)
        training = start_training(config, episodes, str(comparison.data.resolve()), "cpu")
    whole = {"settings": settings, "seed": seed, "judged": [comparison.windows, comparison.horizon]}
    acceleration = Acceleration.of(training.device, 0)
    try:
        train(training, episodes.split()[0], run, lambda _: None, acceleration=acceleration, clock=time.process_time)
    except UserError as error:  # it diverged, and would again
        write_json(run / RESULT, {**whole, "error": str(error)})
        return
    judged = truth_horizon(
        load(run, "cpu"),
        *episodes.split(),
        windows=comparison.windows,
        horizon=comparison.horizon,
        seed=HELD_OUT_SEED,
    ).to_json()
    curves = {"horizons": judged["horizons"], "baselines": judged["baselines"]}
    write_json(run / RESULT, {**whole, "updates": training.updates, **curves})


def tell_mistakes(main: Callable[[], None]) -> None:
    """Runs a script; a mistake of its user ends in one line and exit status 2."""
    try:
        main()
    except UserError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)


def _in_a_process(comparison: Comparison, settings: dict[str, Any], seed: int) -> dict[str, Any] | None:
    """The result of one training, made now unless it is there; None if its process died."""
    result = comparison.folder(settings, seed) / RESULT
    title = f"{', '.join(map(str, settings.values()))}, seed {seed}"
    kept = _read(result)
    if kept is None or ("error" not in kept and kept["judged"] != [comparison.windows, comparison.horizon]):
        print(f"{time.strftime('%H:%M:%S')} begun: {title}", flush=True)
        process = multiprocessing.get_context("spawn").Process(
            target=train_and_judge, args=(comparison, settings, seed)
        )
        process.start()
        process.join()
        kept = _read(result) if process.exitcode == 0 else None
    said = "died; the next call goes on with it" if kept is None else kept.get("error") or f"{kept['updates']} updates"
    print(f"{time.strftime('%H:%M:%S')} {title}: {said}", flush=True)
    return kept


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _processor() -> str:
    """Its name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
