"""Preparing real environments."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.envs.card import EnvCard
from dreamplay.envs.real import card_of, make_env
from dreamplay.errors import UserError


class Numbered(gym.Env[np.ndarray, int]):
    """Frames of a given shape whose pixels are all different, shifted by the step; its rendering is their negative."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 7}  # noqa: RUF012

    def __init__(self, shape: tuple[int, ...] = (6, 9), dtype: str = "uint8", render_mode: str | None = None) -> None:
        self.shape, self.render_mode = tuple(shape), render_mode
        self.observation_space = gym.spaces.Box(0, 255, self.shape, np.dtype(dtype).type)
        self.action_space = gym.spaces.Discrete(2)

    def _get(self) -> np.ndarray:
        values = (np.arange(np.prod(self.shape)) + self.time) % 256
        return values.reshape(self.shape).astype(self.observation_space.dtype)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.time = 0
        return self._get(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.time += 1
        return self._get(), 0.0, False, False, {}

    def render(self) -> np.ndarray:  # type: ignore[override]
        values = (np.arange(20 * 30 * 3) + self.time) % 256
        return 255 - values.reshape(20, 30, 3).astype(np.uint8)


class Blind(gym.Env[int, int]):
    """Neither frames nor rendering."""

    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        pass


@pytest.fixture(autouse=True)
def toy_ids() -> Any:
    gym.register("Toy/Numbered-v0", entry_point=Numbered, max_episode_steps=3)
    gym.register("Toy/Blind-v0", entry_point=Blind)
    yield
    del gym.registry["Toy/Numbered-v0"], gym.registry["Toy/Blind-v0"]


def numbers(*shape: int, time: int = 0) -> np.ndarray:
    return ((np.arange(np.prod(shape)) + time) % 256).reshape(shape).astype(np.uint8)


def test_a_built_in_game_is_used_as_it_is() -> None:
    env, plain = make_env("Dreamplay/Bricks-v0"), gym.make("Dreamplay/Bricks-v0")
    assert env.observation_space == plain.observation_space
    assert np.array_equal(env.reset(seed=4)[0], plain.reset(seed=4)[0])
    for action in (0, 1, 2, 2):
        mine, theirs = env.step(action), plain.step(action)
        assert np.array_equal(mine[0], theirs[0]) and mine[1:] == theirs[1:]
    card = card_of(env)
    assert (card.id, card.kwargs, card.fps) == ("Dreamplay/Bricks-v0", {}, 10)
    assert card.keys_to_action == [(["a"], 1), (["left"], 1), (["d"], 2), (["right"], 2)]


@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 1), (6, 9, 3), (84, 84)])
def test_small_images_keep_every_pixel(shape: tuple[int, ...]) -> None:
    env = make_env("Toy/Numbered-v0", shape=shape)
    expected = (*shape, 1)[:3]
    assert env.observation_space == gym.spaces.Box(0, 255, expected, np.uint8)
    assert np.array_equal(env.reset()[0], numbers(*expected))
    assert np.array_equal(env.step(0)[0], numbers(*expected, time=1))


def test_large_images_are_subsampled_by_the_smallest_stride() -> None:
    env = make_env("Toy/Numbered-v0", shape=(85, 253, 3))
    assert np.array_equal(env.reset()[0], numbers(85, 253, 3)[::2, ::4])
    assert env.observation_space.shape == (43, 64, 3)
    assert card_of(env).preparation.stride == (2, 4)


def test_an_exact_size_picks_the_pixel_under_each_centre() -> None:
    env = make_env("Toy/Numbered-v0", shape=(10, 9), size=(4, 3))
    # rows: centres 1.25 3.75 6.25 8.75 of 10; columns: 1.5 4.5 7.5 of 9
    assert np.array_equal(env.reset()[0][:, :, 0], numbers(10, 9)[[1, 3, 6, 8]][:, [1, 4, 7]])
    assert card_of(env).preparation.size == (4, 3) and card_of(env).preparation.stride == (1, 1)


def test_gray_is_the_luminance() -> None:
    frame = make_env("Toy/Numbered-v0", shape=(6, 9, 3), gray=True).reset()[0]
    expected = (numbers(6, 9, 3) * np.array([0.2125, 0.7154, 0.0721])).sum(-1).astype(np.uint8)
    assert frame.dtype == np.uint8 and np.array_equal(frame, expected[:, :, None])


def test_gray_leaves_one_channel_alone() -> None:
    env = make_env("Toy/Numbered-v0", shape=(6, 9, 1), gray=True)
    assert np.array_equal(env.reset()[0], numbers(6, 9, 1)) and not card_of(env).preparation.gray


@pytest.mark.parametrize("observed", [{"shape": (128,)}, {"shape": (6, 9, 4)}, {"shape": (6, 9), "dtype": "float32"}])
def test_without_image_observations_the_frames_are_rendered(observed: dict[str, Any]) -> None:
    env = make_env("Toy/Numbered-v0", **observed)
    assert card_of(env).preparation.source == "render"
    assert np.array_equal(env.reset()[0], 255 - numbers(20, 30, 3))
    assert np.array_equal(env.step(1)[0], 255 - numbers(20, 30, 3, time=1))


