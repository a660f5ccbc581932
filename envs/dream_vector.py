"""Many dreams as one Gymnasium vector environment: one batched simulator step for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from dreamplay.envs.dream import to_rgb
from dreamplay.envs.dream_actions import ActionChecker
from dreamplay.envs.dream_contexts import StoredContexts, check_context
from dreamplay.envs.dream_infos import final_infos, vector_infos
from dreamplay.envs.dream_loading import check_settings, load_simulator
from dreamplay.envs.dream_snapshot import Snapshot, read_snapshot, take_snapshot
from dreamplay.errors import UserError

if TYPE_CHECKING:
    from dreamplay.simulator import Simulator, State


class DreamVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """`num_envs` dreams. Row for row it behaves as a `SyncVectorEnv` of single dreams with the same seeds.

    Each row draws from its own random generator, so that a row never depends on its neighbours.

    Args:
        simulator: a loaded simulator, `dreamplay.load("runs/pong")`.
        num_envs: B, the number of dreams.
        horizon: steps until a dream is truncated.
        temperature: 0 = the most likely frames, without any randomness; 1 = frames drawn as learned.
        autoreset_mode: what happens when a dream ends, Gymnasium's enum or its value: "NextStep" (the next step
            ignores the row's action and resets it), "SameStep" (reset at once; the end is in `infos["final_obs"]` and
            `infos["final_info"]`) or "Disabled" (the caller resets, with `options={"reset_mask": bool (B,)}`).
        max_episode_steps: another limit on the steps until a dream is truncated; None or -1 for no other.
        render_mode: None or "rgb_array".

    Raises:
        UserError: if an argument is out of range.

    Example:
        >>> import gymnasium as gym, dreamplay
        >>> envs = gym.make_vec("Dreamplay/Dream-v0", num_envs=256, checkpoint="runs/pong")  # doctest: +SKIP
        >>> observations, infos = envs.reset(seed=0)  # doctest: +SKIP
    """

    def __init__(
        self,
        simulator: Simulator,
        num_envs: int,
        *,
        horizon: int = 1000,
        temperature: float = 0.0,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        check_settings(horizon, temperature)
        if not isinstance(num_envs, int) or num_envs < 1:
            raise UserError(f"num_envs is {num_envs!r}; pass a whole number of dreams, at least 1")
        if max_episode_steps is None or max_episode_steps == -1:
            max_episode_steps = horizon
        if max_episode_steps < 1:
            raise UserError(f"max_episode_steps is {max_episode_steps}; pass a number of steps, at least 1")
        if render_mode not in (None, "rgb_array"):
            raise UserError(f"render mode {render_mode!r} does not exist for many dreams; use None or 'rgb_array'")
        card = simulator.card
        self.simulator, self.horizon, self.temperature = simulator, horizon, temperature
        self.num_envs, self.autoreset_mode = num_envs, _autoreset_mode(autoreset_mode)
        self.single_observation_space, self.single_action_space = card.observation_space, card.action_space
        self.observation_space = batch_space(card.observation_space, num_envs)
        self.action_space = batch_space(card.action_space, num_envs)
        self.render_mode = render_mode
        self.metadata = {
            "render_modes": ["rgb_array"],
            "render_fps": card.fps,
            "autoreset_mode": self.autoreset_mode,
        }
        self._limit = min(horizon, max_episode_steps)
        self._contexts = StoredContexts(simulator)
        self._actions = ActionChecker(card.action_space)
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self._seeds = [-1] * num_envs
        self._uniforms = np.zeros((num_envs, simulator.draws), np.float32)
        self._state: State | None = None
        self._frames = np.zeros((num_envs, *(card.observation_space.shape or ())), np.uint8)
        self._elapsed = np.zeros(num_envs, np.int64)
        self._done = np.zeros(num_envs, np.bool_)

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The random generators of the rows."""
        return tuple(self._generator(row) for row in range(self.num_envs))

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """The seeds of the rows' random generators."""
        return tuple(self._seeds[row] for row, _ in enumerate(self.np_random))

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start dreams.

        Args:
            seed: row i is seeded with seed + i, or with seed[i]; None keeps the generators as they are.
            options: {"context": {"observations": uint8 (B, n, H, W, C), "actions": (B, n-1, ...)}} starts where those
                frames end; {"reset_mask": bool (B,)} resets only some rows.

        Raises:
            UserError: if the seeds, the mask or the context do not fit.
            ResetNeeded: if the very first reset leaves rows out.
        """
        options = options or {}
        if isinstance(seed, (int, np.integer)):
            seed = [int(seed) + row for row in range(self.num_envs)]
        if seed is not None and len(seed) != self.num_envs:
            raise UserError(f"{len(seed)} seeds given; pass one for each of the {self.num_envs} dreams")
        mask = self._check_mask(options.get("reset_mask"))
        rows = np.flatnonzero(mask)
        context = check_context(self.simulator, options["context"], self.num_envs) if "context" in options else None
        for row, one_seed in enumerate(() if seed is None else seed):
            if mask[row] and one_seed is not None:
                self._generators[row], self._seeds[row] = seeding.np_random(one_seed)
        if context is None:
            self._start_stored(rows)
        else:
            observations, actions = context
            self._place(rows, self.simulator.start(observations[rows], actions[rows]), observations[rows, -1])
        return self._frames.copy(), vector_infos(self._elapsed, np.zeros(self.num_envs), mask)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Dream one step on in every row.

        Returns:
            (observations uint8 (B, H, W, C), rewards float64 (B,), terminated bool (B,), truncated bool (B,), infos).

        Raises:
            ResetNeeded: if no dream has begun, or autoreset is disabled and a dream is over.
            InvalidAction: if an action that counts is not in the action space.
        """
        waiting = self._done.copy()  # rows whose step is their reset
        if self._state is None:
            raise ResetNeeded("no dream has begun; call reset() before step()")
        if self.autoreset_mode is AutoresetMode.DISABLED and waiting.any():
            over = np.flatnonzero(waiting).tolist()
            raise ResetNeeded(f'the dreams {over} are over; call reset(options={{"reset_mask": ...}}) before step()')
        checked = self._actions.check(actions, self.num_envs, ignore=waiting)
        uniforms = self._draw_uniforms(np.flatnonzero(~waiting)) if self.temperature > 0 else None
        self._state, step = self.simulator.step(self._state, checked, temperature=self.temperature, uniforms=uniforms)
        self._frames = step.observations
        self._elapsed += 1
        rewards = np.where(waiting, 0.0, step.rewards.astype(np.float64))  # (B,)
        probabilities = np.where(waiting, 0.0, step.termination_probability.astype(np.float64))  # (B,)
        terminated = step.terminated & ~waiting
        truncated = (self._elapsed >= self._limit) & ~waiting
        done = terminated | truncated
        infos: dict[str, Any] = {}
        if waiting.any():
            self._start_stored(np.flatnonzero(waiting))
        self._done = done
        if self.autoreset_mode is AutoresetMode.SAME_STEP and done.any():
            infos = final_infos(self._frames, self._elapsed, probabilities, done)
            probabilities[done] = 0.0
            self._start_stored(np.flatnonzero(done))
        infos |= vector_infos(self._elapsed, probabilities, np.ones(self.num_envs, np.bool_))
        return self._frames.copy(), rewards, terminated, truncated, infos

    def snapshot(self) -> Snapshot:
        """The whole state of all dreams as a plain picklable value; it never changes afterwards.

        Raises:
            ResetNeeded: if no dream has begun.
        """
        if self._state is None:
            raise ResetNeeded("no dream has begun; call reset() before snapshot()")
        return take_snapshot(self._state, self._frames, self._elapsed, self._done, self.np_random, self.np_random_seed)

    def restore(self, state: Snapshot) -> None:
        """Continue from a snapshot of as many dreams of the same simulator, bit for bit.

        Raises:
            UserError: if the snapshot does not fit.
        """
        like = self._contexts.state(0) if self._state is None else self._state
        self._state, generators = read_snapshot(state, like, self._frames.shape)
        self._generators, self._seeds = list(generators), list(state["seeds"])
        self._frames, self._elapsed = state["frames"].copy(), state["elapsed"].copy()
        self._done = state["done"].copy()

    def render(self) -> tuple[np.ndarray, ...] | None:
        """The dreams' frames, uint8 (H, W, 3) each, in render mode "rgb_array".

        Raises:
            ResetNeeded: if no dream has begun.
        """
        if self._state is None:
            raise ResetNeeded("no dream has begun; call reset() before render()")
        return tuple(map(to_rgb, self._frames)) if self.render_mode == "rgb_array" else None

    def _generator(self, row: int) -> np.random.Generator:
        generator = self._generators[row]
        if generator is None:
            generator, self._seeds[row] = seeding.np_random()
            self._generators[row] = generator
        return generator

    def _draw_uniforms(self, rows: np.ndarray) -> np.ndarray:
        for row in rows:
            self._generator(row).random(dtype=np.float32, out=self._uniforms[row])
        return self._uniforms

    def _start_stored(self, rows: np.ndarray) -> None:
        chosen = [self._contexts.draw(self._generator(row)) for row in rows]
        states = [self._contexts.state(index) for index in chosen]
        state = {name: torch.cat([one[name] for one in states]) for name in states[0]}
        self._place(rows, state, np.stack([self._contexts.frame(index) for index in chosen]))

    @torch.inference_mode()
    def _place(self, rows: np.ndarray, state: State, frames: np.ndarray) -> None:
        """Put dreams that begin into their rows. In place: states are large, and this one is nobody else's."""
        if self._state is None or len(rows) == self.num_envs:
            self._state, self._frames = {name: value.clone() for name, value in state.items()}, frames
        else:
            for name, value in self._state.items():
                value.index_copy_(0, torch.as_tensor(rows, device=value.device), state[name])
            self._frames[rows] = frames
        self._elapsed[rows] = 0
        self._done[rows] = False

    def _check_mask(self, mask: Any) -> np.ndarray:
        if mask is None:
            return np.ones(self.num_envs, np.bool_)
        if (
            not isinstance(mask, np.ndarray)
            or mask.dtype != np.bool_
            or mask.shape != (self.num_envs,)
            or not mask.any()
        ):
            raise UserError(f"reset_mask does not fit; pass a bool array ({self.num_envs},) with at least one True")
        if self._state is None and not mask.all():
            raise ResetNeeded("the first reset() must start every dream; leave reset_mask out")
        return mask


def make_dream_vector(
    num_envs: int,
    checkpoint: str,
    horizon: int = 1000,
    temperature: float = 0.0,
    device: str = "auto",
    backend: str = "auto",
    render_mode: str | None = None,
    autoreset_mode: str | AutoresetMode = "NextStep",
    max_episode_steps: int | None = None,
) -> DreamVectorEnv:
    """Entry point of `gym.make_vec("Dreamplay/Dream-v0", ...)`; see `DreamVectorEnv` and `load_simulator`."""
    check_settings(horizon, temperature)  # before the wait for the checkpoint
    return DreamVectorEnv(
        load_simulator(checkpoint, device, backend),
        num_envs,
        horizon=horizon,
        temperature=temperature,
        autoreset_mode=autoreset_mode,
        max_episode_steps=max_episode_steps,
        render_mode=render_mode,
    )


def _autoreset_mode(mode: str | AutoresetMode) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        known = ", ".join(repr(known.value) for known in AutoresetMode)
        raise UserError(f"autoreset mode {mode!r} is unknown; use one of {known}") from None
