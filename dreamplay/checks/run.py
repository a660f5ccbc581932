"""What is wrong with a trained run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dreamplay.checks.finding import Finding, error, note, of_message, warning
from dreamplay.envs.images import RECORDED
from dreamplay.envs.real import make_env
from dreamplay.errors import UserError
from dreamplay.simulator import Simulator, load

STEPS = 100
JUDGED_AT = "10"  # steps ahead


def check_run(run: Path, seed: int) -> list[Finding]:
    """What a run folder lacks: damage, an unfinished training, lost data or environment, a dream that stands still."""
    from dreamplay.checkpoint import read_manifest

    try:
        progress = float(read_manifest(run)["progress"])
        simulator = load(run, "cpu")
    except UserError as problem:
        return [of_message(str(problem))]
    found = [note(f"a dream of {simulator.card.id}: every file is as it was written")]
    if progress < 1:
        cure = f"go on: dreamplay train --out {run} --resume"
        found.append(warning(f"the training stopped at {progress:.0%}", cure))
    return [*found, *_surroundings(run, simulator), *_dream(simulator, seed), *_judgement(run, simulator)]


def _surroundings(run: Path, simulator: Simulator) -> Iterator[Finding]:
    from dreamplay.commands.evaluate import open_data

    try:
        open_data(None, simulator, run)
    except UserError as problem:
        what, _, _ = str(problem).rpartition("; ")
        yield warning(f"it cannot be evaluated: {what or problem}", f"dreamplay evaluate {run} --data DIR")
    if simulator.card.preparation.source == RECORDED:
        yield note("it was learned from recordings: there is no real environment to play or act in beside it")
        return
    try:
        make_env(run).close()
    except UserError as problem:
        yield warning(f"the real environment cannot be made: {problem}", "the dream alone can still be played")


def _dream(simulator: Simulator, seed: int) -> Iterator[Finding]:
    """Dreams from every stored context, by random actions."""
    space, contexts = simulator.card.action_space, simulator.contexts
    space.seed(seed)
    actions = np.array([[space.sample() for _ in range(STEPS)] for _ in contexts])
    observations = np.stack([context.observations for context in contexts])
    rollout = simulator.rollout(observations, np.stack([context.actions for context in contexts]), actions)
    frames = np.concatenate([observations[:, -1:], rollout.observations], 1)
    moving = (frames[:, 1:] != frames[:, :-1]).any((2, 3, 4))  # (M, T)
    still = float(np.mean(~moving[:, STEPS // 2 :].any(1)))
    if still == 1:
        yield warning(f"every dream stands still after {STEPS // 2} steps", "train longer, or check its data")
    elif still > 0.2:
        yield warning(f"{still:.0%} of the dreams stand still after {STEPS // 2} steps", "train longer")
    ended = float(np.mean(rollout.termination_probability[:, 0] > 0.5))
    if ended > 0.2:
        yield warning(f"{ended:.0%} of the dreams end at their first step", "train longer, or check its data")
    if not np.isfinite(rollout.rewards).all():
        yield error("it dreams rewards that are no numbers", "train it anew, at a lower --learning-rate")


def _judgement(run: Path, simulator: Simulator) -> Iterator[Finding]:
    judged = simulator.horizon
    if judged is None:
        yield note("not evaluated yet", f"dreamplay evaluate {run}")
        return
    curves = (judged["horizons"], judged["baselines"]["last frame"])
    dreamed, still = (curve.get(JUDGED_AT, {}).get("wrong_pixels") for curve in curves)
    if dreamed is None or still is None:
        return
    said = f"{JUDGED_AT} steps ahead {dreamed:.1f} pixels are wrong, {still:.1f} if the last frame is repeated"
    if dreamed > still:
        yield warning(f"{said}: the dream is no better", f"dreamplay train --out {run} --resume --minutes MORE")
    else:
        yield note(said)
