"""Preparing Atari games."""

from __future__ import annotations

import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.envs.real import card_of, make_env
from dreamplay.errors import UserError

ale_py = pytest.importorskip("ale_py")
games = pytest.mark.parametrize("game", ["Pong", "Breakout"])


def raw(game: str, **kwargs: object) -> gym.Env:
    gym.register_envs(ale_py)
    return gym.make(f"ALE/{game}-v5", frameskip=4, repeat_action_probability=0.0, **kwargs)


@games
def test_frames_are_exact_slices_of_the_raw_ones_and_keep_their_palette(game: str) -> None:
    env, plain = make_env(f"ALE/{game}-v5"), raw(game)
    assert env.observation_space == gym.spaces.Box(0, 255, (70, 80, 3), np.uint8)
    frames = [(env.reset(seed=5)[0], plain.reset(seed=5)[0])]
    rng = np.random.default_rng(0)
    for _ in range(80):
        action = int(rng.integers(env.action_space.n))  # type: ignore[attr-defined]
        mine, theirs = env.step(action), plain.step(action)
        assert mine[1:4] == theirs[1:4]
        frames.append((mine[0], theirs[0]))
    for prepared, full in frames:
        assert np.array_equal(prepared, full[::3, ::2])
        assert {*map(tuple, prepared.reshape(-1, 3).tolist())} <= {*map(tuple, full.reshape(-1, 3).tolist())}
    assert len(np.unique(np.stack([prepared for prepared, _ in frames]).reshape(-1, 3), axis=0)) > 3


def test_the_card() -> None:
    card = card_of(make_env("ALE/Pong-v5"))
    assert card.kwargs == {"frameskip": 4, "repeat_action_probability": 0.0, "obs_type": "rgb"}
    assert card.fps == 15 and card.action_space == gym.spaces.Discrete(6)
    assert (["d"], 2) in card.keys_to_action and (["right"], 2) in card.keys_to_action
    assert (["right", " "], 4) in card.keys_to_action


def test_defaults_can_be_changed_and_survive_the_card() -> None:
    env = make_env("ALE/Pong-v5", frameskip=(2, 5), obs_type="grayscale", full_action_space=True)
    card = card_of(env)
    assert card.kwargs["frameskip"] == [2, 5] and card.fps == 17
    assert env.observation_space.shape == (70, 80, 1)
    again = make_env(card)
    assert again.action_space == gym.spaces.Discrete(18)
    assert np.array_equal(again.reset(seed=1)[0], env.reset(seed=1)[0])
    for _ in range(5):
        assert np.array_equal(again.step(3)[0], env.step(3)[0])


def test_memory_observations_are_replaced_by_the_screen() -> None:
    env, plain = make_env("ALE/Pong-v5", obs_type="ram"), raw("Pong")
    assert np.array_equal(env.reset(seed=2)[0], plain.reset(seed=2)[0][::3, ::2])
    assert card_of(env).preparation.source == "render"


def test_continuous_actions_have_no_keys() -> None:
    card = card_of(make_env("ALE/Pong-v5", continuous=True))
    assert card.keys_to_action == [] and isinstance(card.action_space, gym.spaces.Box)


def test_a_misspelt_game_is_named() -> None:
    with pytest.raises(UserError, match="Did you mean: `Pong`"):
        make_env("ALE/Pongg-v5")


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ale_py", None)
    with pytest.raises(UserError, match=r"pip install 'dreamplay\[atari\]'"):
        make_env("ALE/Pong-v5")


def test_the_emulator_is_quiet_and_has_a_window() -> None:
    code = (
        "import dreamplay; env = dreamplay.make_env('ALE/Pong-v5', render_mode='human')\n"
        "env.reset(seed=0); print(env.step(0)[0].shape, env.render_mode)"
    )
    drivers = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | drivers, capture_output=True, text=True)
    assert done.stdout.strip() == "(70, 80, 3) human", done.stderr
    assert "A.L.E" not in done.stderr
