"""Small scripted stand-ins for environments and simulators, shared by the tests."""

from typing import Any, Literal, NamedTuple

import gymnasium as gym
import numpy as np

from dreamplay.envs.card import EnvCard, Preparation


class ClockEnv(gym.Env[np.ndarray, Any]):
    """An environment whose frame tells the time: alignment errors show as wrong numbers.

    Pixel (0, 0) holds t (steps since reset), (0, 1) the last action (255 right after a reset), (0, 2) the number of the
    episode, (0, 3) a constant 7; the other rows repeat the first. The reward of step t is `100 * t + action`, and
    `info["chance"]` is True when the action taken is odd. Actions that are arrays count as the sum of their entries.

    Args:
        lengths: the length of each episode, in order; the last one repeats.
        ends: how an episode ends at its length.
        action_space: any space; Discrete(5) by default.
    """

    def __init__(
        self,
        lengths: tuple[int, ...] = (6,),
        ends: Literal["terminated", "truncated", "never"] = "terminated",
        action_space: gym.Space[Any] | None = None,
    ) -> None:
        self.lengths = lengths
        self.ends = ends
        self.observation_space = gym.spaces.Box(0, 255, (2, 4, 1), np.uint8)
        self.action_space = gym.spaces.Discrete(5) if action_space is None else action_space
        self.seeds: list[int | None] = []
        self.time = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.seeds.append(seed)
        self.time = 0
        return self._frame(255), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        value = int(np.sum(action))
        reward = float(100 * self.time + value)
        self.time += 1
        over = self.time >= self.lengths[min(len(self.seeds), len(self.lengths)) - 1]
        flags = (over and self.ends == "terminated", over and self.ends == "truncated")
        return self._frame(value), reward, *flags, {"chance": value % 2 == 1}

    def _frame(self, last_action: int) -> np.ndarray:
        row = np.array([self.time % 256, last_action % 256, (len(self.seeds) - 1) % 256, 7], np.uint8)
        return np.tile(row, (2, 1))[..., None]  # (2, 4, 1)


def clock_card(env: ClockEnv) -> EnvCard:
    """The card that `make_env` would give the environment if it were registered."""
    return EnvCard("Clock-v0", {}, Preparation(), env.observation_space, env.action_space, [], 10)


class StubContext(NamedTuple):
    """Shaped as `dreamplay.simulator.Context`."""

    observations: np.ndarray  # uint8 (n, H, W, C)
    actions: np.ndarray  # (n-1, *action_shape)


class StubStep(NamedTuple):
    """Shaped as `dreamplay.simulator.Step`."""

    observations: np.ndarray  # uint8 (B, H, W, C)
    rewards: np.ndarray  # float32 (B,)
    terminated: np.ndarray  # bool (B,)
    termination_probability: np.ndarray  # float32 (B,)
    expected_rewards: np.ndarray  # float32 (B,)
    reward_probability: np.ndarray  # float32 (B,)
    open_pixels: np.ndarray  # float32 (B,)


