"""Make a shipped dream from its recipe: collect, train, judge, strip, describe.

    python scripts/pretrain.py pong                                   # hours; killed or interrupted, call it again
    python scripts/pretrain.py bricks --minutes 5 --steps 10000 --models /tmp/models    # a quick try

What a stage has finished is in --work and is not done again; the training goes on where it stopped. Remove a part to
have it made anew. The dream appears in dreamplay/models, replacing an earlier one of that name.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from comparison import tell_mistakes
from recipes import RECIPES, Play, Recipe

from dreamplay.commands.evaluate import Evaluate
from dreamplay.commands.train import Train
from dreamplay.errors import UserError
from dreamplay.json_files import write_json
from dreamplay.shipped import MODELS

if TYPE_CHECKING:
    import gymnasium as gym

    from dreamplay.agents.agent import Agent

HELD_OUT_SEED = 10_000  # added to the recipe's: no game of the held-out data begins as one of the others


@dataclass(frozen=True)
class Pretrain:
    """Make a shipped dream from its recipe."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
    """Name of the recipe, in scripts/recipes.py."""
    steps: int | None = None
    """Steps to collect, over the same mix of agents; the recipe's if not given."""
    minutes: float | None = None
    """Training of the simulator in minutes; the recipe's if not given."""
    teacher_minutes: float | None = None
    """Lessons of the teacher in minutes; the recipe's if not given."""
    windows: int = 400
    """Held-out windows to judge on."""
    threads: int = 1
    """Processor threads of the training."""
    device: str = "auto"
    """Where to train and judge: auto, cpu, cuda."""
    work: Path | None = None
    """Folder for data, run and evaluation; runs/pretrain/NAME if not given."""
    models: Path = MODELS
    """Where the dream is put, in a folder of its name."""
    until: str = "ship"
    """Last stage: data, held-out, train, judge or ship."""


def main() -> None:
    """Follow the recipe."""
    asked = tyro.cli(Pretrain, description=__doc__)
    recipe, work = recipe_of(asked), asked.work or Path("runs/pretrain") / asked.name
    stages: dict[str, Callable[[], object]] = {
        "data": lambda: collect(recipe, recipe.plays, work, work / "data", recipe.seed),
        "held-out": lambda: collect(recipe, recipe.held_out, work, work / "held-out", recipe.seed + HELD_OUT_SEED),
        "train": lambda: train(recipe, work, asked),
        "judge": lambda: judge(work, asked),
        "ship": lambda: ship(asked.name, recipe, work, asked.models),
    }
    if asked.until not in stages:
        raise UserError(f"--until {asked.until} is no stage; choose one of {', '.join(stages)}")
    for name, stage in stages.items():
        stage()
        if name == asked.until:
            break


def recipe_of(asked: Pretrain) -> Recipe:
    """The recipe, scaled to what was asked for.

    Raises:
        UserError: there is no such recipe, or a number is not possible.
    """
    if asked.name not in RECIPES:
        raise UserError(f"there is no recipe {asked.name!r}; choose one of {', '.join(RECIPES)}")
    recipe = RECIPES[asked.name]
    for option in ("steps", "minutes", "teacher_minutes"):
        if (value := getattr(asked, option)) is not None and not value > 0:
            raise UserError(f"--{option.replace('_', '-')} {value} is not possible; it must be above 0")
    if asked.steps is not None:
        share = asked.steps / sum(play.steps for play in recipe.plays)
        shrunk = (
            tuple(replace(play, steps=max(1, round(share * play.steps))) for play in plays)
            for plays in (recipe.plays, recipe.held_out)
        )
        recipe = replace(recipe, plays=next(shrunk), held_out=next(shrunk))
    if asked.minutes is not None:
        recipe = replace(recipe, minutes=asked.minutes)
    return replace(recipe, teacher_minutes=asked.teacher_minutes or recipe.teacher_minutes)


def collect(recipe: Recipe, plays: tuple[Play, ...], work: Path, folder: Path, seed: int) -> None:
    """Record data, play by play; one that is there is not done again."""
    for number, play in enumerate(plays):
        record(recipe, play, work, folder, number, seed + number)


