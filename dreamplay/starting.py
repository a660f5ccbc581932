"""The start of a training, new or where an earlier one stopped."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dreamplay.actions import action_size
from dreamplay.batches import Carried
from dreamplay.checkpoint import read_contexts, read_manifest, read_tensors, restore_optimiser
from dreamplay.classic import ClassicNetwork, RawFrames
from dreamplay.episodes import Episode, Episodes
from dreamplay.errors import UserError
from dreamplay.frames import Patches, choose_frames
from dreamplay.hardness import Hardness
from dreamplay.muon import Muon
from dreamplay.network import Network, patch_side
from dreamplay.network_sizes import network_config
from dreamplay.noise import noise_state, own_noise
from dreamplay.ranks import Ranks
from dreamplay.rehearsal import Events
from dreamplay.rewards import RewardBins
from dreamplay.selection import check_finite, choose_contexts, sample_frames
from dreamplay.simulator import choose_device, read_model
from dreamplay.training import RECIPES, TrainConfig, Training
from dreamplay.windows import Places


def start_training(config: TrainConfig, episodes: Episodes, data: str, device: str = "auto") -> Training:
    """Everything before the first update: codecs chosen from the data, a fresh network, stored contexts.

    Args:
        config: how to train.
        episodes: the data; its held-out part is left alone.
        data: its folder as the checkpoint will name it, relative to the run folder or absolute.
        device: "auto", "cpu", "cuda", ...

    Raises:
        UserError: the data hold numbers that are not finite, or too little to hold a part of it out; the device is not
            there.
    """
    target = choose_device(device)
    rng = np.random.default_rng(config.seed)
    train_episodes, _ = episodes.split()
    check_finite(train_episodes, episodes.folder)
    rewards = _rewards(train_episodes)
    card, bins = episodes.card, RewardBins.of(rewards)
    height, width, _ = card.observation_space.shape
    size, sizes = (height, width), (action_size(card.action_space), len(bins.values))
    samples = sample_frames(train_episodes, rng)
    network: Network | ClassicNetwork
    with own_noise(target, config.seed):
        if config.simulator == "classic":
            network = ClassicNetwork(RawFrames(samples.mean((0, 1, 2)) / 255), size, *sizes)
        else:
            frames = choose_frames(Patches(size, patch_side(size)), [samples], config.frames)
            network = Network(frames, *sizes, network_config(config.network_size))
        noise = noise_state(target)
    network = _place(network, target)
    optimiser = make_optimiser(config, network)
    rehearsed = Events.none(network.clues, len(bins.values)).to(target) if network.clues else None
    return Training(
        config,
        card,
        bins,
        float(rewards.mean()),
        data,
        network,
        optimiser,
        _contexts(config, train_episodes),
        rng,
        noise,
        target,
        rehearsed=rehearsed,
    )


def resume_training(run: Path, changes: dict[str, Any], device: str = "auto") -> Training:
    """Continue a run where its checkpoint stands.

    Args:
        run: the run folder.
        changes: fields of its `TrainConfig` to set anew; "updates" and "minutes", which replace each other, are those
            of the whole training, what is done included.
        device: "auto", "cpu", "cuda", ...

    Raises:
        UserError: the checkpoint is unreadable, the device is not there, or another simulator or size is asked for.
    """
    target = choose_device(device)
    manifest = read_manifest(run)
    card, bins, network = read_model(run, manifest)
    stored = manifest["training"]
    names = [field.name for field in fields(TrainConfig)]
    config = TrainConfig(**{name: stored[name] for name in names if name in stored})
    if changes.get("simulator", config.simulator) != config.simulator:
        raise UserError(f"{run} trains the {config.simulator} simulator; for another one choose another folder")
    if changes.get("network_size", config.network_size) != config.network_size:
        raise UserError(f"{run} trains a network of size {config.network_size}; for another one choose another folder")
    if {"updates", "minutes"} & changes.keys():
        config = replace(config, updates=None, minutes=None)
    config = replace(config, **changes)
    network = _place(network, target)
    optimiser = make_optimiser(config, network)
    state = read_tensors(run, manifest, "training")
    noises = _taken(state, "noise.")
    carried = _carried(manifest.get("carried"), state, target)
    rehearsed, hardness = _rehearsed(state, target), _hardness(state)
    restore_optimiser(optimiser, state)
    with own_noise(target, config.seed + stored["done_updates"]):
        fresh = noise_state(target)  # a generator of one kind of device says nothing to another
    rng = np.random.default_rng()
    rng.bit_generator.state = manifest["random"]
    updates, minutes = stored["done_updates"], stored["done_minutes"]
    finished = (updates, minutes) if manifest["progress"] >= 1 else tuple(stored.get("finished", (0, 0.0)))
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
        noises.get(target.type, fresh),
        target,
        updates,
        minutes,
        carried,
        rehearsed,
        hardness,
        finished,
    )


def learn_from(training: Training, episodes: Episodes) -> np.ndarray:
    """Let a continued training know its data as they are now: more may have been collected since it was begun.

    Args:
        training: its contexts and mean reward are set anew. Colours and rewards that it tells apart stay those of its
            first data.
        episodes: all of the data.

    Returns:
        Rewards of the data that it cannot tell from the nearest it knows, see `RewardBins.unknown`.

    Raises:
        UserError: the data hold numbers that are not finite, or too little to hold a part of it out.
    """
    train_episodes, _ = episodes.split()
    check_finite(train_episodes, episodes.folder)
    rewards = _rewards(train_episodes)
    training.mean_reward = float(rewards.mean())
    training.contexts = _contexts(training.config, train_episodes)
    return training.rewards.unknown(rewards)


def _rewards(episodes: list[Episode]) -> np.ndarray:
    return np.concatenate([episode.rewards for episode in episodes])


def _contexts(config: TrainConfig, episodes: list[Episode]) -> dict[str, np.ndarray]:
    """Drawn from the seed and the number of steps alone: the same for the same data, however often it is asked."""
    steps = sum(len(episode) for episode in episodes)
    return choose_contexts(episodes, np.random.default_rng([config.seed, steps]))


def _rehearsed(tensors: dict[str, torch.Tensor], device: torch.device) -> Events | None:
    """The events that are judged again, if any; takes their tensors out of those of the training."""
    stored = _taken(tensors, "rehearsed.")
    return Events(**stored).to(device) if stored else None


def _hardness(tensors: dict[str, torch.Tensor]) -> Hardness:
    """Of the steps, as far as it is known; takes its tensors out of those of the training."""
    stored = _taken(tensors, "hardness.")
    return Hardness.restored(stored) if stored else Hardness(0)


def _taken(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin so, by the rest of their names, taken out of all."""
    return {name.removeprefix(prefix): tensors.pop(name) for name in list(tensors) if name.startswith(prefix)}


