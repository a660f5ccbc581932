"""Train variants on equal data and equal minutes, over several seeds, and put their truth horizons side by side.

    python scripts/compare_training.py --env Dreamplay/Bricks-v0 --vary simulator=default,classic --minutes 3

Every training has one thread; as many run at once as there are processor cores given by --jobs, so that all share the
machine alike. Data, runs and results go to --out; data found there are used again.
"""

import itertools
import multiprocessing
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from dreamplay.json_files import write_json

METRICS = ("exact", "wrong_pixels", "recall", "precision", "reward_recall", "reward_precision")


@dataclass(frozen=True)
class Comparison:
    """What to compare."""

    env: str = "Dreamplay/Bricks-v0"
    """Environment."""
    vary: tuple[str, ...] = ("simulator=default,classic",)
    """Settings of `dreamplay.training.TrainConfig` and their values; all combinations are trained."""
    steps: int = 40_000
    """Real steps of a random agent, the same for all."""
    minutes: float = 3.0
    """Training of each variant, in minutes."""
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


def main() -> None:
    """Collect, train all, print one table."""
    comparison = tyro.cli(Comparison)
    slug = comparison.env.replace("/", "-")
    data = comparison.out / f"data-{slug}"
    if not (data / "data.json").is_file():
        from dreamplay.commands.collect import Collect

        Collect(env=comparison.env, steps=comparison.steps, out=data).run()
    tasks = [(comparison, data, variant, seed) for variant in variants(comparison.vary) for seed in comparison.seeds]
    with multiprocessing.get_context("spawn").Pool(comparison.jobs, maxtasksperchild=1) as pool:
        results = []
        for result in pool.imap(train_and_judge, tasks):
            results.append(result)
            print(f"done: {result['variant']}, seed {result['seed']}, {result['updates']} updates", flush=True)
    write_json(
        comparison.out / f"comparison-{slug}-{'-'.join(results[0]['variant'])}.json",
        {
            "machine": f"{platform.processor() or platform.machine()}, 1 thread each, {comparison.jobs} at a time",
            "env": comparison.env,
            "steps": comparison.steps,
            "minutes": comparison.minutes,
            "results": results,
        },
    )
    print_table(results)


def variants(vary: tuple[str, ...]) -> list[dict[str, Any]]:
    """All combinations of "name=value,value" texts, values taken as numbers where they are."""
    axes = []
    for text in vary:
        name, _, values = text.partition("=")
        axes.append([(name, number(value)) for value in values.split(",")])
    return [dict(combination) for combination in itertools.product(*axes)]


def number(text: str) -> int | float | str:
    """The number that a text is, or the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def train_and_judge(task: tuple[Comparison, Path, dict[str, Any], int]) -> dict[str, Any]:
    """One training and its truth horizon."""
    import torch

    from dreamplay.episodes import Episodes
    from dreamplay.folders import claim
    from dreamplay.horizon import truth_horizon
    from dreamplay.simulator import load
    from dreamplay.starting import start_training
    from dreamplay.training import TrainConfig, train

    comparison, data, variant, seed = task
    torch.set_num_threads(1)
    episodes = Episodes.open(data)
    name = "-".join(f"{key}-{value}" for key, value in variant.items())
    run = claim(comparison.out / f"{comparison.env.replace('/', '-')}-{name}-seed-{seed}")
    config = TrainConfig(minutes=comparison.minutes, seed=seed, **variant)
    training = start_training(config, episodes, str(data.resolve()), "cpu")
    train(training, episodes.split()[0], run, lambda report: None)
    judged = truth_horizon(
        load(run, "cpu"), *episodes.split(), windows=comparison.windows, horizon=comparison.horizon, seed=0
    ).to_json()
    return {"variant": variant, "seed": seed, "updates": training.updates, "horizons": judged["horizons"]}


def print_table(results: list[dict[str, Any]]) -> None:
    """A block per horizon, a row per training."""
    from rich.console import Console
    from rich.table import Table

    table = Table("horizon", "variant", "seed", "updates", *METRICS)
    for horizon in results[0]["horizons"]:
        for result in results:
            at = result["horizons"][horizon]
            cells = ["–" if at.get(metric) is None else f"{at[metric]:.3f}" for metric in METRICS]
            name = ", ".join(f"{key} {value}" for key, value in result["variant"].items())
            table.add_row(horizon, name, str(result["seed"]), str(result["updates"]), *cells)
        table.add_section()
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
