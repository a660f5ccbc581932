"""The same five commands on one environment after the other, and a table of what came of them.

    python scripts/try_environments.py --minutes 3 --steps 5000 --write docs/environments.md

Each environment goes through `dreamplay collect`, `train`, `evaluate`, `play --record` and `act` with no option but
those that say how long and where; what they leave is in --out, what is there already is not done again.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from comparison import tell_mistakes
from marked_tables import require_marks, write_between

from dreamplay.errors import UserError
from dreamplay.folders import slug
from dreamplay.rates import machine

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = (
    "ALE/Pong-v5",
    "MinAtar/Breakout-v1",
    "MiniGrid-Empty-5x5-v0",
    "CarRacing-v3",
    "CartPole-v1",
    "Pendulum-v1",
    "own_env:Lamp",  # of docs/examples, an environment written for it
)
OPTIONS = {"own_env:Lamp": ["--env-args", "max_episode_steps=50"]}  # it has no end of its own
MARKS = ("<!-- try_environments: begin -->", "<!-- try_environments: end -->")
HEADER = (
    "environment",
    "frames",
    "learned as",
    "collected, steps/s",
    "trained, updates",
    "PSNR in dB, 1 / 10 ahead",
    "last frame repeated",
    "moving pixels found / real, 10 ahead",
    "return of cem, in the real environment",
)


@dataclass(frozen=True)
class Trial:
    """What to try."""

    environments: tuple[str, ...] = ENVIRONMENTS
    """Environments, by id or module:Name; docs/examples is looked into too."""
    steps: int = 5000
    """Steps to collect of each, by a random agent."""
    minutes: float = 3.0
    """Training of each in minutes, one thread."""
    act_steps: int = 50
    """Steps after which the planner's one real episode is cut."""
    out: Path = Path("runs/environments")
    """Folder for data, runs and answers."""
    write: Path | None = None
    """Markdown file whose table is replaced, between its two marks."""


def main() -> None:
    """Try all, print the table."""
    trial = tyro.cli(Trial)
    if trial.write is not None:
        require_marks(trial.write, MARKS)
    rows = []
    for env in trial.environments:
        rows.append(try_one(trial, env))
        print(f"done: {env}", flush=True)
    text = table(trial, rows)
    print(text)
    if trial.write is not None:
        write_table(trial.write, text)


def try_one(trial: Trial, env: str) -> dict[str, Any]:
    """The answers of the five commands for one environment."""
    folder = trial.out / slug(env)
    folder.mkdir(parents=True, exist_ok=True)
    data, run = folder / "data", folder / "run"
    commands = {
        "collect": ["collect", env, "--steps", str(trial.steps), "--out", str(data), *OPTIONS.get(env, [])],
        "train": ["train", "--data", str(data), "--minutes", str(trial.minutes), "--out", str(run)],
        "evaluate": ["evaluate", str(run), "--horizon", "20"],
        "play": ["play", str(run), "--record", str(folder / "dream.mp4"), "--steps", "60"],
        "act": ["act", str(run), "--agent", "cem", "--episodes", "1", "--max-steps", str(trial.act_steps)],
    }
    return {"env": env} | {name: answer(words, folder / f"{name}.json") for name, words in commands.items()}


def answer(words: list[str], file: Path) -> dict[str, Any]:
    """What a command says in JSON; a command that was answered before is not run again."""
    if not file.is_file():
        paths = os.pathsep.join([str(ROOT / "docs" / "examples"), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "dreamplay", *words, "--json", str(file)]
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"dreamplay {' '.join(words)}: {done.stderr.strip().splitlines()[-1]}")
    value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return value


def table(trial: Trial, rows: list[dict[str, Any]]) -> str:
    """A Markdown table, with what it was made with below."""
    lines = [HEADER, ("---",) * len(HEADER), *(cells(trial, row) for row in rows)]
    made = (
        f"{trial.steps} random steps and {trial.minutes:g} minutes of training each on one thread of "
        f"{machine()['processor']}; made by `python scripts/try_environments.py --minutes {trial.minutes:g} "
        f"--steps {trial.steps} --write docs/environments.md`."
    )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n{made}"


def cells(trial: Trial, row: dict[str, Any]) -> tuple[str, ...]:
    """One line of the table."""
    run = trial.out / slug(row["env"]) / "run"
    manifest = json.loads((run / "checkpoint.json").read_text(encoding="utf-8"))
    height, width, channels = manifest["env"]["observation_space"]["shape"]
    frames = manifest["network"]["frames"]
    learned = f"{len(frames['colours'])} colours" if frames["kind"] == "palette" else frames["kind"]
    dream = [row["evaluate"]["horizons"].get(h, {}) for h in ("1", "10")]
    still = [row["evaluate"]["baselines"]["last frame"].get(h, {}) for h in ("1", "10")]
    return (
        row["env"],
        f"{height} x {width} x {channels}",
        learned,
        f"{row['collect']['steps_per_second']:.0f}",
        str(row["train"]["updates"]),
        " / ".join(fidelity(at) for at in dream),
        " / ".join(fidelity(at) for at in still),
        " / ".join(number(dream[1].get(name), 2) for name in ("recall", "precision")),
        number(row["act"]["mean_return"], 2),
    )


def fidelity(at: dict[str, Any]) -> str:
    """Signal-to-noise ratio; where every frame is right it has no bound."""
    return "exact" if at.get("exact") == 1 else number(at.get("psnr"), 1)


def number(value: float | None, digits: int) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def write_table(path: Path, text: str) -> None:
    """Replace what stands between the two marks of a file."""
    try:
        write_between(path, MARKS, text)
    except UserError as mistake:
        sys.exit(str(mistake))


if __name__ == "__main__":
    tell_mistakes(main)