def _carried(stored: dict[str, Any] | None, tensors: dict[str, torch.Tensor], device: torch.device) -> Carried | None:
    """The windows that go on, if any; takes their tensors out of those of the training."""
    if stored is None:
        return None
    own = Ranks.current().own(len(stored["starts"]))
    state = {name: tensor[own].to(device) for name, tensor in _taken(tensors, "carried.").items()}
    places = Places(np.array(stored["episodes"], np.int64), np.array(stored["starts"], np.int64))
    return Carried(places, state, stored["windows"])


def make_optimiser(config: TrainConfig, network: Network | ClassicNetwork) -> torch.optim.Optimizer:
    """Muon, under which the sight of the first frame decays less: a cue from long ago is learned too slowly to last.

    For the classic simulator centred RMSProp as published (Chiappa et al. 2017, appendix A).

    The published epsilon of 0.01 stands inside the square root (Graves 2013, equation 40); PyTorch adds its outside.
    """
    rate = config.learning_rate or RECIPES[config.simulator].learning_rate
    if isinstance(network, Network):
        return Muon(network, rate, lasting=network.first)
    groups: Any = [{"params": list(network.parameters()), "initial_lr": rate}]
    return torch.optim.RMSprop(groups, lr=rate, alpha=0.95, eps=0.01**0.5, momentum=0.9, centered=True)


def _place(network: Network | ClassicNetwork, device: torch.device) -> Network | ClassicNetwork:
    """On the device, convolutions in the memory format in which a CPU trains half as fast again."""
    torch.nn.utils.convert_conv2d_weight_memory_format(network.to(device), torch.channels_last)
    return network
