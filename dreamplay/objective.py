"""What training minimises: the negative log-likelihood of frames, rewards and terminations along a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from dreamplay.curriculum import Stage
from dreamplay.network import Prediction


class Targets(NamedTuple):
    """A batch of B windows of T steps, as the network sees it."""

    frames: Tensor  # codes (B, T + 1, ...)
    actions: Tensor  # (B, T, A)
    rewards: Tensor  # (B, T, R) probabilities of the reward bins
    terminated: Tensor  # (B, T) 0 or 1
    mask: Tensor  # (B, T) 1 where the step exists


@dataclass(frozen=True)
class Losses:
    """Means per step, in nats."""

    total: Tensor
    frame: float
    reward: float
    termination: float


def imagine(network: Any, frames: Tensor, actions: Tensor, stage: Stage) -> Prediction:
    """Predictions (B, T, ...) along a window whose inputs are real or the network's own, as the stage says.

    The classic network learns through its own predictions: gradients flow back from one to the one before, but not
    into the warm-up (Chiappa et al. 2017, sections 2 and 3). The default network learns on them: it first dreams them
    without gradients, then takes the whole window at once, as in teacher forcing. That is cheaper, and there is no
    gradient to explode along a dream.

    Args:
        network: default or classic.
        frames: codes of the real frames (B, T, ...), one before each action.
        actions: (B, T, A).
        stage: which inputs are real, T in all; the first one is.
    """
    if network.learns_through_predictions:
        _, predictions = _walk(network, frames, actions, stage)
        return Prediction(*(torch.cat(parts, 1) for parts in zip(*predictions, strict=True)))
    if stage.predicted:
        with torch.no_grad():
            inputs, _ = _walk(network, frames, actions, stage)
        frames = torch.cat(inputs, 1)
    return network.unroll(frames, actions, network.initial(frames[:, 0]))[0]


def _walk(network: Any, frames: Tensor, actions: Tensor, stage: Stage) -> tuple[list[Tensor], list[Prediction]]:
    """Inputs and predictions, segment by segment: a run of real inputs at once, own predictions one by one."""
    hidden = network.initial(frames[:, 0])
    inputs: list[Tensor] = []
    predictions: list[Prediction] = []
    for start, end in stage.segments():
        if stage.real[start]:
            inputs.append(frames[:, start:end])
        else:
            inputs.append(network.frames.most_likely(predictions[-1].frame[:, -1:]))
        with torch.set_grad_enabled(torch.is_grad_enabled() and start >= stage.warm_up):
            prediction, hidden = network.unroll(inputs[-1], actions[:, start:end], hidden)
        predictions.append(prediction)
    return inputs, predictions


def objective(network: Any, targets: Targets, stage: Stage) -> Losses:
    """Mean loss per step of a window.

    Args:
        network: default or classic.
        targets: the batch.
        stage: which inputs are real, and how many leading steps carry no loss.
    """
    prediction = imagine(network, targets.frames[:, :-1], targets.actions, stage)
    pixels = network.frames.log_loss(prediction.frame, targets.frames[:, 1:])  # (B, T, ...)
    mask = targets.mask.clone()
    mask[:, : stage.warm_up] = 0
    steps = mask.sum().clamp(min=1)
    frame = (pixels.flatten(2).sum(-1) * mask).sum() / steps
    reward = (-(targets.rewards * F.log_softmax(prediction.reward, -1)).sum(-1) * mask).sum() / steps
    ends = F.binary_cross_entropy_with_logits(prediction.termination, targets.terminated, reduction="none")
    termination = (ends * mask).sum() / steps
    return Losses(frame + reward + termination, frame.item(), reward.item(), termination.item())
