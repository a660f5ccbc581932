"""Teachers: policies that learn a real game quickly, so that their play shows a simulator what random play does not.

A teacher sees more than a simulator ever will: the console's memory of an Atari game, 128 bytes, and the frames of any
other environment. It learns by PPO (Schulman et al. 2017) in Stable-Baselines3, and snapshots keep it as it was on the
way: a mix of them plays badly, fairly and well.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from dreamplay.envs import atari
from dreamplay.envs.making import open_raw
from dreamplay.envs.real import make_env

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env import VecEnv

ENVS = 8
STUCK = 5000  # steps after which a lesson is cut: a young policy may never serve
SHARES = (0.1, 0.25, 0.5, 1.0)  # of the lessons' minutes, at which a snapshot is kept


class Sight:
    """What a teacher sees: the present state and how it changed, float32 (2 N,) in [-1, 1].

    Args:
        env: the environment; an Atari game is seen by its memory, any other by its observations.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        self._ale = getattr(env.unwrapped, "ale", None)
        size = 128 if self._ale is not None else int(np.prod(env.observation_space.shape or ()))
        self.space = gym.spaces.Box(-1, 1, (2 * size,), np.float32)
        self._before: np.ndarray | None = None

    def forget(self) -> None:
        """An episode begins."""
        self._before = None

    def see(self, observation: np.ndarray) -> np.ndarray:
        """Look once after each step."""
        seen = np.ravel(observation) if self._ale is None else self._ale.getRAM()
        now = seen.astype(np.float32) / 127.5 - 1
        change = np.zeros_like(now) if self._before is None else np.clip(8 * (now - self._before), -1, 1)
        self._before = now
        return np.concatenate([now, change])


class Seen(gym.ObservationWrapper[np.ndarray, Any, Any]):
    """The environment as a teacher sees it."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self._sight = Sight(env)
        self.observation_space = self._sight.space

    def reset(self, **kwargs: Any) -> tuple[np.ndarray, dict[str, Any]]:
        """As the environment's."""
        self._sight.forget()
        return super().reset(**kwargs)

    def observation(self, observation: Any) -> np.ndarray:
        """As the teacher sees it."""
        return self._sight.see(observation)


class Teacher:
    """A snapshot as an agent for a prepared environment; it draws its actions as PPO does.

    Args:
        path: the snapshot. Loading runs code from it: it is to be one of this script's own.
        env: where it acts.
    """

    def __init__(self, path: Path, env: gym.Env[np.ndarray, Any]) -> None:
        from stable_baselines3 import PPO

        self._model, self._sight = PPO.load(path, device="cpu"), Sight(env)

    def reset(self, seed: int | None = None) -> None:
        """A seed restarts the random numbers, PyTorch's for the whole process among them."""
        self._sight.forget()
        if seed is not None:
            self._model.set_random_seed(seed)

    def act(self, observation: np.ndarray) -> int:
        """Its action."""
        return int(self._model.predict(self._sight.see(observation))[0])


def snapshot(folder: Path, share: float) -> Path:
    """Where the snapshot after a share of the lessons lies."""
    return folder / f"{round(100 * share):03d}.zip"


def teach(
    env_id: str,
    folder: Path,
    minutes: float,
    seed: int,
    on_second: Callable[[float, str], None] = lambda seconds, status: None,
) -> None:
    """Train a teacher and keep its snapshots; one whose last snapshot is there is left alone.

    Args:
        env_id: a registered environment of discrete actions.
        folder: receives a snapshot for each of `SHARES`.
        minutes: length of the lessons.
        seed: of environments and policy.
        on_second: told how many more seconds have gone by, about once a second, and how good the teacher is.
    """
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback

    if snapshot(folder, SHARES[-1]).is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    class Snapshots(BaseCallback):
        def __init__(self) -> None:
            super().__init__()
            self.told, self.due = 0.0, list(SHARES)

        def _on_step(self) -> bool:
            seconds = time.monotonic() - began
            if seconds - self.told >= 1:
                on_second(seconds - self.told, _status(self.model, self.num_timesteps))
                self.told = seconds
            return seconds < 60 * minutes

        def _on_rollout_end(self) -> None:
            while len(self.due) > 1 and time.monotonic() - began >= 60 * minutes * self.due[0]:
                _keep(self.model, snapshot(folder, self.due.pop(0)))

    model = PPO(
        "MlpPolicy",
        _lessons(env_id),
        n_steps=128,
        batch_size=256,
        n_epochs=4,
        learning_rate=5e-4,
        clip_range=0.1,
        ent_coef=0.01,
        policy_kwargs={"net_arch": [256, 256], "activation_fn": torch.nn.ReLU},
        seed=seed,
        device="cpu",
    )
    callback = Snapshots()
    model.learn(10**12, callback)
    for share in callback.due:  # the last, and those that minutes too short for a single rollout left out
        _keep(model, snapshot(folder, share))


def _lessons(env_id: str) -> VecEnv:
    """Environments side by side; an Atari game as it is usually learned: a lost life ends, rewards are signs."""
    from stable_baselines3.common.atari_wrappers import ClipRewardEnv, EpisodicLifeEnv
    from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

    def make() -> gym.Env[Any, Any]:
        if not atari.is_atari(env_id):
            return Seen(make_env(env_id))
        settings = atari.settings(env_id, {"obs_type": "ram", "max_episode_steps": STUCK})
        return Seen(ClipRewardEnv(EpisodicLifeEnv(open_raw(env_id, settings, (), None))))

    return VecMonitor(DummyVecEnv([make] * ENVS))


def _keep(model: Any, path: Path) -> None:
    """Under a temporary name first: a snapshot that is there is whole."""
    unfinished = path.with_name(f"unfinished-{path.name}")
    model.save(unfinished)
    unfinished.replace(path)


def _status(model: Any, steps: int) -> str:
    returns = [episode["r"] for episode in model.ep_info_buffer or ()]
    return f"{steps} steps" + (f", mean return {np.mean(returns):.1f}" if returns else "")
