"""Training: episodes in, a run folder with a checkpoint out. The loop is `train`, top to bottom."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dreamplay.actions import action_size, encode_actions
from dreamplay.checkpoint import (
    optimiser_tensors,
    read_contexts,
    read_manifest,
    read_tensors,
    restore_optimiser,
    save_checkpoint,
)
from dreamplay.classic import ClassicNetwork, RawFrames
from dreamplay.curriculum import Stage, curriculum
from dreamplay.envs.card import EnvCard
from dreamplay.episodes import Episode, Episodes
from dreamplay.errors import UserError
from dreamplay.frames import Patches, choose_frames
from dreamplay.network import Network, NetworkConfig, patch_side
from dreamplay.objective import Losses, Targets, objective
from dreamplay.rewards import RewardBins
from dreamplay.simulator import build_network, choose_device, describe_network
from dreamplay.windows import Windows

CONTEXTS, CONTEXT_LENGTH = 32, 10
CLIP_NORM = 10.0
SAVE_SECONDS = 60.0


@dataclass(frozen=True)
class TrainConfig:
    """How a simulator is trained; stored in the checkpoint."""

    simulator: str = "default"
    """"default" or "classic"."""
    curriculum: str = "default"
    """Name of the curriculum."""
    updates: int | None = None
    """Length in updates, or None."""
    minutes: float | None = None
    """Length in minutes, or None; exactly one of the two is given."""
    batch_steps: int = 256
    """Steps per update: windows times their length."""
    learning_rate: float | None = None
    """Highest learning rate; None = 0.003, for classic the published 0.00001."""
    motion_weight: float = 2.0
    """Weight of pixels that change, against 1 for the others (default simulator)."""
    event_weight: float = 1.0
    """Weight of the log-losses of reward and termination."""
    seed: int = 0
    """Seed of weights and windows."""


@dataclass
class Training:
    """A training under way: everything that a killed run needs to continue as if it had not been killed."""

    config: TrainConfig
    card: EnvCard
    rewards: RewardBins
    mean_reward: float
    data: str
    network: Network | ClassicNetwork
    optimiser: torch.optim.Optimizer
    contexts: dict[str, np.ndarray]
    rng: np.random.Generator
    device: torch.device
    updates: int = 0
    minutes: float = 0.0

    @property
    def progress(self) -> float:
        """How much of the training is done, in [0, 1]."""
        if self.config.updates is not None:
            return min(1.0, self.updates / self.config.updates)
        return min(1.0, self.minutes / (self.config.minutes or 1.0))

    def save(self, run: Path) -> None:
        """Write the checkpoint, atomically."""
        manifest = {
            "env": self.card.to_json(),
            "network": describe_network(self.network),
            "rewards": self.rewards.to_json(),
            "mean_reward": self.mean_reward,
            "data": self.data,
            "training": asdict(self.config) | {"done_updates": self.updates, "done_minutes": self.minutes},
            "progress": self.progress,
            "random": self.rng.bit_generator.state,
        }
        training = optimiser_tensors(self.optimiser)
        save_checkpoint(run, self.updates, manifest, self.network.state_dict(), self.contexts, training)


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


def train(training: Training, episodes: list[Episode], run: Path, on_update: Callable[[Report], None]) -> None:
    """Train to the end of the curriculum, saving every minute, at the end, and when interrupted.

    Args:
        training: new (`start_training`) or continued (`resume_training`).
        episodes: the training episodes.
        run: folder of the checkpoint; exists.
        on_update: called after each update.

    Raises:
        UserError: the loss or a gradient is not finite; the last good checkpoint stays.
    """
    config, network, optimiser = training.config, training.network, training.optimiser
    schedule, windows = curriculum(config.curriculum), Windows(episodes)
    motion_weight = config.motion_weight if config.simulator == "default" else 1.0
    peak = optimiser.param_groups[0]["initial_lr"]
    clock = saved = time.monotonic()
    network.train()
    try:
        with (run / "log.jsonl").open("a", encoding="utf-8") as log:
            while (progress := training.progress) < 1:
                stage = schedule(progress)
                length = len(stage.real)
                batch = windows.sample(training.rng, max(1, config.batch_steps // length), length)
                targets = Targets(
                    network.frames.encode(batch.observations).to(training.device),
                    torch.from_numpy(encode_actions(training.card.action_space, batch.actions)).to(training.device),
                    training.rewards.encode(batch.rewards).to(training.device),
                    torch.from_numpy(batch.terminated).float().to(training.device),
                    torch.from_numpy(batch.mask).float().to(training.device),
                )
                losses = objective(network, targets, stage, motion_weight, config.event_weight)
                optimiser.zero_grad(set_to_none=True)
                losses.total.backward()
                norm = float(torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM))
                if not np.isfinite(norm):
                    raise UserError(
                        f"the loss is no longer finite at update {training.updates}; the checkpoint in {run} is the last "
                        "good one: resume it with a lower --learning-rate"
                    )
                for group in optimiser.param_groups:
                    group["lr"] = peak * stage.rate * min(1.0, (training.updates + 1) / WARM_UP_UPDATES)
                optimiser.step()

                now = time.monotonic()
                training.minutes += (now - clock) / 60
                clock = now
                training.updates += 1
                report = Report(training.updates, progress, training.minutes, stage, losses, norm, batch.mask.size)
                if training.updates % LOG_EVERY == 1:
                    log.write(json.dumps(report.to_json()) + "\n")
                on_update(report)
                if now - saved > SAVE_SECONDS:
                    training.save(run)
                    saved = now
    except KeyboardInterrupt:
        training.save(run)
        raise
    training.save(run)


WARM_UP_UPDATES = 50
LOG_EVERY = 10


def start_training(config: TrainConfig, episodes: Episodes, data: str, device: str = "auto") -> Training:
    """Everything before the first update: codecs chosen from the data, a fresh network, stored contexts."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    train_episodes, _ = episodes.split()
    rewards = np.concatenate([episode.rewards for episode in train_episodes])
    card, bins, target = episodes.card, RewardBins.of(rewards), choose_device(device)
    height, width, _ = card.observation_space.shape
    size, sizes = (height, width), (action_size(card.action_space), len(bins.values))
    samples = sample_frames(train_episodes, rng)
    network: Network | ClassicNetwork
    if config.simulator == "classic":
        network = ClassicNetwork(RawFrames(samples.mean((0, 1, 2)) / 255), size, *sizes)
    else:
        frames = choose_frames(Patches(size, patch_side(size)), [samples])
        network = Network(frames, *sizes, NetworkConfig())
    network = network.to(target, memory_format=torch.channels_last)
    contexts = choose_contexts(train_episodes, rng)
    optimiser = make_optimiser(config, network)
    return Training(config, card, bins, float(rewards.mean()), data, network, optimiser, contexts, rng, target)