class StubSimulator:
    """A simulator in integer arithmetic: a batch of it equals its single rows exactly.

    The hidden state is `total`, the sum of all actions since the context began, modulo 8 (an action that is an array
    counts as the sum of its entries, one that is not whole as ten times itself, rounded). The next frame is the last
    one plus `1 + total`, plus `chance = floor(8 * u0) + 8 * floor(4 * u1)` at a temperature above 0, modulo 256. With
    p its pixel (0, 0, 0), the reward is 1 if p % 3 == 0, else -0.25 if total == 5, else 0; the termination probability
    is 0.75 if the dream terminates, else (p % 4) / 16. It terminates if p % 13 == 0. Its uncertainty is p / 1000,
    chance left aside.

    Context i has 1 + i % 3 frames of which the last has i at (0, 0, 0) and 10 more in each next pixel.

    Args:
        action_space: any space of the four kinds; Discrete(3) by default.
        channels: C of the frames, uint8 (2, 3, C).
        contexts: how many are stored.
        lengths: scripts termination instead: a dream terminates lengths[p % len(lengths)] steps after a context whose
            last frame has p at (0, 0, 0); a length of 0 means never.
        keys_to_action: for the card.
    """

    mean_reward = 0.25
    draws = 2
    horizon = None

    def __init__(
        self,
        action_space: gym.Space[Any] | None = None,
        *,
        channels: int = 1,
        contexts: int = 5,
        lengths: tuple[int, ...] = (),
        keys_to_action: list[tuple[list[str], Any]] | None = None,
    ) -> None:
        self.card = EnvCard(
            id="Toy/Stub-v0",
            kwargs={},
            preparation=Preparation(),
            observation_space=gym.spaces.Box(0, 255, (2, 3, channels), np.uint8),
            action_space=gym.spaces.Discrete(3) if action_space is None else action_space,
            keys_to_action=keys_to_action or [],
            fps=10,
        )
        self.lengths = lengths
        self.contexts = [self._context(index) for index in range(contexts)]
        self.steps = 0  # how often `step` was called: tests count forward passes

    def start(self, observations: np.ndarray, actions: np.ndarray) -> dict[str, Any]:
        import torch  # here, because most users of this file need no torch

        assert observations.dtype == np.uint8 and observations.shape[1] == actions.shape[1] + 1
        frame = torch.from_numpy(observations[:, -1].astype(np.int64))  # (B, H, W, C)
        total = torch.zeros(len(frame), dtype=torch.int64)
        for step in range(actions.shape[1]):
            total = (total + torch.from_numpy(_action_values(actions[:, step]))) % 8
        left = torch.zeros(1, dtype=torch.int64).expand(len(frame))  # rows may share memory
        if self.lengths:
            left = torch.tensor(self.lengths)[frame[:, 0, 0, 0] % len(self.lengths)]
        return {"frame": frame, "total": total, "left": left}

    def step(
        self,
        state: dict[str, Any],
        actions: np.ndarray,
        *,
        temperature: float = 0.0,
        uniforms: np.ndarray | None = None,
        decode: bool = True,
    ) -> tuple[dict[str, Any], StubStep]:
        import torch

        assert (uniforms is not None) == (temperature > 0)
        self.steps += 1
        chance = torch.zeros(len(actions), dtype=torch.int64)
        if uniforms is not None:
            assert uniforms.dtype == np.float32 and uniforms.shape == (len(actions), self.draws)
            assert uniforms.min() >= 0 and uniforms.max() < 1
            chance = torch.from_numpy((8 * uniforms[:, 0]).astype(np.int64) + 8 * (4 * uniforms[:, 1]).astype(np.int64))
        total = (state["total"] + torch.from_numpy(_action_values(actions))) % 8
        frame = (state["frame"] + (1 + total + chance)[:, None, None, None]) % 256
        left = state["left"] - 1
        pixel = frame[:, 0, 0, 0].numpy()
        terminated = left.numpy() == 0 if self.lengths else pixel % 13 == 0
        rewards = np.where(pixel % 3 == 0, 1, np.where(total.numpy() == 5, -0.25, 0)).astype(np.float32)
        step = StubStep(
            observations=frame.numpy().astype(np.uint8) if decode else np.zeros((0,), np.uint8),
            rewards=rewards,
            terminated=terminated,
            termination_probability=np.where(terminated, 0.75, pixel % 4 / 16).astype(np.float32),
            expected_rewards=rewards.copy(),
            reward_probability=(rewards != 0).astype(np.float32),
            open_pixels=(pixel % 5 / 4).astype(np.float32),
        )
        return {"frame": frame, "total": total, "left": left}, step

    def uncertainty(self, state: dict[str, Any], actions: np.ndarray) -> np.ndarray:
        total = (state["total"].numpy() + _action_values(actions)) % 8
        return ((state["frame"][:, 0, 0, 0].numpy() + 1 + total) % 256 / 1000).astype(np.float32)

    def _context(self, index: int) -> StubContext:
        shape, n = self.card.observation_space.shape, 1 + index % 3
        last = index + 10 * np.arange(np.prod(shape)).reshape(shape)
        observations = np.stack([last + 100 * (n - 1 - back) for back in range(n)]) % 256
        self.card.action_space.seed(index)
        actions = np.array([self.card.action_space.sample() for _ in range(n - 1)], self.card.action_space.dtype)
        return StubContext(observations.astype(np.uint8), actions.reshape(n - 1, *(self.card.action_space.shape or ())))


def stub_frame(start: int) -> np.ndarray:
    """A frame of the stub, uint8 (2, 3, 1), that has `start` at (0, 0, 0)."""
    return ((start + 10 * np.arange(6)) % 256).astype(np.uint8).reshape(2, 3, 1)


def rollout(env: gym.Env[Any, Any], steps: int = 40, seed: int = 3) -> list[Any]:
    """Everything that an environment answers to seeded actions, on to the next episode whenever one ends."""
    env.action_space.seed(seed)
    answers: list[Any] = []
    for _ in range(steps):
        answers.append(env.step(env.action_space.sample()))
        if answers[-1][2] or answers[-1][3]:
            answers.append(env.reset())
    return answers


def _action_values(actions: np.ndarray) -> np.ndarray:
    """One whole number per action: (B, ...) -> int64 (B,)."""
    scaled = actions if actions.dtype.kind in "iub" else np.round(10 * actions)
    return scaled.reshape(len(actions), -1).sum(1).astype(np.int64)
