"""The simulator: a trained network with uint8 frames and plain actions at its boundary, batched.

B batch · T time · n frames of a context · H W C height, width, channels.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dreamplay.actions import action_size, encode_actions
from dreamplay.checkpoint import MANIFEST, read_contexts, read_manifest, read_tensors
from dreamplay.classic import ClassicNetwork, RawFrames
from dreamplay.envs.card import EnvCard
from dreamplay.errors import UserError
from dreamplay.frames import frames_from_json
from dreamplay.network import Hidden, Network, NetworkConfig
from dreamplay.one_step import OneStep, State, TorchBackend
from dreamplay.onnx_backend import OnnxBackend, check_installed, is_installed
from dreamplay.rewards import RewardBins
from dreamplay.shipped import find_run

BACKENDS = ("auto", "torch", "onnx")


class Context(NamedTuple):
    """Real frames and the actions between them, which start a dream."""

    observations: np.ndarray  # uint8 (n, H, W, C)
    actions: np.ndarray  # (n-1, *action_shape)


class Step(NamedTuple):
    """What one step of B dreams yields."""

    observations: np.ndarray  # uint8 (B, H, W, C), empty if not decoded
    rewards: np.ndarray  # float32 (B,)
    terminated: np.ndarray  # bool (B,)
    termination_probability: np.ndarray  # float32 (B,)
    expected_rewards: np.ndarray  # float32 (B,), the mean where `rewards` is the most likely or a sampled value
    reward_probability: np.ndarray  # float32 (B,), that the reward is not zero
    open_pixels: np.ndarray  # float32 (B,), expected not to be of their most likely colour; of intensities 0


class Rollout(NamedTuple):
    """What T steps of B dreams yield."""

    observations: np.ndarray  # uint8 (B, T, H, W, C)
    rewards: np.ndarray  # float32 (B, T)
    termination_probability: np.ndarray  # float32 (B, T)
    reward_probability: np.ndarray  # float32 (B, T), that the reward is not zero


class Simulator:
    """A learned environment, rolled forward on its own frames.

    Args:
        network: default or classic, trained.
        card: the real environment it was learned from.
        rewards: bins of the reward.
        contexts: real contexts to start dreams from.
        mean_reward: mean reward per step of the training data.
        horizon: the measured truth horizon, if any.
        data_folder: the data it was trained on, relative to the run folder or absolute.
        device: where the network runs.
        backend: what computes the steps: "torch" or, on a CPU only, "onnx".

    Example:
        >>> import dreamplay
        >>> simulator = dreamplay.load("runs/pong")  # doctest: +SKIP
        >>> context = simulator.contexts[0]  # doctest: +SKIP
        >>> state = simulator.start(context.observations[None], context.actions[None])  # doctest: +SKIP
        >>> state, step = simulator.step(state, np.array([2]))  # doctest: +SKIP
    """

    def __init__(
        self,
        network: Network | ClassicNetwork,
        card: EnvCard,
        rewards: RewardBins,
        contexts: list[Context],
        *,
        mean_reward: float = 0.0,
        horizon: dict[str, Any] | None = None,
        data_folder: str | None = None,
        device: torch.device | str = "cpu",
        backend: str = "torch",
    ) -> None:
        self.network = network.to(device).eval()
        self.card, self.rewards, self.contexts = card, rewards, contexts
        self.mean_reward, self.horizon, self.data_folder = mean_reward, horizon, data_folder
        self.device, self.backend = torch.device(device), backend
        self.draws = 2 + network.latent[0]

    @torch.inference_mode()
    def start(self, observations: np.ndarray, actions: np.ndarray) -> State:
        """The state in which dreams begin, at the end of real contexts.

        Args:
            observations: uint8 (B, n, H, W, C), n >= 1.
            actions: (B, n-1, *action_shape), the actions between them.
        """
        frames = self.network.frames.encode(observations).to(self.device)  # (B, n, ...)
        hidden = self.network.initial(frames[:, 0])
        if observations.shape[1] > 1:
            _, hidden = self.network.observe(frames[:, :-1], self._encode_actions(actions), hidden)
        return state_at(self.network, frames[:, -1], hidden)

    def step(
        self,
        state: State,
        actions: np.ndarray,
        *,
        temperature: float = 0.0,
        uniforms: np.ndarray | None = None,
        decode: bool = True,
    ) -> tuple[State, Step]:
        """One step of B dreams; the state passed in is not modified.

        Args:
            state: where the dreams are.
            actions: (B, *action_shape).
            temperature: 0 takes what is most likely on average over the latent variables; 1 samples as learned what
                chance decides: these, and then reward and termination. The frame is the most likely they leave.
            uniforms: float32 (B, draws) in [0, 1), required at a temperature above 0.
            decode: whether to return the frames as uint8.
        """
        assert temperature == 0 or uniforms is not None, "a temperature above 0 needs uniforms"
        encoded = encode_actions(self.card.action_space, np.asarray(actions))
        state, events = self.stepper(state, encoded, uniforms if temperature > 0 else None, temperature)
        frames = self.network.frames.decode(state["frame"]) if decode else np.empty(0, np.uint8)
        return state, Step(frames, *events)

    @torch.inference_mode()
    def uncertainty(self, state: State, actions: np.ndarray) -> np.ndarray:
        """How unsure B dreams are of the frame that comes next: mean entropy in nats per pixel, float32 (B,).

        What chance decides is taken as most likely. NaN where the network says nothing of it: the classic one predicts
        a mean and no distribution.

        Args:
            state: where the dreams are.
            actions: (B, *action_shape), what is done there.
        """
        if isinstance(self.network, ClassicNetwork):
            return np.full(len(actions), np.nan, np.float32)
        prediction, _ = self.network.step(state["frame"], self._encode_actions(actions), state)
        return self.network.frames.entropy(prediction.frame).cpu().numpy()

    def rollout(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        future_actions: np.ndarray,
        *,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Rollout:
        """Dream T steps on from real contexts, whatever is dreamed of termination.

        Args:
            observations: uint8 (B, n, H, W, C).
            actions: (B, n-1, *action_shape).
            future_actions: (B, T, *action_shape).
            temperature: as in `step`.
            seed: of the samples, at a temperature above 0.
        """
        return roll(self, self.start(observations, actions), future_actions, temperature=temperature, seed=seed)

    @cached_property
    def stepper(self) -> TorchBackend | OnnxBackend:
        """The backend, made at the first step."""
        step = OneStep(self.network, self.rewards).eval()
        if self.backend == "torch":
            return TorchBackend(step, self.device)
        blank = np.zeros((1, 1, *(self.card.observation_space.shape or ())), np.uint8)
        state = self.start(blank, np.zeros((1, 0, *(self.card.action_space.shape or ()))))
        return OnnxBackend(step, state, action_size(self.card.action_space), self.draws)

    def _encode_actions(self, actions: np.ndarray) -> Tensor:
        return torch.from_numpy(encode_actions(self.card.action_space, np.asarray(actions))).to(self.device)


def state_at(network: Network | ClassicNetwork, frame: Tensor, hidden: Hidden) -> State:
    """The state of B dreams that stand at a real frame, in codes, with this hidden state before it."""
    # Contiguous: a row of a view would keep all frames alive that it was cut from, and in a snapshot.
    return {name: value.contiguous() for name, value in {**network.frames.picture(frame), **hidden}.items()}


def roll(
    simulator: Simulator, state: State, actions: np.ndarray, *, temperature: float = 0.0, seed: int = 0
) -> Rollout:
    """Dream T steps on from states of B dreams, whatever is dreamed of termination.

    Args:
        simulator: dreams them.
        state: B rows; it is not modified.
        actions: (B, T, *action_shape), T >= 1.
        temperature: as in `Simulator.step`.
        seed: of the samples, at a temperature above 0.
    """
    rng = np.random.default_rng(seed)
    steps = []
    for t in range(actions.shape[1]):
        uniforms = rng.random((len(actions), simulator.draws), np.float32) if temperature > 0 else None
        state, step = simulator.step(state, actions[:, t], temperature=temperature, uniforms=uniforms)
        steps.append(step)
    return Rollout(
        np.stack([step.observations for step in steps], 1),
        np.stack([step.rewards for step in steps], 1),
        np.stack([step.termination_probability for step in steps], 1),
        np.stack([step.reward_probability for step in steps], 1),
    )


def rows(state: State, index: Tensor | slice) -> State:
    """Some rows of a state, by position."""
    return {name: value[index] for name, value in state.items()}


def repeat(state: State, n: int) -> State:
    """Each row n times: rows 0, 0, ..., 1, 1, ..."""
    return {name: value.repeat_interleave(n, 0) for name, value in state.items()}


def build_network(description: dict[str, Any], card: EnvCard, rewards: RewardBins) -> Network | ClassicNetwork:
    """An untrained network from its description: {"kind": "default" or "classic", "frames": ..., "config": ...}."""
    sizes = (action_size(card.action_space), len(rewards.values))
    if description["kind"] == "classic":
        height, width, _ = card.observation_space.shape
        return ClassicNetwork(RawFrames(np.array(description["frames"]["mean"])), (height, width), *sizes)
    return Network(frames_from_json(description["frames"]), *sizes, NetworkConfig(**description["config"]))


def describe_network(network: Network | ClassicNetwork) -> dict[str, Any]:
    """The description that `build_network` takes."""
    if isinstance(network, ClassicNetwork):
        return {"kind": "classic", "frames": network.frames.to_json(), "config": {}}
    return {"kind": "default", "frames": network.frames.to_json(), "config": vars(network.config)}


def choose_device(device: str) -> torch.device:
    """ "auto" takes a GPU when there is one.

    Raises:
        UserError: the device is unknown or not there.
    """
    name = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        chosen = torch.device(name)
        if chosen.type == "meta":  # exists, but computes nothing
            raise RuntimeError
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError):
        raise UserError(f"device {device!r} is not available here; use --device cpu or auto") from None
    return chosen


def choose_backend(backend: str, device: torch.device) -> str:
    """ "auto" takes ONNX Runtime on a CPU when it is installed.

    Raises:
        UserError: there is no such backend, or it is not installed, or it does not run there.
    """
    if backend not in BACKENDS:
        raise UserError(f"backend {backend!r} is unknown; use one of {', '.join(BACKENDS)}")
    if backend == "auto":
        return "onnx" if device.type == "cpu" and is_installed() else "torch"
    if backend == "onnx":
        check_installed()
        if device.type != "cpu":
            raise UserError(f"the onnx backend runs on the CPU, not on {device}; use --device cpu or --backend torch")
    return backend


def load(checkpoint: str | Path, device: str = "auto", backend: str = "auto") -> Simulator:
    """The simulator of a run folder.

    Args:
        checkpoint: the folder, as `dreamplay train` leaves it, or the name of a shipped dream.
        device: "auto" (a GPU when there is one), "cpu", "cuda", "cuda:1", ...
        backend: "auto" (ONNX Runtime when it is installed and the device is the CPU), "torch" or "onnx".

    Raises:
        UserError: the folder holds no checkpoint, or a damaged one; the device or the backend is not there.
    """
    target = choose_device("cpu" if (device, backend) == ("auto", "onnx") else device)
    backend = choose_backend(backend, target)
    run = find_run(checkpoint)
    manifest = read_manifest(run)
    card, rewards, network = read_model(run, manifest)
    contexts = read_contexts(run, manifest)
    return Simulator(
        network,
        card,
        rewards,
        [Context(*pair) for pair in zip(contexts["observations"], contexts["actions"], strict=True)],
        mean_reward=manifest["mean_reward"],
        horizon=_measured_horizon(run),
        data_folder=manifest["data"],
        device=target,
        backend=backend,
    )


def read_model(run: Path, manifest: dict[str, Any]) -> tuple[EnvCard, RewardBins, Network | ClassicNetwork]:
    """What was learned, and of which environment.

    Args:
        run: the run folder.
        manifest: its `read_manifest`.

    Raises:
        UserError: the weights are missing or damaged, or do not fit their description.
    """
    weights = read_tensors(run, manifest, "weights")
    try:
        card = EnvCard.from_json(manifest["env"])
        rewards = RewardBins.from_json(manifest["rewards"])
        network = build_network(manifest["network"], card, rewards)
        network.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{run / MANIFEST} does not fit its weights ({error!r}); train the run anew") from error
    return card, rewards, network


def _measured_horizon(run: Path) -> dict[str, Any] | None:
    try:
        horizon = json.loads((run / "evaluation" / "horizon.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return horizon if isinstance(horizon, dict) else None
