"""`dreamplay export`, and back again: Minari and .npz lose nothing; other people's datasets come in unchanged."""

import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.agents.random_agent import RandomAgent
from dreamplay.cli import main
from dreamplay.collect import collect
from dreamplay.envs.card import EnvCard
from dreamplay.envs.real import card_of, make_env
from dreamplay.episodes import Episodes, EpisodeWriter

minari = pytest.importorskip("minari")
gym.register_envs(pytest.importorskip("ale_py"))
NAMES = ("observations", "actions", "rewards", "terminated", "truncated", "chance")
WALK = "own_envs:Walk"


def collected(folder: Path, env_id: str, steps: int = 60, **options: Any) -> Episodes:
    env = make_env(env_id, **options)
    with EpisodeWriter(folder, card_of(env)) as writer:
        collect(env, RandomAgent(env.action_space), steps, writer, seed=0)
    return Episodes.open(folder)


def assert_equal(one: Episodes, other: Episodes) -> None:
    assert one.card == other.card and len(one) == len(other)
    for left, right in zip(one, other, strict=True):
        for name in NAMES:
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name), strict=True)


@pytest.mark.parametrize("to", ["minari", "npz"])
@pytest.mark.parametrize(
    ("env_id", "options"),
    [
        ("Dreamplay/Rally-v0", {}),
        (WALK, {"actions": "box", "max_episode_steps": 7}),
        (WALK, {"actions": "multi", "gray": True}),
        (WALK, {"actions": "binary", "size": (3, 5)}),
    ],
)
def test_there_and_back_every_array_is_equal(tmp_path, env_id, options, to):
    before = collected(tmp_path / "data", env_id, **options)
    out = tmp_path / "walk-v0"
    assert main(["export", str(tmp_path / "data"), "--to", to, "--out", str(out)]) == 0
    assert main(["import", str(out), "--out", str(tmp_path / "again")]) == 0
    assert_equal(before, Episodes.open(tmp_path / "again"))


def test_minari_reads_what_was_exported_by_its_id(tmp_path, monkeypatch, capsys):
    before = collected(tmp_path / "data", "Dreamplay/Catch-v0")
    assert main(["export", str(tmp_path / "data"), "--out", str(tmp_path / "catch-v0")]) == 0
    assert f"MINARI_DATASETS_PATH={tmp_path} and minari.load_dataset('catch-v0')" in capsys.readouterr().out
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    dataset = minari.load_dataset("catch-v0")
    assert (dataset.total_episodes, dataset.total_steps) == (len(before), before.steps)
    assert dataset.spec.observation_space == before.card.observation_space
    for theirs, mine in zip(dataset, before, strict=True):
        np.testing.assert_array_equal(theirs.observations, mine.observations)
        np.testing.assert_array_equal(theirs.actions, mine.actions)
        np.testing.assert_array_equal(theirs.terminations, mine.terminated)
    assert main(["import", "catch-v0", "--out", str(tmp_path / "again")]) == 0
    assert_equal(before, Episodes.open(tmp_path / "again"))


def test_the_environment_comes_back_too(tmp_path):
    before = collected(tmp_path / "data", WALK, cells=9)
    main(["export", str(tmp_path / "data"), "--to", "npz", "--out", str(tmp_path / "npz")])
    main(["import", str(tmp_path / "npz"), "--out", str(tmp_path / "again")])
    assert card_of(make_env(tmp_path / "again")) == before.card


