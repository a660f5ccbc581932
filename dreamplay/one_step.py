"""One step of B dreams as one function of tensors: what every backend computes.

The frame goes in and comes out as codes (see `dreamplay.frames`), rewards and terminations come out decided.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from dreamplay.classic import ClassicNetwork
from dreamplay.folding import FoldedNetwork
from dreamplay.frames import PaletteFrames, Picture
from dreamplay.network import Hidden, Network
from dreamplay.rewards import RewardBins

State = dict[str, Tensor]
"""Where B dreams are: `dreamplay.frames.Picture` and the network's hidden state; every value has B rows."""


class Events(NamedTuple):
    """What a step yields beside the frame, tensors inside `OneStep`, arrays outside."""

    rewards: np.ndarray  # float32 (B,)
    terminated: np.ndarray  # bool (B,)
    termination_probability: np.ndarray  # float32 (B,)
    expected_rewards: np.ndarray  # float32 (B,), the mean where `rewards` is the most likely or a sampled value
    reward_probability: np.ndarray  # float32 (B,), that the reward is not zero
    open_pixels: np.ndarray  # float32 (B,), expected not to be of their most likely colour; of intensities 0


class OneStep(nn.Module):
    """From codes, actions and hidden state to the next codes, events and the next hidden state.

    Args:
        network: trained.
        rewards: bins of its reward.
    """

    def __init__(self, network: Network | ClassicNetwork, rewards: RewardBins) -> None:
        super().__init__()
        self.network: FoldedNetwork | _Plain
        if isinstance(network, Network) and isinstance(network.frames, PaletteFrames):
            self.network = FoldedNetwork(network)
        else:
            self.network = _Plain(network)
        self.rewards = rewards

    def forward(
        self, state: State, action: Tensor, uniforms: Tensor | None = None, temperature: float | Tensor = 0.0
    ) -> tuple[State, tuple[Tensor, ...]]:
        """One step; see `dreamplay.simulator.Simulator.step`.

        Args:
            state: where the dreams are.
            action: float (B, A).
            uniforms: (B, 2 + L) in [0, 1), for reward, termination and latents; None takes what is most likely.
            temperature: above 0, if there are uniforms.

        Returns:
            The next state and the `Events`, as tensors.
        """
        latent = None if uniforms is None else uniforms[:, 2:]
        picture, open_pixels, reward, termination, hidden = self.network(state, action, latent, temperature)
        if uniforms is None:
            rewards, terminated = self.rewards.most_likely(reward), termination > 0
        else:
            rewards = self.rewards.sample(reward, temperature, uniforms[:, 0])
            terminated = uniforms[:, 1] < (termination / temperature).sigmoid()
        expected, not_zero = self.rewards.mean(reward), self.rewards.not_zero(reward)
        return {**picture, **hidden}, (rewards, terminated, termination.sigmoid(), expected, not_zero, open_pixels)


class _Plain(nn.Module):
    """A network as it is."""

    def __init__(self, network: Network | ClassicNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, state: State, action: Tensor, uniforms: Tensor | None, temperature: float | Tensor
    ) -> tuple[Picture, Tensor, Tensor, Tensor, Hidden]:
        said, after = self.network.step(state["frame"], action, state, uniforms=uniforms, temperature=temperature)
        return *self.network.frames.dreamed(said.frame, state), said.reward, said.termination, after


class TorchBackend:
    """Steps in eager PyTorch, on any device.

    Args:
        step: on its device.
        device: where that is.
    """

    name = "torch"

    def __init__(self, step: OneStep, device: torch.device) -> None:
        self._step, self._device = step, device

    @torch.inference_mode()
    def __call__(
        self, state: State, action: np.ndarray, uniforms: np.ndarray | None, temperature: float
    ) -> tuple[State, Events]:
        """One step; see `OneStep`."""
        drawn = None if uniforms is None else torch.from_numpy(uniforms).to(self._device)
        state, events = self._step(state, torch.from_numpy(action).to(self._device), drawn, temperature)
        return state, Events(*(event.cpu().numpy() for event in events))
