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
    """Means per step, in nats (frame: weighted)."""

    total: Tensor
    frame: float
    reward: float
    termination: float


def imagine(network: Any, frames: Tensor, actions: Tensor, stage: Stage) -> Prediction:
    """Predictions (B, T, ...) along a window whose inputs are real or the network's own, as the stage says.

    Runs of real inputs go through the network at once; own predictions are fed back step by step, and gradients flow
    through them (Chiappa et al. 2017, section 3.1).
    """
    hidden = network.initial(frames[:, 0])
    parts: list[Prediction] = []
    t = 0
    while t < len(stage.real):
        if stage.real[t]:
            end = next((i for i in range(t, len(stage.real)) if not stage.real[i]), len(stage.real))
            prediction, hidden = network.unroll(frames[:, t:end], actions[:, t:end], hidden)
        else:
            end = t + 1
            own = network.frames.feed_back(parts[-1].frame[:, -1])
            step, hidden = network.step(own, actions[:, t], hidden)
            prediction = Prediction(*(x.unsqueeze(1) for x in step))
        parts.append(prediction)
        t = end
    return Prediction(*(torch.cat(xs, 1) for xs in zip(*parts, strict=True)))


def imagine_detached(network: Any, frames: Tensor, actions: Tensor, stage: Stage) -> Prediction:
    hidden = network.initial(frames[:, 0])
    inputs = frames.clone()
    with torch.no_grad():
        t = 0
        while not all(stage.real[t:]):
            end = t + 1
            if stage.real[t]:
                end = next(i for i in range(t, len(stage.real)) if not stage.real[i])
            prediction, hidden = network.unroll(inputs[:, t:end], actions[:, t:end], hidden)
            if end < len(stage.real) and not stage.real[end]:
                inputs[:, end] = network.frames.most_likely(prediction.frame[:, -1])
            t = end
            if t >= len(stage.real): break
    return network.unroll(inputs, actions, network.initial(frames[:, 0]))[0]


def objective(network: Any, targets: Targets, stage: Stage, motion_weight: float, event_weight: float) -> Losses:
    """Mean loss per step of a window.

    Args:
        network: default or classic.
        targets: the batch.
        stage: which inputs are real, and how many leading steps carry no loss.
        motion_weight: factor on the pixels that change from one real frame to the next; the rest weigh 1.
        event_weight: factor on the log-losses of reward and termination.
    """
    import os
    prediction = (imagine_detached if os.environ.get('DET') else imagine)(network, targets.frames[:, :-1], targets.actions, stage)
    before, after = targets.frames[:, :-1], targets.frames[:, 1:]
    moved = network.frames.moved(before, after)  # (B, T, ...), a pixel each
    pixels = network.frames.log_loss(prediction.frame, after) * (1 + (motion_weight - 1) * moved)
    mask = targets.mask.clone()
    mask[:, : stage.warm_up] = 0
    steps = mask.sum().clamp(min=1)
    frame = (pixels.flatten(2).sum(-1) * mask).sum() / steps
    reward = (-(targets.rewards * F.log_softmax(prediction.reward, -1)).sum(-1) * mask).sum() / steps
    ends = F.binary_cross_entropy_with_logits(prediction.termination, targets.terminated, reduction="none")
    termination = (ends * mask).sum() / steps
    total = frame + event_weight * (reward + termination)
    return Losses(total, frame.item(), reward.item(), termination.item())