def test_frames_do_not_change_afterwards() -> None:
    env = make_env("CartPole-v1")
    first, _ = env.reset(seed=0)
    copied = first.copy()
    for _ in range(5):
        assert not np.shares_memory(env.step(1)[0], first)
    assert np.array_equal(first, copied)


def test_cartpole_is_seen_through_its_rendering() -> None:
    env, plain = make_env("CartPole-v1"), gym.make("CartPole-v1", render_mode="rgb_array")
    assert env.observation_space == gym.spaces.Box(0, 255, (80, 75, 3), np.uint8)
    env.reset(seed=1)
    plain.reset(seed=1)
    for action in (0, 1, 1):
        frame, reward, terminated, truncated, _ = env.step(action)
        assert (reward, terminated, truncated) == plain.step(action)[1:4]
        rendered = plain.render()
        assert isinstance(rendered, np.ndarray) and np.array_equal(frame, rendered[::5, ::8])


def test_the_time_limit_stays() -> None:
    env = make_env("Toy/Numbered-v0")
    env.reset()
    assert [env.step(0)[3] for _ in range(3)] == [False, False, True]


def test_rendering_stays_at_full_size() -> None:
    env = make_env("Toy/Numbered-v0", shape=(100, 100), render_mode="rgb_array")
    env.reset()
    assert np.array_equal(env.render(), 255 - numbers(20, 30, 3))


@pytest.mark.parametrize("name", ["checkpoint.json", "data.json"])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_folder_names_its_environment(tmp_path: Path, name: str, as_text: bool) -> None:
    first = make_env("Toy/Numbered-v0", shape=(100, 90, 3), size=(20, 30), gray=True)
    (tmp_path / name).write_text(json.dumps({"format": 1, "env": card_of(first).to_json()}))
    again = make_env(str(tmp_path) if as_text else tmp_path)
    assert card_of(again) == card_of(first) and again.observation_space == first.observation_space
    assert np.array_equal(again.reset(seed=0)[0], first.reset(seed=0)[0])
    assert np.array_equal(again.step(0)[0], first.step(0)[0])


def test_the_card_is_found_through_further_wrappers_and_remakes_the_environment() -> None:
    env = gym.wrappers.RecordEpisodeStatistics(make_env("CartPole-v1"))
    card = card_of(env)
    again = make_env(EnvCard.from_json(json.loads(json.dumps(card.to_json()))))
    assert card_of(again) == card
    assert np.array_equal(again.reset(seed=2)[0], env.reset(seed=2)[0])


def test_an_id_may_name_the_module_that_registers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_module_of_games.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('Own-v0', entry_point='dreamplay.envs.bricks:Bricks', max_episode_steps=7)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    env = make_env("a_module_of_games:Own-v0")
    assert env.reset()[0].shape == (10, 10, 3) and card_of(env).id == "a_module_of_games:Own-v0"
    del gym.registry["Own-v0"], sys.modules["a_module_of_games"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"env": "CartPol-v1"}, "cannot make CartPol-v1: .*Did you mean: `CartPole`"),
        ({"env": "CartPole-v9"}, "cannot make CartPole-v9: .*`v9`"),
        ({"env": "Dreamplay/Brick-v0"}, "Did you mean: `Bricks`"),
        ({"env": "no such id!"}, "Malformed"),
        ({"env": "no_such_module:X-v0"}, "No module named 'no_such_module'"),
        ({"env": "Toy/Blind-v0"}, r"no image observations \(Discrete\(2\)\) and cannot render .*render_modes"),
        ({"env": "CartPole-v1", "wheels": 3}, "cannot make CartPole-v1 with .*wheels"),
        ({"env": "Toy/Numbered-v0", "shape": {1, 2}}, "plain JSON values"),
        ({"env": "Toy/Numbered-v0", "size": (0, 5)}, r"size \(0, 5\) is not possible"),
        ({"env": Path("nowhere")}, "nowhere holds neither checkpoint.json nor data.json"),
    ],
)
def test_mistakes_are_named_in_one_line(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        make_env(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"env": {}}'])
def test_an_unreadable_folder_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "data.json").write_text(content)
    with pytest.raises(UserError, match=r"unreadable|not readable"):
        make_env(tmp_path)


def test_a_folder_without_a_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds neither"):
        make_env(str(tmp_path))


def test_what_a_folder_fixes_cannot_be_changed() -> None:
    with pytest.raises(UserError, match="prepared as it was recorded"):
        make_env(card_of(make_env("Dreamplay/Catch-v0")), gray=True)


def test_an_environment_made_elsewhere_has_no_card() -> None:
    with pytest.raises(UserError, match=r"dreamplay\.make_env"):
        card_of(gym.make("CartPole-v1"))


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Dreamplay/Rally-v0"])
def test_human_rendering_leaves_the_frames_as_they_are(env_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env, plain = make_env(env_id, render_mode="human"), make_env(env_id)
    assert env.render_mode == "human" and card_of(env) == card_of(plain)
    assert np.array_equal(env.reset(seed=0)[0], plain.reset(seed=0)[0])
    assert np.array_equal(env.step(1)[0], plain.step(1)[0])
    env.close()
