"""A policy that Stable-Baselines3 has saved, as an agent."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.errors import UserError

# What only this algorithm's file holds: it does not say which one wrote it, and reading more of it would run code.
MARKS = {
    "PPO": {"clip_range", "n_epochs"},
    "SAC": {"target_entropy"},
    "DQN": {"exploration_fraction"},
    "TD3": {"policy_delay"},
    "A2C": {"normalize_advantage"},
}


class SB3Policy:
    """Acts as a saved policy does, from frames or, where the policy knows those, from the environment's observations.

    Loading runs code from the file, as Stable-Baselines3 stores it: only load what you trust.

    Args:
        path: the .zip file.
        env: a prepared environment, see `dreamplay.make_env`; the one that is acted in.
        deterministic: take the likeliest action instead of a drawn one.

    Raises:
        UserError: the package is missing, the file is none of its, or the policy is of another environment.
    """

    def __init__(self, path: str | Path, env: gym.Env[np.ndarray, Any], deterministic: bool = False) -> None:
        self._deterministic = deterministic
        self._model = _load(Path(path))
        expected, raw = self._model.observation_space, env.get_wrapper_attr("raw_observation_space")
        fits_frames = _same(expected, env.observation_space)
        if self._model.action_space != env.action_space or not (fits_frames or _same(expected, raw)):
            raise UserError(
                f"{path} sees {_short(expected)} and takes {self._model.action_space}; the environment gives "
                f"{_short(env.observation_space)} and takes {env.action_space}: train it on dreamplay.make_env"
            )
        self._env = None if fits_frames else env

    @property
    def sees_frames(self) -> bool:
        """Whether frames are all it needs, and not the environment that it is acting in."""
        return self._env is None

    def reset(self, seed: int | None = None) -> None:
        """A seed restarts the random numbers, PyTorch's for the whole process among them."""
        if seed is not None:
            self._model.set_random_seed(seed)

    def act(self, observation: np.ndarray) -> Any:
        """The policy's action."""
        seen = observation if self._env is None else self._env.get_wrapper_attr("raw_observation")
        action, _ = self._model.predict(seen, deterministic=self._deterministic)
        return int(action) if isinstance(self._model.action_space, gym.spaces.Discrete) else action


def _load(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f"there is no policy file {path}; check the path")
    try:
        import stable_baselines3
    except ImportError as error:
        raise UserError(
            f"{path} needs stable-baselines3, which is not installed: pip install 'dreamplay[sb3]'"
        ) from error
    try:
        with zipfile.ZipFile(path) as archive:
            stored = json.loads(archive.read("data"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UserError(
            f"{path} was not saved by Stable-Baselines3; save one with model.save({str(path)!r})"
        ) from error
    algorithm = next((name for name, marks in MARKS.items() if marks <= set(stored)), None)
    if algorithm is None:
        known = ", ".join(MARKS)
        raise UserError(f"{path} is of an algorithm not known here ({known}); write an agent: --agent module:Name")
    return getattr(stable_baselines3, algorithm).load(path, device="cpu")


def _same(expected: gym.Space[Any], given: gym.Space[Any]) -> bool:
    """Whether a policy that expects one space can be fed the other; images may have been turned channels first."""
    if not isinstance(expected, gym.spaces.Box) or not isinstance(given, gym.spaces.Box):
        return expected == given
    if expected.dtype != given.dtype:
        return False
    return expected.shape in (given.shape, given.shape[-1:] + given.shape[:-1])


def _short(space: gym.Space[Any]) -> str:
    return f"{space.dtype} {space.shape}" if isinstance(space, gym.spaces.Box) else str(space)
