"""What a sequence of actions is worth inside the dream: the adaptor between planners and the simulator."""

from __future__ import annotations

import numpy as np

from dreamplay.simulator import Simulator, State, repeat, rows

# On a CPU larger batches only spill the caches: a batch of 256 Pong dreams takes almost twice as long as in sixths.
PIXELS_AT_ONCE, MOST_AT_ONCE = 2**18, 256


class DreamScorer:
    """Scores action sequences by dreaming them, rows and candidates in common batches and without decoding frames.

    The value of actions a_0 ... a_{T-1} from the state that is followed is

        sum over t of discount^t * (alive_t * r_t + alive_{t+1} * bonus),
        alive_0 = 1,  alive_{t+1} = alive_t * (1 - p_t),

    where r_t is the expected reward and p_t the predicted probability that step t terminates: the reward of the step
    that ends an episode still counts, nothing after it does. The bonus is what a typical step is worth. It stands for
    the reward that the plan is too short to see: without it, a plan that ends the episode loses nothing by it. Where
    the typical step costs something the bonus is zero: living on is not punished either.

    Args:
        simulator: The dream. Steps are taken at temperature 0: the most likely future.
        discount: Worth of a reward one step later, in (0, 1].
        alive_bonus: The bonus, in reward per step; None takes max(0, simulator.mean_reward).
    """

    def __init__(self, simulator: Simulator, *, discount: float = 0.99, alive_bonus: float | None = None) -> None:
        self.simulator = simulator
        self._discount = discount
        self._alive_bonus = max(0.0, simulator.mean_reward) if alive_bonus is None else alive_bonus
        self._state: State = {}

    def follow(self, state: State) -> None:
        """Scores from this state of B rows from now on. The state is never modified."""
        self._state = state

    def score(self, actions: np.ndarray) -> np.ndarray:
        """Values (B, N), float64, in units of reward, of actions (B, N, T, *action_shape)."""
        batch, candidates = actions.shape[:2]
        flat = actions.reshape(batch * candidates, *actions.shape[2:])  # (B * N, T, *action_shape)
        state = repeat(self._state, candidates)
        block = self._at_once() if next(iter(state.values())).device.type == "cpu" else len(flat)
        parts = [slice(start, start + block) for start in range(0, len(flat), block)]
        values = np.concatenate([self._roll(rows(state, part), flat[part]) for part in parts])
        return values.reshape(batch, candidates)

    def _at_once(self) -> int:
        height, width, _ = self.simulator.card.observation_space.shape
        return min(max(1, PIXELS_AT_ONCE // (height * width)), MOST_AT_ONCE)

    def _roll(self, state: State, actions: np.ndarray) -> np.ndarray:
        """Values (R,) of actions (R, T, *action_shape) from a state of R rows."""
        values, alive = np.zeros(len(actions)), np.ones(len(actions))
        for t in range(actions.shape[1]):
            state, step = self.simulator.step(state, actions[:, t], decode=False)
            earned = alive * step.expected_rewards
            alive = alive * (1.0 - step.termination_probability)
            values += self._discount**t * (earned + self._alive_bonus * alive)
        return values
