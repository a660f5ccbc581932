"""What training minimises: the negative log-likelihood of frames, rewards and terminations along a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from dreamplay.curriculum import Stage
from dreamplay.hardness import UNKNOWN
from dreamplay.network import Prediction
from dreamplay.one_step import State
from dreamplay.rehearsal import REHEARSAL, Events, event_losses, which_losses


class Chosen(NamedTuple):
    """The N steps of a batch that carry a loss."""

    rows: Tensor  # (N,) which of the B * T
    weights: Tensor  # (N,) in the mean loss
    rare: Tensor  # (N,) 1 for an event, see `dreamplay.rehearsal`


class Targets(NamedTuple):
    """A batch of B windows of T steps, as the network sees it."""

    frames: Tensor  # codes (B, T + 1, ...)
    actions: Tensor  # (B, T, A)
    rewards: Tensor  # (B, T, R) probabilities of the reward bins
    terminated: Tensor  # (B, T) 0 or 1
    weights: Tensor  # (B, T) of each step in the mean loss; a step of weight 0 is not predicted; on the CPU or not
    events: Tensor  # (B, T) whether a step is one of the rare ones, see `dreamplay.rehearsal`; where the weights are
    usual: Tensor  # (R,) the rewards of all other steps, 0 if there are none, see `dreamplay.rehearsal`
    blur: Tensor | None = None  # (B, T, ...) normal draws for what is known; None = it is not blurred
    noise: Tensor | None = None  # (B, T, L, M) exponential draws for the latents; None = the network draws its own
    told: Tensor | None = None  # (B, T) 0 where a prediction has to do without the latent, else 1; None = 1
    chosen: Chosen | None = None  # what the weights choose, where the frames are; None = it is not yet known
    lenience: Tensor | float = 0.0  # with the latent's posterior, see `dreamplay.network`

    def cut(self, start: int, end: int) -> Targets:
        """Some of the steps."""
        steps = ("actions", "rewards", "terminated", "weights", "events", "blur", "noise", "told")
        parts: dict[str, Any] = {name: getattr(self, name) for name in steps}
        parts = {name: None if part is None else part[:, start:end] for name, part in parts.items()}
        return self._replace(frames=self.frames[:, start : end + 1], chosen=None, **parts)

    def choose(self, warm_up: int, most: int | None = None) -> Chosen:
        """The steps that have a weight. To find them on a GPU would be to wait for it: weights stay on the CPU.

        Args:
            warm_up: leading steps that carry no loss.
            most: fill up to so many, with steps of weight 0: what is recorded on a GPU is of one shape.
        """
        weights = self.weights.clone()
        weights[:, :warm_up] = 0
        rows = weights.flatten().nonzero().squeeze(1)
        parts = rows, weights.flatten()[rows], self.events.flatten()[rows].float()
        return Chosen(*(F.pad(part, (0, max(0, (most or 0) - len(rows)))) for part in parts))


@dataclass(frozen=True)
class Losses:
    """Means per step, in nats."""

    total: Tensor
    """What is minimised: events weigh as much as the network says."""
    parts: Tensor
    """(4,), without gradient: of the frame, reward, termination, and what the truth told the latent."""
    steps: Tensor
    """Steps that the means stand for: the sum of their weights."""
    end: State | None
    """Where the window ended, if that was asked for."""
    events: Events
    """The steps that carry a loss, and which of them are rare; without gradient."""
    hardness: Tensor
    """(B, T) of each step that was predicted, what is minimised but for the latent's price, without gradient; else
    `UNKNOWN`."""

    # Read when asked for: to wait for numbers from a GPU at each update is to stop it at each update.
    @property
    def frame(self) -> float:
        """Of all pixels."""
        return self.parts[0].item()

    @property
    def reward(self) -> float:
        """Of the reward's bins."""
        return self.parts[1].item()

    @property
    def termination(self) -> float:
        """Of whether the episode ends."""
        return self.parts[2].item()

    @property
    def surprise(self) -> float:
        """What the truth told the latent."""
        return self.parts[3].item()


def imagine(
    network: Any,
    frames: Tensor,
    actions: Tensor,
    stage: Stage,
    start: State | None = None,
    *,
    truth: Tensor | None = None,
    noise: Tensor | None = None,
    told: Tensor | None = None,
    blur: Tensor | None = None,
    rows: Tensor | None = None,
    lenience: Tensor | float = 0.0,
    go_on: bool = False,
) -> tuple[Prediction, State | None]:
    """Predictions along a window whose inputs are real or the network's own, as the stage says.

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
        truth: codes of the real frames (B, T, ...), one after each action: what the latent learns from. Also what keeps
            a dream near its target where chance decides. None = the latent is left out.
        noise: (B, T, L, M), see `Targets`. A dreamed step and the prediction that it comes from draw the same latent.
        told: (B, T), see `Targets`. The latents of dreamed steps are always told.
        blur: (B, T, ...), see `Targets`.
        rows: which of the N = B * T steps to predict; None = all.
        lenience: with the latent's posterior, see `dreamplay.network`.
        go_on: whether to tell where the window ended.

    Returns:
        The predictions (N, ...), and where the window ended, or None.
    """
    if start is None:
        start = {"frame": frames[:, 0], **network.initial(frames[:, 0])}
    if network.learns_through_predictions:
        return _learned_through(network, frames, actions, stage, start, rows)
    if stage.predicted:
        with torch.no_grad():
            frames = _dreamed(network, frames, actions, stage, start, truth, noise)
    moments, hidden = network.observe(frames, actions, start)
    given = [None if part is None else part.flatten(0, 1) for part in (truth, noise, told, blur)]
    end = _end(network, moments, hidden, given[:2], len(actions)) if go_on else None
    if rows is not None:
        moments, given = moments.at(rows), [None if part is None else part[rows] for part in given]
    truth, noise, told, blur = given
    return network.predict(moments, truth, noise=noise, lenience=lenience, told=told, blur=blur), end


