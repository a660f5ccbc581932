"""The dream made by Gymnasium: registration, checker, specs, wrong arguments, and Gymnasium's own player."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env, data_equivalence

from dreamplay.envs.dream import DreamEnv, make_dream
from dreamplay.envs.dream_vector import make_dream_vector
from dreamplay.errors import UserError
from toys import StubSimulator, rollout, stub_frame


def test_keys_as_play_takes_them() -> None:
    keys = [(["a"], 1), (["right"], 2), (["d", " "], 2), ([], 0)]
    given = DreamEnv(StubSimulator(keys_to_action=keys)).get_keys_to_action()
    assert given == {(97,): 1, (1073741903,): 2, (32, 100): 2}
    space = gym.spaces.Box(-1, 1, (2,), np.float32)
    given = DreamEnv(StubSimulator(space, keys_to_action=[(["a"], [0.5, -1])])).get_keys_to_action()
    assert all(action in space for action in given.values())
    with pytest.raises(UserError, match="unknown key 'nowhere'"):
        DreamEnv(StubSimulator(keys_to_action=[(["nowhere"], 0)])).get_keys_to_action()


def test_gymnasium_play_drives_a_dream(stub_checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    script = f"""
import pygame, gymnasium as gym, dreamplay, dreamplay.simulator
from toys import StubSimulator
dreamplay.simulator.load = lambda checkpoint, device, backend: StubSimulator(keys_to_action=[(["a"], 1), (["left"], 2)])
from gymnasium.utils.play import play
actions = []
def callback(obs_t, obs_tp1, action, *rest):
    actions.append(int(action))
    key = {{2: pygame.K_a, 4: pygame.K_LEFT}}.get(len(actions))
    if key:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))
    if len(actions) == 3:
        pygame.event.post(pygame.event.Event(pygame.KEYUP, key=pygame.K_a))
    if len(actions) == 6:
        pygame.event.post(pygame.event.Event(pygame.QUIT))
env = gym.make("Dreamplay/Dream-v0", checkpoint={stub_checkpoint!r}, render_mode="rgb_array")
play(env, callback=callback, fps=1000)
print(actions)
"""
    environment = {"PYTHONPATH": str(Path(__file__).parents[1]), "SDL_VIDEODRIVER": "dummy", "MPLBACKEND": "Agg"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[0, 0, 1, 0, 2, 2]"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"horizon": 0}, "horizon is 0"),
        ({"horizon": -1}, "horizon is -1"),
        ({"horizon": 2.5}, "horizon is 2.5"),
        ({"temperature": -0.1}, "temperature is -0.1"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"render_mode": "ansi"}, "'ansi'"),
        ({"checkpoint": Path("run")}, "must be a string"),
    ],
)
def test_wrong_arguments(stub_checkpoint: str, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        make_dream(**{"checkpoint": stub_checkpoint, **wrong})
    assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("render_mode", [None, "rgb_array"])
def test_gymnasiums_checker_has_nothing_to_say(
    stub_checkpoint: str, temperature: float, render_mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = gym.make("Dreamplay/Dream-v0", checkpoint=stub_checkpoint, temperature=temperature, render_mode=render_mode)
    check_env(env.unwrapped)


def test_spec_survives_json(stub_checkpoint: str) -> None:
    env = gym.make("Dreamplay/Dream-v0", checkpoint=stub_checkpoint, horizon=9, temperature=1.0, device="cpu")
    spec = EnvSpec.from_json(json.loads(json.dumps(env.spec.to_json())))
    again = gym.make(spec)
    assert again.spec == env.spec
    assert data_equivalence(env.reset(seed=1), again.reset(seed=1), exact=True)
    assert data_equivalence(rollout(env), rollout(again), exact=True)


def test_one_simulator_until_the_checkpoint_changes(stub_checkpoint: str) -> None:
    first, second = (make_dream(stub_checkpoint).simulator for _ in range(2))
    assert first is second
    manifest = Path(stub_checkpoint) / "checkpoint.json"
    manifest.write_text("{ }")
    os.utime(manifest, ns=(1, 1))
    assert make_dream(stub_checkpoint).simulator is not first


def test_gymnasiums_episode_statistics(stub_checkpoint: str) -> None:
    env = gym.wrappers.RecordEpisodeStatistics(gym.make("Dreamplay/Dream-v0", checkpoint=stub_checkpoint, horizon=4))
    env.reset(options={"context": {"observations": stub_frame(1)[None], "actions": np.zeros((0,), np.int64)}})
    for action in (0, 0, 1):  # pixels 2, 3, 5
        env.step(action)
    info = env.step(2)[-1]  # pixel 9
    assert (info["episode"]["r"], info["episode"]["l"]) == (2.0, 4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_envs": 0}, "num_envs is 0"),
        ({"horizon": -1}, "horizon is -1"),
        ({"temperature": -1}, "temperature is -1"),
        ({"autoreset_mode": "never"}, "'NextStep', 'SameStep', 'Disabled'"),
        ({"max_episode_steps": 0}, "max_episode_steps is 0"),
        ({"render_mode": "human"}, "'human'"),
    ],
)
def test_wrong_arguments_for_many_dreams(stub_checkpoint: str, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        make_dream_vector(**{"num_envs": 2, "checkpoint": stub_checkpoint, **wrong})
    assert "\n" not in str(error.value)
