"""What a sequence of actions is worth inside the dream: the adaptor between planners and the simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from dreamplay.errors import UserError
from dreamplay.simulator import Simulator, State, repeat, rows

# On a CPU larger batches only spill the caches: a batch of 256 Pong dreams takes almost twice as long as in sixths.
PIXELS_AT_ONCE, MOST_AT_ONCE = 2**18, 256


@dataclass(frozen=True)
class ScoringConfig:
    """What counts as good."""

    discount: float = 0.99
    """Worth of a reward one step later, in (0, 1]."""
    alive_bonus: float | None = None
    """Worth of a step survived, in reward; None takes the mean reward of the training data, if that is a gain."""
    samples: int = 1
    """Futures per plan: 1 takes the most likely one, more are drawn as learned."""
    quantile: float | None = None
    """Which of the futures counts, from 0 (the worst) to 1 (the best); None takes their mean."""

    def __post_init__(self) -> None:
        if not 0 < self.discount <= 1:
            raise UserError(f"discount is {self.discount}; it must lie in (0, 1]")
        if self.samples < 1:
            raise UserError(f"samples is {self.samples}; a plan needs at least 1 future")
        if self.quantile is not None and not 0 <= self.quantile <= 1:
            raise UserError(f"quantile is {self.quantile}; it must lie in [0, 1]")


class DreamScorer:
    """Scores action sequences by dreaming them, rows and candidates in common batches and without decoding frames.

    The value of actions a_0 ... a_{T-1} from the state that is followed is, in one future,

        sum over t of discount^t * (alive_t * r_t + alive_{t+1} * bonus)  +  discount^T * alive_T * value(state_T),
        alive_0 = 1,  alive_{t+1} = alive_t * (1 - p_t),

    where r_t is the expected reward and p_t the predicted probability that step t terminates: the reward of the step
    that ends an episode still counts, nothing after it does. What comes after the plan is worth `value`. Where that is
    not known, the bonus stands for it, worth a typical step: without it, a plan that ends the episode loses nothing by
    it. Where the typical step costs something the bonus is zero: living on is not punished either.

    Sampled futures share their random numbers between candidates, rows and calls: two plans are compared on the same
    luck, and the same state and actions have the same value. Each number is spread evenly over the futures.

    Args:
        simulator: The dream.
        config: What counts as good.
        value: Worth of what comes after a state of B rows, (B,); see `dreamplay.simulator.State`.

    Example:
        >>> import dreamplay
        >>> simulator = dreamplay.load("runs/pong")  # doctest: +SKIP
        >>> scorer = DreamScorer(simulator, ScoringConfig(samples=4, quantile=0.25))  # doctest: +SKIP
    """

    def __init__(
        self,
        simulator: Simulator,
        config: ScoringConfig | None = None,
        *,
        value: Callable[[State], np.ndarray] | None = None,
    ) -> None:
        self.simulator = simulator
        self.config = config or ScoringConfig()
        self._value = value
        self._bonus = self.config.alive_bonus
        if self._bonus is None:
            self._bonus = max(0.0, simulator.mean_reward) if value is None else 0.0
        self._state: State = {}
        self._begun: _Begun | None = None

    def follow(self, state: State) -> None:
        """Scores from this state of B rows from now on. The state is never modified."""
        self._state, self._begun = state, None

    def score(self, actions: np.ndarray) -> np.ndarray:
        """Values (B, N), float64, in units of reward, of actions (B, N, T, *action_shape)."""
        batch, candidates, steps = actions.shape[:3]
        dreams, t = self._beginning(actions)
        taken = actions[:, :, t:].reshape(batch * candidates, steps - t, *actions.shape[3:])
        taken = taken.repeat(self.config.samples, axis=0)  # (R, T - t, *action_shape)
        futures = np.arange(len(taken)) % self.config.samples  # (R,), which future each of them dreams
        parts = self._blocks(len(taken))
        dreams = _joined([self._roll(_at(dreams, part), taken[part], futures[part], t) for part in parts])
        if steps == 1 or t > 0:  # a search that goes on from here comes back, one step longer
            self._begun = _Begun(steps, {key: place for place, key in enumerate(_keys(actions))}, dreams)
        values = dreams.values
        if self._value is not None:
            values = values + self.config.discount**steps * dreams.alive * self._value(dreams.state)
        values = values.reshape(batch, candidates, self.config.samples)
        quantile = self.config.quantile
        return values.mean(axis=2) if quantile is None else np.quantile(values, quantile, axis=2)

    def _beginning(self, actions: np.ndarray) -> tuple[_Dreams, int]:
        """R = B * N * S dreams where the actions begin, or just before their last step if known; and the step."""
        batch, candidates, steps = actions.shape[:3]
        samples = self.config.samples
        if self._begun is not None and self._begun.steps == steps - 1 > 0:
            places = [self._begun.places.get(key, -1) for key in _keys(actions[:, :, :-1])]
            if min(places) >= 0:
                spread = np.array(places)[:, None] * samples + np.arange(samples)  # (B * N, S)
                return _at(self._begun.dreams, spread.reshape(-1)), steps - 1
        count = batch * candidates * samples
        return _Dreams(repeat(self._state, candidates * samples), np.zeros(count), np.ones(count)), 0

    def _blocks(self, count: int) -> list[slice]:
        height, width, _ = self.simulator.card.observation_space.shape
        block = min(max(1, PIXELS_AT_ONCE // (height * width)), MOST_AT_ONCE)
        if next(iter(self._state.values())).device.type != "cpu":
            block = count
        return [slice(start, start + block) for start in range(0, count, block)]

    def _roll(self, dreams: _Dreams, actions: np.ndarray, futures: np.ndarray, first: int) -> _Dreams:
        """Takes the actions (R, steps, *action_shape), of which the first is step `first` of the plan."""
        (state, values, alive), samples = dreams, self.config.samples
        for t in range(actions.shape[1]):
            if samples == 1:
                state, step = self.simulator.step(state, actions[:, t], decode=False)
            else:
                uniforms = _luck(first + t, samples, self.simulator.draws)[futures]  # (R, draws)
                state, step = self.simulator.step(
                    state, actions[:, t], temperature=1.0, uniforms=uniforms, decode=False
                )
            earned = alive * step.expected_rewards
            alive = alive * (1.0 - step.termination_probability)
            values = values + self.config.discount ** (first + t) * (earned + self._bonus * alive)
        return _Dreams(state, values, alive)


class _Dreams(NamedTuple):
    """R dreams under way."""

    state: State
    values: np.ndarray  # float64 (R,), earned so far
    alive: np.ndarray  # float64 (R,), probability that they are not over


class _Begun(NamedTuple):
    """Where the sequences of one call of `score` have led."""

    steps: int
    places: dict[tuple[int, bytes], int]  # row and actions -> which of the B * N sequences
    dreams: _Dreams  # B * N * S


def _at(dreams: _Dreams, places: np.ndarray | slice) -> _Dreams:
    index = places if isinstance(places, slice) else torch.from_numpy(places)
    return _Dreams(rows(dreams.state, index), dreams.values[places], dreams.alive[places])


def _joined(parts: Sequence[_Dreams]) -> _Dreams:
    if len(parts) == 1:
        return parts[0]
    state = {name: torch.cat([part.state[name] for part in parts]) for name in parts[0].state}
    return _Dreams(state, *(np.concatenate(column) for column in zip(*(part[1:] for part in parts), strict=True)))


def _keys(actions: np.ndarray) -> list[tuple[int, bytes]]:
    """What tells the sequences (B, N, T, *action_shape) apart, B * N of them."""
    return [(row, sequence.tobytes()) for row, sequences in enumerate(actions) for sequence in sequences]


def _luck(t: int, samples: int, draws: int) -> np.ndarray:
    """Random numbers float32 (S, draws) in [0, 1) of step t, each spread evenly over the futures."""
    rng = np.random.default_rng(t)
    strata = rng.permuted(np.tile(np.arange(samples), (draws, 1)), axis=1).T  # (S, draws)
    uniforms = ((strata + rng.random((samples, draws))) / samples).astype(np.float32)
    return np.minimum(uniforms, np.nextafter(np.float32(1), np.float32(0)))  # rounding may have reached 1