def _dreamed(
    network: Any,
    frames: Tensor,
    actions: Tensor,
    stage: Stage,
    state: State,
    truth: Tensor | None,
    noise: Tensor | None,
) -> Tensor:
    """The inputs (B, T, ...), segment by segment: a run of real ones at once, own predictions one by one."""
    inputs: list[Tensor] = []
    for start, end in stage.segments():
        inputs.append(frames[:, start:end] if stage.real[start] else state["frame"].unsqueeze(1))
        moments, hidden = network.observe(inputs[-1], actions[:, start:end], state)
        if end < len(stage.real) and not stage.real[end]:
            given = [None if part is None else part[:, start:end].flatten(0, 1) for part in (truth, noise)]
            hidden = _end(network, moments, hidden, given, len(frames))
        state = hidden
    return torch.cat(inputs, 1)


@torch.no_grad()
def _end(network: Any, moments: Any, hidden: State, given: list[Tensor | None], windows: int) -> State:
    """The state after the last moment of each window."""
    t = len(moments.known) // windows
    last = torch.arange(t - 1, windows * t, t, device=moments.known.device)
    truth, noise = (None if part is None else part[last] for part in given)
    prediction = network.predict(moments.at(last), truth, noise=noise)
    return {**hidden, "frame": network.frames.most_likely(prediction.frame)}


def _learned_through(
    network: Any, frames: Tensor, actions: Tensor, stage: Stage, state: State, rows: Tensor | None
) -> tuple[Prediction, State]:
    """Predictions and the end of a network whose gradients flow through its own frames."""
    predictions: list[Prediction] = []
    for start, end in stage.segments():
        inputs = frames[:, start:end] if stage.real[start] else state["frame"].unsqueeze(1)
        with torch.set_grad_enabled(torch.is_grad_enabled() and start >= stage.warm_up):
            prediction, hidden = network.unroll(inputs, actions[:, start:end], state)
            state = {**hidden, "frame": network.frames.most_likely(prediction.frame[:, -1])}
        predictions.append(prediction)
    flat = Prediction(*(torch.cat(parts, 1).flatten(0, 1) for parts in zip(*predictions, strict=True)))
    return flat if rows is None else Prediction(*(part[rows] for part in flat)), state


def objective(
    network: Any, targets: Targets, stage: Stage, start: State | None = None, *, go_on: bool = False
) -> Losses:
    """Mean loss per step of a window.

    Args:
        network: default or classic.
        targets: the batch.
        stage: which inputs are real, and how many leading steps carry no loss.
        start: where the windows begin; None = with no past.
        go_on: whether to tell where the window ended.
    """
    chosen = targets.choose(stage.warm_up) if targets.chosen is None else targets.chosen
    rows, weights, rare = (part.to(targets.frames.device) for part in chosen)
    truth = targets.frames[:, 1:]
    prediction, end = imagine(
        network,
        targets.frames[:, :-1],
        targets.actions,
        stage,
        start,
        truth=truth,
        noise=targets.noise,
        told=targets.told,
        blur=targets.blur,
        rows=rows,
        lenience=targets.lenience,
        go_on=go_on,
    )
    prediction = Prediction(*(part.float() for part in prediction))  # whatever the network computes in
    pixels = network.frames.log_loss(prediction.frame, truth.flatten(0, 1)[rows])  # (N, ...)
    rewarded, ended = targets.rewards.flatten(0, 1)[rows], targets.terminated.flatten()[rows]
    judged = prediction.reward, prediction.termination
    rewards, ends = event_losses(judged, rewarded, ended)
    usual = targets.usual.expand_as(rewarded)
    if network.clues:  # the layers that judge learn the rest of which event it was when that is judged again
        now, fixed = (
            which_losses(said, rewarded, ended, usual)
            for said in (judged, network.judged(prediction.clues, fixed=True))
        )
        rewards = rewards + REHEARSAL * rare * (fixed - now)
    losses = torch.stack([pixels.flatten(1).sum(-1), rewards, ends, prediction.surprise])  # (4, N)
    count = weights.sum()
    means = (losses * weights).sum(1) / count.clamp(min=1)
    total = means[0] + network.event_weight * (means[1] + means[2]) + means[3]
    events = Events(prediction.clues.detach(), rewarded, ended, usual, rare)
    found = losses[0] + network.event_weight * (losses[1] + losses[2])
    found = torch.where(weights > 0, found.detach().clamp(min=0), UNKNOWN)  # what fills up is not learned from
    hardness = torch.full_like(targets.terminated, UNKNOWN).flatten().scatter_reduce(0, rows, found, "amax")
    return Losses(total, means.detach(), count, end, events, hardness.view_as(targets.terminated))
