"""Many dreams as Stable-Baselines3 wants its environments, so that its algorithms train on them unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvObs, VecEnvStepReturn

from dreamplay.envs.dream_vector import DreamVectorEnv
from dreamplay.errors import UserError


class SB3Dreams(VecEnv):
    """A batch of dreams, stepped in one forward pass, behind the `VecEnv` of Stable-Baselines3.

    A dream that ends begins anew in the same step: its last frame is in `infos[i]["terminal_observation"]`, and
    `infos[i]["TimeLimit.truncated"]` says whether it was only cut, as that package expects.

    Args:
        dreams: `gym.make_vec("Dreamplay/Dream-v0", ..., autoreset_mode="SameStep")`.

    Raises:
        UserError: the dreams restart in another way.

    Example:
        >>> import gymnasium as gym
        >>> from stable_baselines3 import PPO
        >>> dreams = gym.make_vec(  # doctest: +SKIP
        ...     "Dreamplay/Dream-v0", 64, checkpoint="runs/pong", horizon=100, autoreset_mode="SameStep"
        ... )
        >>> PPO("CnnPolicy", SB3Dreams(dreams)).learn(100_000).save("policy.zip")  # doctest: +SKIP
    """

    def __init__(self, dreams: DreamVectorEnv) -> None:
        if dreams.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise UserError(
                f"the dreams restart by autoreset_mode={dreams.autoreset_mode.value!r}; "
                'make them with autoreset_mode="SameStep"'
            )
        self.dreams, self.render_mode = dreams, dreams.render_mode
        self._actions = np.zeros(0)
        super().__init__(dreams.num_envs, dreams.single_observation_space, dreams.single_action_space)

    def reset(self) -> VecEnvObs:
        """Start all dreams; the seeds are those that `seed` gave, and are used once."""
        seeds = self._seeds if any(seed is not None for seed in self._seeds) else None
        observations, _ = self.dreams.reset(seed=seeds)
        self._reset_seeds()
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Note the actions (B, ...) of the next step."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Dream one step on: observations uint8 (B, H, W, C), rewards float32 (B,), ends bool (B,), an info per row."""
        observations, rewards, terminated, truncated, infos = self.dreams.step(self._actions)
        done = terminated | truncated
        each: list[dict[str, Any]] = [{"TimeLimit.truncated": bool(cut)} for cut in truncated & ~terminated]
        for row in np.flatnonzero(done):
            each[row]["terminal_observation"] = infos["final_obs"][row]
        return observations, rewards.astype(np.float32), done, each

    def close(self) -> None:
        """Close the dreams."""
        self.dreams.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the dreams, the same for every row."""
        return [getattr(self.dreams, attr_name)] * len(self._rows(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of all dreams at once."""
        setattr(self.dreams, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Refused: the dreams are one batch and have no methods of their own.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"{method_name}: dreams of a batch have no methods of their own; see `dreams`")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """False for every row."""
        return [False] * len(self._rows(indices))

    def _rows(self, indices: Any) -> Sequence[int]:
        return list(self._get_indices(indices))
