"""From ground truth to own predictions: which input frames of a training window are real, as a function of progress.

A step whose input is the real frame is an observation-dependent transition, one whose input is the simulator's own
prediction is a prediction-dependent transition (PDT; Chiappa et al. 2017, section 2). A curriculum maps progress in
[0, 1] to a `Stage` and knows nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import cos, pi
from typing import TYPE_CHECKING

from dreamplay.errors import UserError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Stage:
    """What one update trains on.

    Args:
        real: for each step of the window, whether its input frame is the real one (False: the simulator's own).
        warm_up: leading steps whose predictions carry no loss; real inputs only. The classic simulator does not learn
            through them either.
        rate: factor on the learning rate.
        truth: probability with which an input that is not real becomes so after all, see `flip`.
        windows: how many consecutive windows of an episode one hidden state lives through. Gradients stay within one of
            them: BPTT(T, windows).
    """

    real: tuple[bool, ...]
    warm_up: int = 0
    rate: float = 1.0
    truth: float = 0.0
    windows: int = 1

    @property
    def predicted(self) -> int:
        """How many inputs of the window are the simulator's own."""
        return len(self.real) - sum(self.real)

    @property
    def span(self) -> int:
        """Steps of all windows that one hidden state lives through."""
        return self.warm_up + self.windows * (len(self.real) - self.warm_up)

    def later(self) -> Stage:
        """The stage in a window that takes over a hidden state: that needs no warm-up."""
        return self.cut(self.warm_up, len(self.real))

    def cut(self, start: int, end: int) -> Stage:
        """The stage of some of the steps."""
        return replace(self, real=self.real[start:end], warm_up=min(max(self.warm_up - start, 0), end - start))

    def flip(self, rng: np.random.Generator) -> Stage:
        """The stage of one update of scheduled sampling: a coin is flipped for each step, the same for all windows."""
        if not self.truth:
            return self
        heads = rng.random(len(self.real)) < self.truth
        real = tuple(real or bool(head) for real, head in zip(self.real, heads, strict=True))
        return replace(self, real=real, truth=0.0)

    def segments(self) -> list[tuple[int, int]]:
        """The steps cut into runs of real inputs and single predicted inputs, as (start, end); the warm-up is a run."""
        starts = [t for t, real in enumerate(self.real) if t in (0, self.warm_up) or not real or not self.real[t - 1]]
        return list(zip(starts, [*starts[1:], len(self.real)], strict=True))

    def __str__(self) -> str:
        return f"{sum(self.real)} real + {self.predicted} predicted"


Curriculum = Callable[[float], Stage]

WINDOW = 64
OBSERVED = 8
PREDICTED = (1, 2, 4, 8, 16)
SLICES = 1000  # of a training; from one to the next, dreams and teacher forcing take turns


def window(observed: int, predicted: int = 0, *, warm_up: int = 0, rate: float = 1.0) -> Stage:
    """`observed` real inputs, then `predicted` inputs of the simulator's own."""
    return Stage((True,) * observed + (False,) * predicted, warm_up, rate)


def falling_rate(progress: float) -> float:
    """Half a cosine from 1 down to 0.02."""
    return 0.02 + 0.98 * (1 + cos(pi * progress)) / 2


def default(progress: float, scale: int = 1) -> Stage:
    """Teacher forcing for the first half, parallel over time; then 1, 2, 4, 8, 16 predicted steps; a falling rate.

    Dreams are kept short, so that they fit into short episodes. Between them teacher forcing goes on, in the long
    windows that teach the memory.

    Args:
        progress: in [0, 1].
        scale: factor on the length of every window.
    """
    rate = falling_rate(progress)
    if progress < 0.5 or int(progress * SLICES) % 2:
        return window(scale * WINDOW, rate=rate)
    phase = min(int((progress - 0.5) * 2 * len(PREDICTED)), len(PREDICTED) - 1)
    return window(scale * OBSERVED, scale * PREDICTED[phase], warm_up=scale * OBSERVED - 1, rate=rate)


def teacher_forcing(progress: float) -> Stage:
    """Real inputs throughout, with the window and the rate of `default`."""
    return window(WINDOW, rate=falling_rate(progress))


# The decays of Bengio et al. 2015 (section 2.4), with constants that let each fall to a thousandth or less.
LEAST = 1e-3
DECAYS: dict[str, Callable[[float], float]] = {
    "linear": lambda progress: 1 - progress,
    "exponential": lambda progress: LEAST**progress,
    "inverse-sigmoid": lambda progress: 1 / (1 + LEAST ** (1 - 2 * progress)),
}


def scheduled_sampling(decay: str) -> Curriculum:
    """A coin flip per step between truth and own output, ever more often own output; the target stays the truth.

    The window and the rate are those of `default`, and as there the first steps are real.
    """
    return lambda progress: replace(
        window(OBSERVED, WINDOW - OBSERVED, rate=falling_rate(progress)), truth=DECAYS[decay](progress)
    )


def carried(curriculum: Curriculum, windows: int) -> Curriculum:
    """The curriculum with hidden states that live through several consecutive windows: truncated back-propagation."""
    return lambda progress: replace(curriculum(progress), windows=windows)


# Chiappa et al. 2017, section 3.1: ten warm-up frames without loss, then T = 15. A scheme that changes does so where it
# did in the half million updates of their figure 2(a), `oh` after 500,000 and 750,000 of 1,500,000.
WARM_UP = 10
UPDATES = 500_000


def _scheme(observed: int, predicted: int) -> Stage:
    return window(WARM_UP + observed, predicted, warm_up=WARM_UP)


def _in_turn(*phases: tuple[float, Stage]) -> Curriculum:
    """Stages, each with the progress at which it ends."""
    return lambda progress: next((stage for end, stage in phases if progress < end), phases[-1][1])


# BPTT(15, k) of the same section. The scheme below it is this project's choice: the one that predicts most, so that a
# carried state makes for dreams of k times 15 steps.
ZERO_TO_HUNDRED = _in_turn((1_000 / UPDATES, _scheme(15, 0)), (1, _scheme(0, 15)))

CURRICULA: dict[str, Curriculum] = {
    "default": default,
    "teacher-forcing": teacher_forcing,
    "long": lambda progress: default(progress, scale=4),
    "carried": carried(default, 4),
    "scheduled-sampling": scheduled_sampling("linear"),
    **{f"scheduled-sampling-{decay}": scheduled_sampling(decay) for decay in ("exponential", "inverse-sigmoid")},
    "pdt-0": lambda progress: _scheme(15, 0),
    "pdt-33": lambda progress: _scheme(10, 5),
    "pdt-0-20-33": _in_turn(
        (10_000 / UPDATES, _scheme(15, 0)), (110_000 / UPDATES, _scheme(12, 3)), (1, _scheme(10, 5))
    ),
    "pdt-46": lambda progress: _scheme(8, 7),
    "pdt-46-alternating": lambda progress: Stage((True,) * WARM_UP + (True, False) * 7 + (True,), WARM_UP),
    "pdt-67": lambda progress: _scheme(5, 10),
    "pdt-0-100": ZERO_TO_HUNDRED,
    "pdt-100": lambda progress: _scheme(0, 15),
    "oh": _in_turn((1 / 3, _scheme(10, 0)), (1 / 2, _scheme(0, 3)), (1, _scheme(0, 5))),
    **{f"bptt-15-{windows}": carried(ZERO_TO_HUNDRED, windows) for windows in (2, 5)},
}


def curriculum(name: str) -> Curriculum:
    """The curriculum of that name.

    Raises:
        UserError: no curriculum has that name.
    """
    if name not in CURRICULA:
        raise UserError(f"no curriculum is called {name!r}; choose one of {', '.join(CURRICULA)}")
    return CURRICULA[name]
