"""Batches, one after the other: drawn whole by every rank alike, read by each in its own share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dreamplay.classic import ClassicNetwork
from dreamplay.curriculum import Stage
from dreamplay.feeds import Fed
from dreamplay.hardness import Hardness
from dreamplay.network import Network
from dreamplay.objective import Chosen, State, Targets
from dreamplay.ranks import Ranks
from dreamplay.step_weights import counted, eventful, step_weights
from dreamplay.windows import Places, Windows

UNTOLD = 0.5  # of the predictions do without the latent: else what it may tell is not learned from what is there to see


class Carried(NamedTuple):
    """Windows whose hidden state goes on in the next update."""

    places: Places  # where they go on, those of all ranks
    state: State  # of this rank's
    windows: int  # how many windows the state has lived through


class Batch(NamedTuple):
    """What one update learns from."""

    places: Places  # of all ranks' windows
    stage: Stage
    lived: int  # how many windows the state has lived through
    targets: Targets  # this rank's share
    start: State | None  # of this rank's windows
    steps: Tensor  # how many of all ranks the losses stand for
    rare: Tensor  # share of the events in these
    size: int  # steps of all ranks
    numbers: np.ndarray  # int64 (B, T) of all ranks, see `Windows.numbers`

    def carried(self, end: State | None, windows: Windows) -> Carried | None:
        """What goes on from the end of this rank's windows, if any does."""
        places, lived = self.places.after(len(self.stage.real)), self.lived + 1
        if end is None or lived >= self.stage.windows or not windows.go_on(places):
            return None
        return Carried(places, {name: value.detach().contiguous() for name, value in end.items()}, lived)


def draw_batch(
    windows: Windows,
    feed: Callable[[Places, int], Fed],
    stage: Stage,
    carried: Carried | None,
    count: int,
    predicted: int | None,
    network: Network | ClassicNetwork,
    hardness: Hardness,
    rng: np.random.Generator,
    ranks: Ranks,
) -> Batch:
    """The next batch: all that is random in it is drawn for all ranks, from a generator that is the same on each.

    Args:
        windows: where they are drawn from.
        feed: gives what the network sees of them.
        stage: of the curriculum.
        carried: what goes on, instead of new windows.
        count: number of new windows.
        predicted: most steps that carry a loss, see `step_weights`.
        network: learns from it.
        hardness: of the steps.
        rng: the only source of randomness.
        ranks: how many share the batch.
    """
    if carried is None:
        places, start, lived = windows.draw(rng, count, stage.span), None, 0
    else:
        stage = stage.later()
        places, start, lived = carried
    stage = stage.flip(rng)
    outcomes = windows.outcomes(places, len(stage.real))
    numbers = windows.numbers(places, len(stage.real))
    weights = step_weights(outcomes, stage.warm_up, predicted, hardness.of(numbers), rng)
    events = eventful(outcomes)
    noise = rng.standard_exponential((*weights.shape, *network.latent), np.float32)
    told = (rng.random(weights.shape) >= UNTOLD).astype(np.float32)
    blur = rng.standard_normal((*weights.shape, network.blurred), np.float32)
    own = ranks.own(len(weights))
    fed = feed(places.at(own), len(stage.real))
    device = fed.frames.device
    targets = Targets(
        *fed,
        weights=torch.from_numpy(weights[own]),  # left on the host, which decides by them what is computed
        events=torch.from_numpy(events[own]),
        usual=_usual(fed.rewards, sent(torch.from_numpy((outcomes.mask & ~events)[own]), device)),
        blur=sent(torch.from_numpy(blur[own]), device) if network.blurred else None,
        noise=sent(torch.from_numpy(noise[own]), device),
        told=sent(torch.from_numpy(told[own]), device),
    )
    most = min(predicted or weights.size, weights[own][:, stage.warm_up :].size)
    chosen = Chosen(*(sent(part, device) for part in targets.choose(stage.warm_up, most)))
    learned = counted(outcomes, stage.warm_up)
    facts = learned.sum(), (learned & events).sum() / max(1, learned.sum()), stage.rate
    steps, rare, lenience = (sent(torch.tensor(fact, dtype=torch.float32), device) for fact in facts)
    targets = targets._replace(chosen=chosen, lenience=lenience)
    return Batch(places, stage, lived, targets, start, steps, rare, weights.size, numbers)


def _usual(rewards: Tensor, eventless: Tensor) -> Tensor:
    """Mean (R,) of the rewards (B, T, R) of the steps that hold no event, (B, T); 0 if all do."""
    return (rewards * eventless.unsqueeze(-1)).sum((0, 1)) / eventless.sum().clamp(min=1)


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """On the device; a GPU is not waited for."""
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
