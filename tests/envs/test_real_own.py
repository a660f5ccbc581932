"""A user's own environment, by its name or as it is: observations and actions, wrappers, and what goes wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import own_envs
import pytest

from dreamplay.envs.card import EnvCard
from dreamplay.envs.real import card_of, make_env
from dreamplay.errors import UserError

WALK = "own_envs:Walk"


def truth(moves: int = 0) -> np.ndarray:
    env = own_envs.Walk()
    env.reset()
    for _ in range(moves):
        env.step(1)
    return env.image()


@pytest.mark.parametrize("env", [WALK, own_envs.Walk])
def test_a_class_by_name_or_as_it_is(env: Any) -> None:
    made = make_env(env, cells=9)
    assert made.observation_space == gym.spaces.Box(0, 255, (4, 9, 3), np.uint8)
    card = card_of(made)
    assert (card.id, card.kwargs, card.fps) == (WALK, {"cells": 9}, 5)
    again = make_env(EnvCard.from_json(card.to_json()))
    assert np.array_equal(again.reset(seed=0)[0], made.reset(seed=0)[0])


def test_a_function_that_knows_no_render_mode() -> None:
    env = make_env("own_envs:walk", cells=6)
    env.reset()
    assert np.array_equal(env.step(1)[0][:, :4], truth(1)[:, :4])
    assert [env.step(0)[3] for _ in range(19)] == [False] * 18 + [True]


def test_a_time_limit_is_an_argument_like_any_other() -> None:
    env = make_env(WALK, max_episode_steps=3)
    env.reset()
    assert [env.step(0)[3] for _ in range(3)] == [False, False, True]
    assert card_of(env).kwargs == {"max_episode_steps": 3}


@pytest.mark.parametrize(
    ("kind", "source", "expected"),
    [
        ("hwc", "observation", truth(2)),
        ("chw", "observation", truth(2)),
        ("hw", "observation", truth(2)[..., :1]),
        ("float", "observation", truth(2)),
        ("bool", "observation", truth(2)[..., :1]),
        ("float", "render", truth(2)),
        ("vector", "render", truth(2)),
        ("dict", "near", truth(2)),
        ("dict", "far", 255 - truth(2)),
        ("dict", "render", truth(2)),
        ("hwc", "render", truth(2)),
    ],
)
def test_every_kind_of_image_becomes_frames(kind: str, source: str, expected: np.ndarray) -> None:
    env = make_env(WALK, kind=kind, source=source)
    env.reset()
    env.step(1)
    frame = env.step(1)[0]
    assert frame.dtype == np.uint8 and env.observation_space == gym.spaces.Box(0, 255, expected.shape, np.uint8)
    np.testing.assert_array_equal(frame, expected)
    assert card_of(env).preparation.source == source


@pytest.mark.parametrize(
    ("kind", "source"),
    [("hwc", "observation"), ("chw", "observation"), ("float", "render"), ("vector", "render"), ("dict", "render")],
)
def test_images_are_used_as_they_are_and_all_else_is_rendered(kind: str, source: str) -> None:
    assert card_of(make_env(WALK, kind=kind)).preparation.source == source


@pytest.mark.parametrize(("kind", "source"), [("float", "observation"), ("bool", "observation"), ("one", "pixels")])
def test_where_nothing_is_rendered_other_images_serve(kind: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_envs.Walk, "metadata", {"render_modes": []})
    assert card_of(make_env(WALK, kind=kind)).preparation.source == source


@pytest.mark.parametrize("actions", ["discrete", "multi", "binary", "box"])
def test_every_kind_of_action(actions: str) -> None:
    env = make_env(WALK, actions=actions)
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(5):
        env.step(env.action_space.sample())
    assert make_env(card_of(env)).action_space == env.action_space


def test_rendered_floats_become_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_envs.Walk, "render", lambda self: self.image() / 255)
    env = make_env(WALK, source="render")
    assert np.array_equal(env.reset()[0], truth())


def test_wrappers_by_name_with_arguments_and_as_classes() -> None:
    env = make_env(WALK, wrappers=["own_envs:Mirrored(factor=5)", gym.wrappers.RecordEpisodeStatistics])
    np.testing.assert_array_equal(env.reset()[0], truth()[::-1] // 5)
    card = card_of(env)
    assert card.preparation.wrappers[0] == "own_envs:Mirrored(factor=5)"
    assert card.preparation.wrappers[1].endswith(":RecordEpisodeStatistics")
    again = make_env(EnvCard.from_json(card.to_json()))
    np.testing.assert_array_equal(again.reset()[0], truth()[::-1] // 5)


def test_the_environments_own_observation_is_at_hand() -> None:
    env = make_env(WALK, kind="vector")
    env.reset()
    env.step(1)
    np.testing.assert_array_equal(env.get_wrapper_attr("raw_observation"), [1])
    assert env.get_wrapper_attr("raw_observation_space") == gym.spaces.Box(0, 8, (1,), np.float32)


def test_a_module_in_the_working_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(own_envs.__file__).read_text()
    (tmp_path / "game_of_mine.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(tmp_path))])
    assert make_env("game_of_mine:Walk").reset()[0].shape == (4, 8, 3)
    del sys.modules["game_of_mine"]


def test_a_name_taken_by_the_preparation_goes_through_env_args() -> None:
    pytest.importorskip("minigrid")
    env = make_env("MiniGrid-Empty-5x5-v0", env_args={"size": 6})
    assert card_of(env).kwargs == {"size": 6} and env.observation_space.shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"env": "own_envs:Run"}, "defines no class or function Run; it has .*Walk"),
        ({"env": "nowhere_at_all:Walk"}, "there is no module nowhere_at_all; go to the folder of nowhere_at_all.py"),
        ({"env": "own_envs.py:Walk"}, "write own_envs: without .py"),
        ({"env": WALK, "speed": 3}, "cannot make own_envs:Walk with .*speed"),
        ({"env": own_envs.Walk()}, "is made already; give its id"),
        ({"env": lambda: own_envs.Walk()}, "cannot be found by a name"),
        ({"env": "own_envs:truncate_me"}, "defines no class"),
        ({"env": own_envs.Blind}, r"no image observations \(Box.*and cannot render as rgb_array; give it a render"),
        ({"env": WALK, "actions": "text"}, r"Text.* is not supported; wrap the environment"),
        ({"env": WALK, "kind": "dict", "source": "place"}, "'place' is Discrete.8., no image; choose .* near, far"),
        ({"env": WALK, "source": "image"}, "no source 'image'; choose observation, render"),
        ({"env": WALK, "kind": "dict", "source": "image"}, "render or one of its keys near, far, place"),
        ({"env": own_envs.Blind, "source": "render"}, "cannot render as rgb_array"),
        ({"env": WALK, "wrappers": ["own_envs:Nothing"]}, "defines no class or function Nothing"),
        ({"env": WALK, "wrappers": ["Mirrored"]}, "'Mirrored' names nothing; write module:Name"),
        ({"env": WALK, "wrappers": ["own_envs:Mirrored(2)"]}, "names nothing"),
        ({"env": WALK, "wrappers": ["own_envs:Mirrored(factor=open)"]}, "plain values"),
        ({"env": WALK, "wrappers": ["own_envs:Mirrored(size=2)"]}, "does not fit own_envs:Walk: .*size"),
    ],
)  # fmt: skip
def test_mistakes_are_named_in_one_line(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        make_env(**arguments)
    assert "\n" not in str(caught.value)


def test_several_images_and_no_rendering_ask_for_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_envs.Walk, "metadata", {"render_modes": []})
    with pytest.raises(UserError, match="several images; choose its source among"):
        make_env(WALK, kind="dict")


@pytest.mark.parametrize("size", [None, (4, 4)])
def test_frames_that_change_their_size_are_named(size: Any) -> None:
    env = make_env(own_envs.Growing, size=size)
    env.reset()
    env.step(1)
    env.step(1)
    with pytest.raises(UserError, match=r"own_envs:Growing gave a frame uint8 \(4, 9, 3\) after uint8 \(4, 8, 3\)"):
        env.step(1)


def test_what_is_rendered_must_be_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_envs.Walk, "render", lambda self: self.image()[..., :2])
    with pytest.raises(UserError, match=r"renders uint8 \(4, 8, 2\); its render\(\) must return uint8"):
        make_env(WALK, source="render")


def test_an_environment_that_changed_since_it_was_recorded_is_refused() -> None:
    card = card_of(make_env(WALK, cells=9))
    data = card.to_json()
    data["kwargs"]["cells"] = 10
    with pytest.raises(UserError, match="has changed since it was recorded"):
        make_env(EnvCard.from_json(data))
