"""Training: episodes in, a run folder with a checkpoint out. The loop is `train`, top to bottom."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dreamplay.acceleration import PLAIN, Acceleration
from dreamplay.batches import Carried, draw_batch
from dreamplay.checkpoint import optimiser_tensors, save_checkpoint
from dreamplay.classic import ClassicNetwork
from dreamplay.curriculum import SLICES, Stage, curriculum
from dreamplay.envs.card import EnvCard
from dreamplay.episodes import Episode
from dreamplay.errors import UserError
from dreamplay.feeds import Codecs, Resident, Streamed
from dreamplay.hardness import Hardness
from dreamplay.interruption import deferred_interrupt
from dreamplay.network import Network
from dreamplay.noise import noise_state, own_noise
from dreamplay.objective import Losses
from dreamplay.own_loss import OwnLoss
from dreamplay.ranks import Ranks
from dreamplay.recorded import Recorded, own_stream
from dreamplay.rehearsal import Events
from dreamplay.rewards import RewardBins
from dreamplay.simulator import describe_network
from dreamplay.update import Update, set_rate
from dreamplay.whole_files import write_whole
from dreamplay.windows import Windows

LOG = "log.jsonl"
SAVE_SECONDS = 60.0
WARM_UP_UPDATES = 50
LOG_EVERY = 10


@dataclass(frozen=True)
class Recipe:
    """What a simulator is trained with unless told otherwise."""

    learning_rate: float
    batch_steps: int
    clip_norm: float
    """Largest norm of a gradient; a larger one is scaled down."""
    predicted_steps: int | None = None
    """Most steps of such an update that are predicted and carry a loss, see `dreamplay.step_weights`; None = all."""

    def windows(self, stage: Stage, batch_steps: int) -> int:
        """How many windows an update takes: no more dreams than are learned from, for each of their steps is costly."""
        count = batch_steps // len(stage.real)
        if stage.predicted and (predicted := self.predicted(batch_steps)) is not None:
            count = min(count, predicted // (len(stage.real) - stage.warm_up))
        return max(1, count)

    def predicted(self, batch_steps: int) -> int | None:
        """Most steps of an update that are predicted: more in a larger batch than the recipe's, in proportion."""
        if self.predicted_steps is None:
            return None
        return max(self.predicted_steps, self.predicted_steps * batch_steps // self.batch_steps)


# Classic: Chiappa et al. 2017, appendix A, 16 windows of 10 + 15 steps. They do not clip: the bound is for runaways.
RECIPES = {"default": Recipe(1e-2, 256, 10.0, 64), "classic": Recipe(1e-5, 400, 1e5)}


@dataclass(frozen=True)
class TrainConfig:
    """How a simulator is trained; stored in the checkpoint."""

    simulator: str = "default"
    """Which network: "default" or "classic"."""
    curriculum: str = "default"
    """Name of the curriculum."""
    updates: int | None = None
    """Length in updates, or None."""
    minutes: float | None = None
    """Length in minutes, or None; exactly one of the two is given."""
    batch_steps: int | None = None
    """Steps per update of all ranks together, windows times their length; None = the recipe's."""
    learning_rate: float | None = None
    """Highest learning rate; None = the recipe's."""
    seed: int = 0
    """Seed of weights and windows."""
    checkpoint_gradients: bool = False
    """Whether to compute activations twice rather than to keep them, see `dreamplay.recomputation`."""
    frames: str | None = None
    """How frames are learned, "palette" or "colour"; None = as the data ask for, see `dreamplay.frames`."""
    network_size: str = "base"
    """Size of the default simulator, see `dreamplay.network_sizes`; the classic one has its published size."""


@dataclass
class Training:
    """A training under way: everything that a killed run needs to continue as if it had not been killed."""

    config: TrainConfig
    card: EnvCard
    rewards: RewardBins
    mean_reward: float
    data_folder: str
    network: Network | ClassicNetwork
    optimiser: torch.optim.Optimizer
    contexts: dict[str, np.ndarray]
    rng: np.random.Generator
    noise: Tensor
    device: torch.device
    updates: int = 0
    minutes: float = 0.0
    carried: Carried | None = None
    rehearsed: Events | None = None
    hardness: Hardness = field(default_factory=lambda: Hardness(0))
    """Of the steps of its data; of other data than before it knows nothing."""
    finished: tuple[int, float] = (0, 0.0)
    """Updates and minutes after which it was finished before, if it was: what came since is learned by half a
    curriculum of its own. At the low rate that a curriculum ends with, new data would hardly be."""

    @property
    def progress(self) -> float:
        """How far its curriculum is, in [0, 1]; of a training that goes on once it was finished, in [0.5, 1]."""
        done, before, total = self.minutes, self.finished[1], self.config.minutes or 1.0
        if self.config.updates is not None:
            done, before, total = float(self.updates), float(self.finished[0]), float(self.config.updates)
        if done >= total:
            return 1.0
        since = (done - before) / (total - before)
        return (1 + since) / 2 if before else since

    def rehearse(self, events: Events, ranks: Ranks) -> None:
        """Keep these events of this rank, and those of the others, to be judged again."""
        if self.rehearsed is not None:
            if ranks.count > 1:
                events = Events(**ranks.gather(events.alone()._asdict())).to(self.device)
            for place, kept in zip(self.rehearsed, Events.joined([self.rehearsed, events]).last(), strict=True):
                place.copy_(kept)

    def save(self, run: Path) -> None:
        """Write the checkpoint, whole or not at all. All ranks call it, the first one writes.

        Raises:
            UserError: a weight is not finite; what was saved before stays.
            OSError: the disk is full or not writable; what was saved before stays.
        """
        state = Ranks.current().gather(self.carried.state) if self.carried is not None else {}
        if not Ranks.current().lead:
            return
        weights, training = self.network.state_dict(), optimiser_tensors(self.optimiser)
        training |= {f"noise.{self.device.type}": self.noise}
        carried = None
        if self.carried is not None:
            carried = {**self.carried.places._asdict(), "windows": self.carried.windows}
            training |= {f"carried.{name}": value for name, value in state.items()}
        if self.rehearsed is not None:
            training |= {f"rehearsed.{name}": value for name, value in self.rehearsed._asdict().items()}
        training |= {f"hardness.{name}": value for name, value in self.hardness.tensors().items()}
        if not all(bool(tensor.isfinite().all()) for tensor in (*weights.values(), *training.values())):
            raise UserError(_diverged(self.updates, run))
        done = {"done_updates": self.updates, "done_minutes": self.minutes, "finished": list(self.finished)}
        manifest = {
            "env": self.card.to_json(),
            "network": describe_network(self.network),
            "rewards": self.rewards.to_json(),
            "mean_reward": self.mean_reward,
            "data": self.data_folder,
            "training": asdict(self.config) | done,
            "progress": self.progress,
            "random": self.rng.bit_generator.state,
            "carried": carried,
        }
        save_checkpoint(run, manifest, weights, self.contexts, training)


@dataclass(frozen=True)
class Report:
    """What one update reports."""

    updates: int
    progress: float
    minutes: float
    stage: Stage
    losses: Losses
    gradient_norm: Tensor
    steps: int

    def to_json(self) -> dict[str, Any]:
        """One line of the run's log."""
        return {
            "updates": self.updates,
            "progress": round(self.progress, 5),
            "minutes": round(self.minutes, 4),
            "real": sum(self.stage.real),
            "predicted": self.stage.predicted,
            "loss": self.losses.total.item(),
            "frame": self.losses.frame,
            "reward": self.losses.reward,
            "termination": self.losses.termination,
            "gradient_norm": self.gradient_norm.item(),
        }


def train(
    training: Training,
    episodes: list[Episode],
    run: Path,
    on_update: Callable[[Report], None],
    *,
    acceleration: Acceleration = PLAIN,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Train to the end of the curriculum, saving at the start, every minute, at the end, and when interrupted.

    Ctrl-C, or a KeyboardInterrupt from `on_update`, saves after the update in hand and is then raised. In a process
    group all ranks call this, with the same training and episodes, and share each batch; see `dreamplay.ranks`.

    Args:
        training: new (`start_training`) or continued (`resume_training`).
        episodes: the training episodes.
        run: folder of the checkpoint; exists.
        on_update: called after each update.
        acceleration: how the device is used.
        clock: seconds; what the minutes of the training are counted in. `time.process_time` makes them processor time,
            which other programs on the machine do not shorten.

    Raises:
        UserError: loss, gradient or weights are not finite; the last good checkpoint stays.
        OSError: the disk is full or not writable; the last checkpoint stays.
    """
    config, network, optimiser = training.config, training.network, training.optimiser
    schedule, windows, ranks = curriculum(config.curriculum), Windows(episodes), Ranks.current()
    codecs = Codecs(network.frames, training.card, training.rewards)
    kept = acceleration.resident
    feed = Resident(episodes, codecs, training.device) if kept else Streamed(windows, codecs, training.device)
    recipe = RECIPES[config.simulator]
    batch_steps = config.batch_steps or recipe.batch_steps
    if len(training.hardness) != windows.steps:
        training.hardness = Hardness(windows.steps)
    if training.updates == 0:
        training.save(run)  # from here on there always is a checkpoint to resume
    if ranks.lead:
        _cut_log(run / LOG, training.updates)
    network.train()
    acceleration.prepare(network)
    some_idle = schedule(0).windows > 1  # a state that is carried on needs nothing from a first frame
    own_loss = ranks.share(OwnLoss(network, acceleration, ranks), some_idle)

    def check(number: Tensor) -> None:
        if not isfinite(number.item()):
            raise UserError(_diverged(training.updates, run))

    update: Any = Update(training, own_loss, recipe.clip_norm, ranks, check)
    if acceleration.recorded and ranks.count == 1 and recipe.predicted_steps and not config.checkpoint_gradients:
        update = Recorded(update)
    before = saved = clock()
    stopped = False
    with (
        deferred_interrupt() as stop,
        own_stream(training.device),
        own_noise(training.device, training.noise if ranks.lead else config.seed + training.updates + ranks.rank),
        (run / LOG if ranks.lead else Path(os.devnull)).open("a", encoding="utf-8") as log,
    ):
        while (progress := training.progress) < 1 and not stopped:
            stage = schedule(progress)
            batch = draw_batch(
                windows,
                feed,
                stage,
                training.carried,
                recipe.windows(stage, batch_steps),
                recipe.predicted(batch_steps),
                network,
                training.hardness,
                training.rng,
                ranks,
            )
            set_rate(optimiser, stage.rate * min(1.0, (training.updates + 1) / WARM_UP_UPDATES))
            losses, norm = update(batch)
            training.hardness.note(batch.numbers, ranks.gather({"hardness": losses.hardness})["hardness"])
            logged = training.updates % LOG_EVERY == 0
            if logged:
                training.hardness.settle()
                check(losses.total + norm)  # what a GPU does in between is looked at when it is saved
            training.carried = batch.carried(losses.end, windows)
            now = clock()
            training.minutes += (now - before) / 60
            before = now
            training.updates += 1
            training.noise = noise_state(training.device)
            report = Report(training.updates, progress, training.minutes, batch.stage, losses, norm, batch.size)
            if logged:
                log.write(json.dumps(report.to_json()) + "\n")
            try:
                on_update(report)
            except KeyboardInterrupt:
                stop.asked = True
            due = now - saved > SAVE_SECONDS
            training.minutes, due, stopped = ranks.agree(training.minutes, due, stop.asked)
            if due or stopped or training.progress >= 1:
                log.flush()  # the log of a checkpoint is never shorter than the checkpoint
                training.save(run)
                saved = now
    if stopped:
        raise KeyboardInterrupt


def fewest_windows(config: TrainConfig) -> int:
    """How many windows the smallest batch of a training has; more ranks than that cannot share it."""
    recipe, schedule = RECIPES[config.simulator], curriculum(config.curriculum)
    batch_steps = config.batch_steps or recipe.batch_steps
    return min(recipe.windows(schedule(i / SLICES), batch_steps) for i in range(SLICES))


def _cut_log(path: Path, updates: int) -> None:
    """Drop what a killed run logged past its last checkpoint: the continued one logs it again."""
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["updates"] <= updates]
        write_whole(path, "".join(kept).encode())


def _diverged(updates: int, run: Path) -> str:
    return (
        f"the training diverged: loss, gradient or weights are not finite at update {updates}; "
        f"{run} holds the last good checkpoint: continue it with --resume and a lower --learning-rate"
    )