def record(recipe: Recipe, play: Play, work: Path, folder: Path, number: int, seed: int) -> None:
    """The play of that number, appended to a folder whole, so that an interrupted one leaves nothing behind."""
    from dreamplay.collect import collect
    from dreamplay.envs.real import card_of, make_env
    from dreamplay.episodes import Episodes, EpisodeWriter
    from dreamplay.progress import progress

    told = folder.with_name(f"{folder.name}.json")  # what is in the folder
    done: list[dict[str, Any]] = json.loads(told.read_text(encoding="utf-8")) if told.is_file() else []
    if number < len(done):
        return
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    env = make_env(recipe.env, size=recipe.size)
    agent = agent_of(recipe, play, work, env)
    title = f"{folder.name} {number + 1}: {play.agent}"
    try:
        with EpisodeWriter(part, card_of(env)) as writer, progress(title, play.steps, "steps") as bar:
            collected = collect(env, agent, play.steps, writer, seed=seed, on_step=bar.advance)
    finally:
        env.close()
    before = sum(entry["steps"] for entry in done)
    with EpisodeWriter(folder, card_of(env), append=True) as whole:
        if whole.steps == before:  # else it was appended, and not told of
            for episode in Episodes.open(part):
                whole.add(episode)
    shutil.rmtree(part)
    done.append(asdict(play) | {"returns": collected.returns, "mean_return": collected.mean_return})
    write_json(told, done)


def agent_of(recipe: Recipe, play: Play, work: Path, env: gym.Env[Any, Any]) -> Agent:
    """Who acts in a play; what it has to learn first is learned now, unless it is there."""
    from dreamplay.agents.choose import choose_collector
    from dreamplay.agents.epsilon_greedy import EpsilonGreedy

    if play.agent in ("random", "sticky"):
        return choose_collector(play.agent, env, play.epsilon)
    if play.agent == "follower":
        from follower import Follower

        rule = replace(rules_of(recipe, work)[play.number], slack=play.slack)
        agent: Agent = Follower(rule, env, play.aim)
    else:
        from teacher import SHARES, Teacher, snapshot, teach

        from dreamplay.progress import progress

        with progress("teacher", 60 * recipe.teacher_minutes, "seconds") as bar:
            teach(recipe.env, work / "teacher", recipe.teacher_minutes, recipe.seed, bar.advance)
        agent = Teacher(snapshot(work / "teacher", SHARES[play.number]), env)
    return EpsilonGreedy(agent, env.action_space, play.epsilon)


def rules_of(recipe: Recipe, work: Path) -> list[Any]:
    """The rules of the followers, found now or before."""
    from follower import Rule, find_followers, most_steps

    from dreamplay.progress import progress

    told = work / "followers.json"
    if not told.is_file():
        with progress("followers", most_steps(), "steps") as bar:
            found = find_followers(recipe.env, recipe.seed, on_steps=bar.advance)
        work.mkdir(parents=True, exist_ok=True)
        write_json(told, [asdict(rule) | {"rewards_per_1000_steps": score} for rule, score in found])
    rules = json.loads(told.read_text(encoding="utf-8"))
    names = Rule.__dataclass_fields__
    return [Rule(**{k: tuple(v) if k == "others" else v for k, v in rule.items() if k in names}) for rule in rules]


def train(recipe: Recipe, work: Path, asked: Pretrain) -> None:
    """Train the simulator, or go on with it."""
    Train(
        data=work / "data",
        minutes=recipe.minutes,
        network_size=recipe.network_size,  # type: ignore[arg-type]
        out=work / "run",
        resume=True,
        device=asked.device,
        threads=asked.threads,
        seed=recipe.seed,
        **recipe.settings,  # type: ignore[arg-type]
    ).run()


def judge(work: Path, asked: Pretrain) -> None:
    """Measure the truth horizon, unless that is there and younger than the weights."""
    judged = work / "run" / "evaluation" / "horizon.json"
    if judged.is_file() and judged.stat().st_mtime >= (work / "run" / "checkpoint.json").stat().st_mtime:
        return
    Evaluate(
        work / "run", data=work / "data", held_out=work / "held-out", windows=asked.windows, device=asked.device
    ).run()


def ship(name: str, recipe: Recipe, work: Path, models: Path) -> None:
    """Strip the run to what a dream needs, and describe it."""
    from shipping import ship_run

    folder = ship_run(name, recipe, work, models)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{name} is in {folder}, {size / 1e6:.1f} MB\nnext: dreamplay play {name}")


if __name__ == "__main__":
    tell_mistakes(main)
