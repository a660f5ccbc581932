"""Environments of other packages: each is made by its id alone, and its absence says what to install."""

from __future__ import annotations

import sys

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.envs.real import card_of, make_env
from dreamplay.errors import UserError

PACKAGES = {
    "ALE/Pong-v5": ("ale_py", "dreamplay[atari]", (70, 80, 3), "observation"),
    "MinAtar/Breakout-v1": ("minatar", "dreamplay[minatar]", (10, 10, 3), "render"),
    "MiniGrid-Empty-5x5-v0": ("minigrid", "dreamplay[minigrid]", (80, 80, 3), "render"),
    "CarRacing-v3": ("Box2D", "dreamplay[box2d]", (48, 48, 3), "observation"),
}


@pytest.mark.parametrize("env_id", PACKAGES)
def test_an_id_is_enough(env_id: str) -> None:
    _, _, shape, source = PACKAGES[env_id]
    env = make_env(env_id)
    assert card_of(env).preparation.source == source
    assert env.observation_space == gym.spaces.Box(0, 255, shape, np.uint8)
    frame, _ = env.reset(seed=0)
    assert frame.dtype == np.uint8 and frame.shape == shape and frame.max() > 100
    assert env.observation_space.contains(env.step(env.action_space.sample())[0])
    env.close()


@pytest.mark.parametrize("env_id", PACKAGES)
def test_a_missing_package_is_named_with_its_cure(env_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, extra, *_ = PACKAGES[env_id]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=f"{env_id} needs {module}, which is not installed: pip install") as caught:
        make_env(env_id)
    assert extra in str(caught.value) and "\n" not in str(caught.value)


def test_symbols_of_a_grid_are_a_key_away() -> None:
    env = make_env("MiniGrid-Empty-5x5-v0", source="image")
    assert env.reset(seed=0)[0].shape == (7, 7, 3)


def test_a_wrapper_of_the_ecosystem() -> None:
    env = make_env("MiniGrid-Empty-5x5-v0", source="image", wrappers=["minigrid.wrappers:RGBImgPartialObsWrapper"])
    assert env.reset(seed=0)[0].shape == (56, 56, 3)
