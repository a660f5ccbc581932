"""What training minimises: the negative log-likelihood of frames, rewards and terminations along a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from dreamplay.curriculum import Stage
from dreamplay.network import Prediction

State = dict[str, Tensor]
"""Where B dreams are, as in `dreamplay.simulator`: the next input "frame", and the network's hidden state."""


class Targets(NamedTuple):
    """A batch of B windows of T steps, as the network sees it."""

    frames: Tensor  # codes (B, T + 1, ...)
    actions: Tensor  # (B, T, A)
    rewards: Tensor  # (B, T, R) probabilities of the reward bins
    terminated: Tensor  # (B, T) 0 or 1
    mask: Tensor  # (B, T) 1 where the step exists

    def cut(self, start: int, end: int) -> Targets:
        """Some of the steps."""
        return Targets(self.frames[:, start : end + 1], *(part[:, start:end] for part in self[1:]))


@dataclass(frozen=True)
class Losses:
    """Means per step, in nats."""

    total: Tensor
    frame: float
    reward: float
    termination: float
    steps: int
    """Steps that the means are taken over."""
    end: State
    """Where the window ended."""


def imagine(
    network: Any, frames: Tensor, actions: Tensor, stage: Stage, start: State | None = None
) -> tuple[Prediction, State]:
    """Predictions (B, T, ...) along a window whose inputs are real or the network's own, as the stage says.

    The classic network learns through its own predictions: gradients flow back from one to the one before, but not
    into the warm-up (Chiappa et al. 2017, sections 2 and 3). The default network learns on them: it first dreams them
    without gradients, then takes the whole window at once, as in teacher forcing. That is cheaper, and there is no
    gradient to explode along a dream.

    Args:
        network: default or classic.
        frames: codes of the real frames (B, T, ...), one before each action.
        actions: (B, T, A).
        stage: which inputs are real, T in all; without a start the first one is.
        start: where the windows begin; None = with no past.

    Returns:
        The predictions, and where the window ended.
    """
    if start is None:
        start = {"frame": frames[:, 0], **network.initial(frames[:, 0])}
    if network.learns_through_predictions:
        _, predictions, end = _walk(network, frames, actions, stage, start)
        return Prediction(*(torch.cat(parts, 1) for parts in zip(*predictions, strict=True))), end
    if stage.predicted:
        with torch.no_grad():
            inputs, _, _ = _walk(network, frames, actions, stage, start)
        frames = torch.cat(inputs, 1)
    prediction, hidden = network.unroll(frames, actions, start)
    with torch.no_grad():
        return prediction, {**hidden, "frame": _own_frame(network, prediction, stage.temperature)}


def _walk(
    network: Any, frames: Tensor, actions: Tensor, stage: Stage, state: State
) -> tuple[list[Tensor], list[Prediction], State]:
    """Inputs and predictions, segment by segment: a run of real inputs at once, own predictions one by one."""
    inputs: list[Tensor] = []
    predictions: list[Prediction] = []
    for start, end in stage.segments():
        inputs.append(frames[:, start:end] if stage.real[start] else state["frame"].unsqueeze(1))
        with torch.set_grad_enabled(torch.is_grad_enabled() and start >= stage.warm_up):
            prediction, hidden = network.unroll(inputs[-1], actions[:, start:end], state)
            state = {**hidden, "frame": _own_frame(network, prediction, stage.temperature)}
        predictions.append(prediction)
    return inputs, predictions, state


def _own_frame(network: Any, prediction: Prediction, temperature: float) -> Tensor:
    """The frame (B, ...) to go on from after predictions (B, T, ...)."""
    last = prediction.frame[:, -1]
    if temperature == 0:
        return network.frames.most_likely(last)
    uniforms = torch.rand(len(last), network.frames.draws, device=last.device)
    return network.frames.sample(last, temperature, uniforms)


def objective(network: Any, targets: Targets, stage: Stage, start: State | None = None) -> Losses:
    """Mean loss per step of a window.

    Args:
        network: default or classic.
        targets: the batch.
        stage: which inputs are real, and how many leading steps carry no loss.
        start: where the windows begin; None = with no past.
    """
    prediction, end = imagine(network, targets.frames[:, :-1], targets.actions, stage, start)
    pixels = network.frames.log_loss(prediction.frame, targets.frames[:, 1:])  # (B, T, ...)
    mask = targets.mask.clone()
    mask[:, : stage.warm_up] = 0
    steps = mask.sum().clamp(min=1)
    frame = (pixels.flatten(2).sum(-1) * mask).sum() / steps
    reward = (-(targets.rewards * F.log_softmax(prediction.reward, -1)).sum(-1) * mask).sum() / steps
    ends = F.binary_cross_entropy_with_logits(prediction.termination, targets.terminated, reduction="none")
    termination = (ends * mask).sum() / steps
    total = frame + reward + termination
    return Losses(total, frame.item(), reward.item(), termination.item(), int(mask.sum()), end)