def with_their_collector(root: Path, monkeypatch: pytest.MonkeyPatch, env: gym.Env, jpeg: bool = False) -> Any:
    """A dataset that Minari's own DataCollector records, as its documentation says."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(root))
    collector = minari.DataCollector(env, jpeg_encoding=jpeg)
    for episode in range(3):
        collector.reset(seed=episode)
        collector.action_space.seed(episode)
        over = False
        while not over:
            _, _, terminated, truncated, _ = collector.step(collector.action_space.sample())
            over = terminated or truncated
    dataset = collector.create_dataset(dataset_id="theirs/data-v3")
    collector.close()
    return dataset


def assert_imported(dataset: Any, episodes: Episodes, frames: Any) -> None:
    assert len(episodes) == dataset.total_episodes == 3
    for theirs, mine in zip(dataset, episodes, strict=True):
        np.testing.assert_array_equal(frames(theirs), mine.observations)
        np.testing.assert_array_equal(theirs.actions, mine.actions)
        np.testing.assert_array_equal(theirs.rewards.astype(np.float32), mine.rewards)
        np.testing.assert_array_equal(theirs.terminations, mine.terminated)
        np.testing.assert_array_equal(theirs.truncations, mine.truncated)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("jpeg", [False, True])
def test_somebody_elses_dataset_comes_in_unchanged_by_its_id(tmp_path, monkeypatch, jpeg, capsys):
    env = gym.make("ALE/Pong-v5", frameskip=4, repeat_action_probability=0.0, max_episode_steps=12)
    dataset = with_their_collector(tmp_path / "root", monkeypatch, env, jpeg)
    assert main(["import", "theirs/data-v3", "--out", str(tmp_path / "data")]) == 0
    episodes = Episodes.open(tmp_path / "data")
    assert_imported(dataset, episodes, lambda episode: episode.observations[:, ::3, ::2])
    # only frames without loss show that the environment is the one the dataset names
    assert episodes.card.id == ("theirs/data-v3" if jpeg else "ALE/Pong-v5")
    if not jpeg:
        again = make_env(tmp_path / "data")
        assert np.array_equal(again.reset(seed=0)[0], episodes[0].observations[0])
        assert "dreamplay play shows it beside the dream" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_continuous_actions_and_dict_observations_of_somebody_else(tmp_path, monkeypatch, capsys):
    gym.register("Toy/Walk-v0", entry_point="own_envs:Walk", max_episode_steps=20)
    env = gym.make("Toy/Walk-v0", kind="dict", actions="box", render_mode="rgb_array")
    dataset = with_their_collector(tmp_path / "root", monkeypatch, env)
    del gym.registry["Toy/Walk-v0"]
    place = str(tmp_path / "root" / "theirs" / "data-v3")
    assert main(["import", place, "--out", str(tmp_path / "data")]) == 2
    assert "name the images among them with --source" in capsys.readouterr().err
    assert main(["import", place, "--out", str(tmp_path / "data"), "--source", "far"]) == 0
    episodes = Episodes.open(tmp_path / "data")
    assert episodes.card.action_space == gym.spaces.Box(-1, 1, (2,))
    assert_imported(dataset, episodes, lambda episode: episode.observations["far"])
    assert main(["import", place, "--out", str(tmp_path / "no"), "--source", "place"]) == 2
    assert "no images under 'place'; choose --source among near, far" in capsys.readouterr().err.replace(
        "far, near", "near, far"
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_dataset_without_images_is_refused(tmp_path, monkeypatch, capsys):
    with_their_collector(tmp_path / "root", monkeypatch, gym.make("CartPole-v1"))
    assert main(["import", "theirs/data-v3", "--out", str(tmp_path / "data")]) == 2
    assert "no images; record it again with what the environment renders" in capsys.readouterr().err


def test_mistakes_are_one_line_and_write_nothing(tmp_path, capsys, monkeypatch, run):
    collected(tmp_path / "data", "Dreamplay/Catch-v0", 9)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    data = str(tmp_path / "data")
    capsys.readouterr()
    for words, message in (
        (["nowhere"], "no data folder nowhere"),
        ([data, "--to", "hdf5"], "--to"),
        ([data, "--out", str(tmp_path / "name")], "end it in a version, as in name-v0"),
        ([data, "--to", "npz", "--out", str(tmp_path / "full")], "is not empty"),
        ([str(run)], "is a run; name the data folder"),
    ):
        assert main(["export", *words]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    monkeypatch.setitem(sys.modules, "minari", None)
    assert main(["export", data, "--out", str(tmp_path / "data-v0")]) == 2
    assert "Minari datasets need minari, not installed: pip install 'dreamplay[minari]'" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_the_card_of_an_old_folder_has_no_wrappers():
    data = card_of(make_env(WALK)).to_json()
    del data["preparation"]["wrappers"]
    assert EnvCard.from_json(data).preparation.wrappers == ()
