"""A dream as a Gymnasium environment: a learned simulator, rolled forward on its own frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded

from dreamplay.envs.dream_actions import ActionChecker
from dreamplay.envs.dream_contexts import StoredContexts, check_context
from dreamplay.envs.dream_loading import check_settings, load_simulator
from dreamplay.envs.dream_snapshot import Snapshot, read_snapshot, take_snapshot
from dreamplay.envs.window import Window
from dreamplay.errors import UserError

if TYPE_CHECKING:
    from dreamplay.simulator import Rollout, Simulator, State

RENDER_MODES = ("human", "rgb_array")


class DreamEnv(gym.Env[np.ndarray, Any]):
    """One dream. Spaces equal the prepared real environment's; reward and termination are predicted.

    A dream starts where a real context ends: one of those stored in the checkpoint, drawn by `np_random`, or the one
    in `reset(options={"context": {"observations": uint8 (n, H, W, C), "actions": (n-1, ...)}})`. The first
    observation is the context's last frame. `info` holds "horizon", int, the steps since the context ended, and
    "termination_probability", float.

    Args:
        simulator: a loaded simulator, `dreamplay.load("runs/pong")`.
        horizon: steps until the dream is truncated.
        temperature: 0 = the most likely frame, without any randomness; 1 = frames drawn as learned.
        render_mode: None, "rgb_array" (uint8 (H, W, 3)) or "human" (an upscaled window).

    Raises:
        UserError: if an argument is out of range.

    Example:
        >>> import gymnasium as gym, dreamplay
        >>> env = gym.make("Dreamplay/Dream-v0", checkpoint="runs/pong")  # doctest: +SKIP
        >>> observation, info = env.reset(seed=0)  # doctest: +SKIP
        >>> observation, reward, terminated, truncated, info = env.step(2)  # doctest: +SKIP
    """

    def __init__(
        self,
        simulator: Simulator,
        *,
        horizon: int = 1000,
        temperature: float = 0.0,
        render_mode: str | None = None,
    ) -> None:
        check_settings(horizon, temperature)
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise UserError(f"render mode {render_mode!r} is unknown; use None, 'rgb_array' or 'human'")
        card = simulator.card
        self.simulator, self.horizon, self.temperature = simulator, horizon, temperature
        self.observation_space, self.action_space = card.observation_space, card.action_space
        self.metadata = {"render_modes": list(RENDER_MODES), "render_fps": card.fps}
        self.render_mode = render_mode
        self._contexts = StoredContexts(simulator)
        self._actions = ActionChecker(card.action_space)
        self._window: Window | None = None
        self._state: State | None = None
        self._frame = np.zeros(self.observation_space.shape or (), np.uint8)
        self._elapsed = 0
        self._done = True
        self._before: tuple[State, np.ndarray] | None = None  # where the last step was taken, and the action

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start a dream.

        Args:
            seed: seeds `np_random`, which chooses the context and, at a temperature above 0, the frames.
            options: {"context": ...} starts where those frames end.

        Raises:
            UserError: if the context does not fit, or the checkpoint stores none.
        """
        super().reset(seed=seed)
        if options is not None and "context" in options:
            observations, actions = check_context(self.simulator, options["context"])
            self._state, self._frame = self.simulator.start(observations, actions), observations[0, -1]
        else:
            index = self._contexts.draw(self.np_random)
            self._state, self._frame = self._contexts.state(index), self._contexts.frame(index)
        self._elapsed, self._done, self._before = 0, False, None
        if self.render_mode == "human":
            self.render()
        return self._frame.copy(), {"horizon": 0, "termination_probability": 0.0}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Dream one step on.

        Raises:
            ResetNeeded: if the dream is over, or has not begun.
            InvalidAction: if the action is not in the action space.
        """
        if self._state is None or self._done:
            raise ResetNeeded("the dream is over or has not begun; call reset() before step()")
        actions = self._actions.check(np.asarray(action)[None], 1)
        uniforms = None
        if self.temperature > 0:
            uniforms = self.np_random.random((1, self.simulator.draws), dtype=np.float32)
        self._before = (self._state, actions)
        self._state, step = self.simulator.step(self._state, actions, temperature=self.temperature, uniforms=uniforms)
        self._frame = step.observations[0]
        self._elapsed += 1
        terminated, truncated = bool(step.terminated[0]), self._elapsed >= self.horizon
        self._done = terminated or truncated
        if self.render_mode == "human":
            self.render()
        info = {"horizon": self._elapsed, "termination_probability": float(step.termination_probability[0])}
        return self._frame.copy(), float(step.rewards[0]), terminated, truncated, info

    def snapshot(self) -> Snapshot:
        """The whole state of the dream as a plain picklable value; it never changes afterwards.

        The settings (horizon, temperature) are not part of it: they are those of the dream it is restored into.

        Raises:
            ResetNeeded: if no dream has begun.
        """
        if self._state is None:
            raise ResetNeeded("no dream has begun; call reset() before snapshot()")
        elapsed, done = np.array([self._elapsed]), np.array([self._done])
        return take_snapshot(self._state, self._frame[None], elapsed, done, [self.np_random], [self.np_random_seed])

    def restore(self, state: Snapshot) -> None:
        """Continue from a snapshot of this or another dream of the same simulator, bit for bit.

        Raises:
            UserError: if the snapshot does not fit.
        """
        like = self._contexts.state(0) if self._state is None else self._state
        self._state, (self._np_random,) = read_snapshot(state, like, (1, *self._frame.shape))
        self._np_random_seed = state["seeds"][0]
        self._frame, self._before = state["frames"][0].copy(), None
        self._elapsed, self._done = int(state["elapsed"][0]), bool(state["done"][0])

    def uncertainty(self) -> float:
        """How unsure the simulator was of the last step's frame: mean entropy in nats per pixel.

        NaN where there is no such step (after `reset` and `restore`), or where the simulator cannot say.
        """
        return float("nan") if self._before is None else float(self.simulator.uncertainty(*self._before)[0])

    def imagine(self, actions: np.ndarray, *, temperature: float | None = None, seed: int = 0) -> Rollout:
        """What N sequences of actions would lead to from here; the dream itself stays where it is.

        Args:
            actions: (N, T, *action_shape), N and T at least 1.
            temperature: the dream's own by default. Above 0, equal actions lead to different futures.
            seed: of these futures.

        Raises:
            ResetNeeded: if no dream has begun.
            InvalidAction: if an action is not in the action space.
        """
        if self._state is None:
            raise ResetNeeded("no dream has begun; call reset() before imagine()")
        from dreamplay.simulator import repeat, roll

        futures, steps, *shape = np.shape(actions)
        checked = self._actions.check(np.reshape(actions, (-1, *shape)), futures * steps)
        if temperature is None:
            temperature = self.temperature
        state = repeat(self._state, futures)
        checked = checked.reshape(futures, steps, *shape)
        return roll(self.simulator, state, checked, temperature=temperature, seed=seed)

    def render(self) -> np.ndarray | None:
        """Return the frame, uint8 (H, W, 3), or show it in a window, by render mode.

        Raises:
            ResetNeeded: if no dream has begun.
        """
        if self._state is None:
            raise ResetNeeded("no dream has begun; call reset() before render()")
        if self.render_mode == "rgb_array":
            return to_rgb(self._frame)
        if self.render_mode == "human":
            if self._window is None:
                self._window = Window(f"Dream of {self.simulator.card.id}", self.simulator.card.fps)
            self._window.show(self._frame)
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def get_keys_to_action(self) -> dict[tuple[int, ...], Any]:
        """The real environment's key map, as `gymnasium.utils.play` takes it: key codes held together -> action."""
        return {
            tuple(sorted(map(_key_code, keys))): self._actions.check(np.asarray(action)[None], 1)[0]
            for keys, action in self.simulator.card.keys_to_action
            if keys
        }


def make_dream(
    checkpoint: str,
    horizon: int = 1000,
    temperature: float = 0.0,
    device: str = "auto",
    backend: str = "auto",
    render_mode: str | None = None,
) -> DreamEnv:
    """Entry point of `gym.make("Dreamplay/Dream-v0", ...)`; see `DreamEnv` and `load_simulator` for the arguments."""
    check_settings(horizon, temperature)  # before the wait for the checkpoint
    simulator = load_simulator(checkpoint, device, backend)
    return DreamEnv(simulator, horizon=horizon, temperature=temperature, render_mode=render_mode)


def to_rgb(frame: np.ndarray) -> np.ndarray:
    """A fresh uint8 (H, W, 3) picture of a frame (H, W, C): gray is repeated."""
    return np.repeat(frame, 3, axis=2) if frame.shape[2] == 1 else frame.copy()


def _key_code(name: str) -> int:
    if len(name) == 1:
        return ord(name)
    import pygame

    code = getattr(pygame, f"K_{name.upper()}", None)
    if code is None:
        raise UserError(
            f"the key map names an unknown key {name!r}; use a character or a pygame key name such as 'left'"
        )
    return code