def resume_training(run: Path, config: TrainConfig, device: str = "auto") -> Training:
    """Continue a run where its checkpoint stands; `config` may extend its length, nothing else.

    Raises:
        UserError: the checkpoint is unreadable.
    """
    manifest = read_manifest(run)
    card, bins = EnvCard.from_json(manifest["env"]), RewardBins.from_json(manifest["rewards"])
    target = choose_device(device)
    network = build_network(manifest["network"], card, bins).to(target, memory_format=torch.channels_last)
    network.load_state_dict(read_tensors(run, manifest, "weights"))
    optimiser = make_optimiser(config, network)
    restore_optimiser(optimiser, read_tensors(run, manifest, "training"))
    rng = np.random.default_rng()
    rng.bit_generator.state = manifest["random"]
    return Training(
        config,
        card,
        bins,
        manifest["mean_reward"],
        manifest["data"],
        network,
        optimiser,
        read_contexts(run, manifest),
        rng,
        target,
        manifest["training"]["done_updates"],
        manifest["training"]["done_minutes"],
    )


def make_optimiser(config: TrainConfig, network: torch.nn.Module) -> torch.optim.Optimizer:
    """AdamW; for the classic simulator centred RMSProp as published (Chiappa et al. 2017, appendix B.1)."""
    groups: Any
    if config.simulator == "classic":
        rate = config.learning_rate or 1e-5
        groups = [{"params": list(network.parameters()), "initial_lr": rate}]
        return torch.optim.RMSprop(groups, lr=rate, alpha=0.95, eps=0.01, momentum=0.9, centered=True)
    rate = config.learning_rate or 3e-3
    groups = [{"params": list(network.parameters()), "initial_lr": rate}]
    return torch.optim.AdamW(groups, lr=rate, eps=1e-6, weight_decay=0.0)


def sample_frames(episodes: list[Episode], rng: np.random.Generator, count: int = 2000) -> np.ndarray:
    """Up to `count` observations (N, H, W, C) drawn evenly over the data: enough to find its colours."""
    lengths = np.array([len(episode) for episode in episodes])
    ends = lengths.cumsum()
    steps = rng.permutation(ends[-1])[:count]
    steps.sort()
    where = np.searchsorted(ends, steps, side="right")
    return np.stack([episodes[e].observations[s - ends[e] + lengths[e]] for e, s in zip(where, steps, strict=True)])


def choose_contexts(episodes: list[Episode], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Real contexts to start dreams from, drawn over the data: observations (M, n, H, W, C), actions (M, n-1, ...)."""
    length = min(CONTEXT_LENGTH, max(len(episode) for episode in episodes))
    fitting = [episode for episode in episodes if len(episode) >= length]
    weights = np.array([len(episode) - length + 1 for episode in fitting], float)
    chosen = rng.choice(len(fitting), CONTEXTS, p=weights / weights.sum())
    starts = [int(rng.integers(len(fitting[i]) - length + 1)) for i in chosen]
    pairs = [(fitting[i], start) for i, start in zip(chosen, starts, strict=True)]
    return {
        "observations": np.stack([episode.observations[s : s + length] for episode, s in pairs]),
        "actions": np.stack([episode.actions[s : s + length - 1] for episode, s in pairs]),
    }
