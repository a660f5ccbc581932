"""From a trained run to a shipped dream: only what a dream needs, and a card that says where it comes from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from recipes import Recipe

from dreamplay.checkpoint import read_contexts, read_manifest, read_tensors, save_checkpoint
from dreamplay.errors import UserError
from dreamplay.json_files import write_json
from dreamplay.rates import machine
from dreamplay.shipped import ORIGIN

MOST_BYTES = 8e6
CONTEXTS, CONTEXT_BYTES = 16, 1e6  # real beginnings to dream from, at most so many and so large
TOLD = ("1", "5", "10", "20", "50", "100", "200", "500", "1000")  # horizons of the card


def ship_run(name: str, recipe: Recipe, work: Path, models: Path) -> Path:
    """Strip a judged run and describe it, in a folder of its name; an earlier one of that name is replaced.

    Args:
        name: of the dream.
        recipe: what it was made by.
        work: folder of the pretraining: data.json, held-out.json, run.
        models: receives the folder.

    Raises:
        UserError: it is too large to be shipped, or has not been judged.
    """
    run, folder = work / "run", models / name
    unfinished = models / f"{name}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "evaluation").mkdir(parents=True)
    manifest = read_manifest(run)
    weights = read_tensors(run, manifest, "weights")
    contexts = read_contexts(run, manifest)
    kept = min(CONTEXTS, max(1, int(CONTEXT_BYTES // contexts["observations"][0].nbytes)))
    contexts = {name: arrays[:kept] for name, arrays in contexts.items()}
    save_checkpoint(unfinished, manifest | {"data": None, "random": None, "carried": None}, weights, contexts, None)

    judged = json.loads((run / "evaluation" / "horizon.json").read_text(encoding="utf-8"))
    judged["run"] = name
    judged["data"]["folder"] = "held-out"
    write_json(unfinished / "evaluation" / "horizon.json", judged)
    for kind in ("png", "mp4"):
        shutil.copy(run / "evaluation" / f"horizon.{kind}", unfinished / "evaluation")
    origin = describe(name, recipe, work, manifest["training"])
    write_json(unfinished / ORIGIN, origin)
    (unfinished / "README.md").write_text(card(origin, judged), encoding="utf-8")

    size = sum(file.stat().st_size for file in unfinished.rglob("*") if file.is_file())
    if size > MOST_BYTES:
        raise UserError(
            f"{unfinished} takes {size / 1e6:.1f} MB, more than the {MOST_BYTES / 1e6:.0f} MB of a shipped dream; "
            "train a smaller network, or on smaller frames"
        )
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    return folder


def describe(name: str, recipe: Recipe, work: Path, trained: dict[str, Any]) -> dict[str, Any]:
    """Where a dream comes from, as JSON values."""
    data, held_out = (json.loads((work / f"{kind}.json").read_text(encoding="utf-8")) for kind in ("data", "held-out"))
    steps = sum(play["steps"] for play in data)
    minutes = trained["done_minutes"]
    return {
        "name": name,
        "summary": f"{steps:,} steps of {', '.join(dict.fromkeys(play['agent'] for play in data))} play; "
        f"{minutes:.0f} minutes, {trained['done_updates']:,} updates",
        "env": recipe.env,
        "command": f"python scripts/pretrain.py {name}",
        "data": [_told(play) for play in data],
        "held_out": [_told(play) for play in held_out],
        "minutes": minutes,
        "updates": trained["done_updates"],
        "network_size": recipe.network_size,
        "seed": recipe.seed,
        "machine": machine(),
        "trained_on": recipe.trained_on or machine()["processor"],
        "looks": recipe.looks,
        "licence": recipe.data_licence,
    }


def card(origin: dict[str, Any], judged: dict[str, Any]) -> str:
    """The README of a shipped dream."""
    name, still = origin["name"], judged["baselines"]["last frame"]
    rows = [
        f"| {h} | {_share(at['recall'])} | {_share(at['precision'])} | {_share(still[h]['recall'])} | "
        f"{_share(still[h]['precision'])} | {_number(at['wrong_pixels'])} | {at['windows']} |"
        for h, at in judged["horizons"].items()
        if h in TOLD
    ]
    return "\n".join(
        [
            f"# {name}: a dream of {origin['env']}",
            "",
            f"    dreamplay play {name}",
            f'    gym.make("Dreamplay/Dream-v0", checkpoint="{name}")',
            "",
            "## How long it stays true",
            "",
            "Steps after the last of ten real frames, on the actions of play that it did not learn from. Found: of the",
            "moving pixels in truth, how many the dream has within two pixels; real: of those it dreams, how many are",
            "true. Beside it the last frame repeated. `evaluation/horizon.json` holds all figures.",
            "",
            "| steps ahead | found | real | found, last frame | real, last frame | wrong pixels | windows |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "![truth horizon](evaluation/horizon.png)",
            "",
            origin["looks"],
            "",
            "## What it learned from",
            "",
            *_table(origin["data"]),
            "",
            "Judged on:",
            "",
            *_table(origin["held_out"]),
            "",
            "## How it was made",
            "",
            f"`{origin['command']}`: {origin['minutes']:.0f} minutes of training, {origin['updates']:,} updates of the",
            f"default simulator, size {origin['network_size']}, seed {origin['seed']}, on {origin['trained_on']}.",
            f"Judged on {origin['machine']['processor']}, torch {origin['machine']['torch']}.",
            "",
            "## Licence",
            "",
            origin["licence"],
            "",
        ]
    )


def _told(play: dict[str, Any]) -> dict[str, Any]:
    return {key: play[key] for key in ("agent", "number", "epsilon", "aim", "steps", "mean_return")}


def _table(plays: list[dict[str, Any]]) -> list[str]:
    head = ["| agent | random actions | steps | mean return of an episode |", "|---|---|---|---|"]
    rows = []
    for play in plays:
        agent = f"{play['agent']} {play['number']}" if play["agent"] in ("follower", "teacher") else play["agent"]
        random = "all" if agent in ("random", "sticky") else f"{play['epsilon']:.0%}"
        rows.append(f"| {agent} | {random} | {play['steps']:,} | {_number(play['mean_return'])} |")
    return head + rows


def _share(value: float | None) -> str:
    return "none there" if value is None else f"{value:.2f}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"
