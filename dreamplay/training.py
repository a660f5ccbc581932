"""Training: episodes in, a run folder with a checkpoint out. The loop is `train`, top to bottom."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dreamplay.actions import encode_actions
from dreamplay.checkpoint import optimiser_tensors, save_checkpoint
from dreamplay.classic import ClassicNetwork
from dreamplay.curriculum import Stage, curriculum
from dreamplay.envs.card import EnvCard
from dreamplay.episodes import Episode
from dreamplay.errors import UserError
from dreamplay.interruption import deferred_interrupt
from dreamplay.network import Network
from dreamplay.noise import noise_state, own_noise
from dreamplay.objective import Losses, State, Targets, objective
from dreamplay.recomputation import recomputed_objective
from dreamplay.rewards import RewardBins
from dreamplay.simulator import describe_network
from dreamplay.step_weights import step_weights
from dreamplay.whole_files import write_whole
from dreamplay.windows import Places, Windows

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
    """Most steps of an update that are predicted and carry a loss, see `dreamplay.step_weights`; None = all."""

    def windows(self, stage: Stage, batch_steps: int) -> int:
        """How many windows an update takes: no more dreams than are learned from, for each of their steps is costly."""
        count = batch_steps // len(stage.real)
        if stage.predicted and self.predicted_steps is not None:
            count = min(count, self.predicted_steps // (len(stage.real) - stage.warm_up))
        return max(1, count)


# Classic: Chiappa et al. 2017, appendix A, 16 windows of 10 + 15 steps. They do not clip: the bound is for runaways.
RECIPES = {"default": Recipe(3e-3, 256, 10.0, 64), "classic": Recipe(1e-5, 400, 1e5)}


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
    """Steps per update, windows times their length; None = the recipe's."""
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


class Carried(NamedTuple):
    """Windows whose hidden state goes on in the next update."""

    places: Places  # where they go on
    state: State
    windows: int  # how many windows the state has lived through


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

    @property
    def progress(self) -> float:
        """How much of the training is done, in [0, 1]."""
        if self.config.updates is not None:
            return min(1.0, self.updates / self.config.updates)
        return min(1.0, self.minutes / (self.config.minutes or 1.0))

    def save(self, run: Path) -> None:
        """Write the checkpoint, whole or not at all.

        Raises:
            UserError: a weight is not finite; what was saved before stays.
            OSError: the disk is full or not writable; what was saved before stays.
        """
        weights, training = self.network.state_dict(), optimiser_tensors(self.optimiser)
        training |= {f"noise.{self.device.type}": self.noise}
        carried = None
        if self.carried is not None:
            carried = {**self.carried.places._asdict(), "windows": self.carried.windows}
            training |= {f"carried.{name}": value for name, value in self.carried.state.items()}
        if not all(bool(tensor.isfinite().all()) for tensor in (*weights.values(), *training.values())):
            raise UserError(_diverged(self.updates, run))
        manifest = {
            "env": self.card.to_json(),
            "network": describe_network(self.network),
            "rewards": self.rewards.to_json(),
            "mean_reward": self.mean_reward,
            "data": self.data_folder,
            "training": asdict(self.config) | {"done_updates": self.updates, "done_minutes": self.minutes},
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
    gradient_norm: float
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
            "gradient_norm": self.gradient_norm,
        }


def train(
    training: Training,
    episodes: list[Episode],
    run: Path,
    on_update: Callable[[Report], None],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Train to the end of the curriculum, saving at the start, every minute, at the end, and when interrupted.

    Ctrl-C, or a KeyboardInterrupt from `on_update`, saves after the update in hand and is then raised.

    Args:
        training: new (`start_training`) or continued (`resume_training`).
        episodes: the training episodes.
        run: folder of the checkpoint; exists.
        on_update: called after each update.
        clock: seconds; what the minutes of the training are counted in. `time.process_time` makes them processor time,
            which other programs on the machine do not shorten.

    Raises:
        UserError: loss, gradient or weights are not finite; the last good checkpoint stays.
        OSError: the disk is full or not writable; the last checkpoint stays.
    """
    config, network, optimiser = training.config, training.network, training.optimiser
    schedule, windows = curriculum(config.curriculum), Windows(episodes)
    peak = optimiser.param_groups[0]["initial_lr"]
    recipe = RECIPES[config.simulator]
    batch_steps = config.batch_steps or recipe.batch_steps
    if training.updates == 0:
        training.save(run)  # from here on there always is a checkpoint to resume
    _cut_log(run / LOG, training.updates)
    network.train()
    before = saved = clock()
    with (
        deferred_interrupt() as stop,
        own_noise(training.device, training.noise),
        (run / LOG).open("a", encoding="utf-8") as log,
    ):
        while (progress := training.progress) < 1 and not stop.asked:
            stage, start, lived = schedule(progress), None, 0
            if training.carried is None:
                places = windows.draw(training.rng, recipe.windows(stage, batch_steps), stage.span)
            else:
                stage = stage.later()
                places, start, lived = training.carried
            stage = stage.flip(training.rng)
            batch = windows.gather(places, len(stage.real))
            weights = step_weights(batch, stage.warm_up, recipe.predicted_steps, training.rng)
            targets = Targets(
                network.frames.encode(batch.observations).to(training.device),
                torch.from_numpy(encode_actions(training.card.action_space, batch.actions)).to(training.device),
                training.rewards.encode(batch.rewards).to(training.device),
                torch.from_numpy(batch.terminated).float().to(training.device),
                torch.from_numpy(weights).to(training.device),
            )
            compute = recomputed_objective if config.checkpoint_gradients else objective
            losses = compute(network, targets, stage, start, go_on=stage.windows > 1)
            optimiser.zero_grad(set_to_none=True)
            losses.total.backward()
            norm = float(torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm))
            if not (isfinite(norm) and isfinite(losses.total.item())):
                raise UserError(_diverged(training.updates, run))
            for group in optimiser.param_groups:
                group["lr"] = peak * stage.rate * min(1.0, (training.updates + 1) / WARM_UP_UPDATES)
            optimiser.step()

            places, lived = places.after(len(stage.real)), lived + 1
            training.carried = None
            if losses.end is not None and lived < stage.windows and windows.go_on(places):
                end = {name: value.detach().contiguous() for name, value in losses.end.items()}
                training.carried = Carried(places, end, lived)

            now = clock()
            training.minutes += (now - before) / 60
            before = now
            training.updates += 1
            training.noise = noise_state(training.device)
            report = Report(training.updates, progress, training.minutes, stage, losses, norm, batch.mask.size)
            if training.updates % LOG_EVERY == 1:
                log.write(json.dumps(report.to_json()) + "\n")
            try:
                on_update(report)
            except KeyboardInterrupt:
                stop.asked = True
            if now - saved > SAVE_SECONDS or stop.asked or training.progress >= 1:
                log.flush()  # the log of a checkpoint is never shorter than the checkpoint
                training.save(run)
                saved = now
    if stop.asked:
        raise KeyboardInterrupt


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
