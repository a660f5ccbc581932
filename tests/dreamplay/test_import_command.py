"""`dreamplay import`: folders of .npz files, videos with actions, data folders; what comes out, and what is refused."""

import json
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.agents.random_agent import RandomAgent
from dreamplay.cli import main
from dreamplay.collect import collect
from dreamplay.envs.real import card_of, make_env
from dreamplay.episodes import Episodes, EpisodeWriter
from dreamplay.errors import UserError
from dreamplay.exchange.spaces import parse_space
from dreamplay.video import write_video

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (6, 8, 10, 3), np.uint8)
ACTIONS = np.array([0, 2, 1, 2, 0])
REWARDS = np.array([0, 0, 1, 0, -1.5], np.float32)
ENDS = np.array([False] * 4 + [True])


def run(recordings: Path, *words: str, out: str = "data") -> Episodes:
    assert main(["import", str(recordings), "--out", str(recordings.parent / out), *words]) == 0
    return Episodes.open(recordings.parent / out)


def mistake(capsys: pytest.CaptureFixture, recordings: Path, *words: str) -> str:
    capsys.readouterr()
    assert main(["import", str(recordings), "--out", str(recordings.parent / "refused"), *words]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("import ")]
    assert len(lines) == 1
    return lines[0]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def test_an_episode_per_file(mine, capsys):
    np.savez(mine / "a.npz", observations=FRAMES, actions=ACTIONS, rewards=REWARDS, terminated=ENDS)
    np.savez(mine / "b.npz", obs=FRAMES[:3], action=ACTIONS[:2])
    episodes = run(mine)
    assert [len(episode) for episode in episodes] == [5, 2]
    np.testing.assert_array_equal(episodes[0].observations, FRAMES)
    np.testing.assert_array_equal(episodes[0].actions, ACTIONS)
    np.testing.assert_array_equal(episodes[0].rewards, REWARDS)
    np.testing.assert_array_equal(episodes[0].terminated, ENDS)
    assert not (episodes[1].rewards.any() or episodes[1].terminated.any() or episodes[1].truncated.any())
    card = episodes.card
    assert (card.id, card.preparation.source, card.action_space, card.fps) == (
        "mine",
        "recorded",
        gym.spaces.Discrete(3),
        15,
    )
    printed = capsys.readouterr().out
    assert "2 episodes, 7 steps of 8 x 10 x 3 frames" in printed and "no environment is known" in printed
    assert f"dreamplay train --data {mine.parent / 'data'}" in printed


def test_nothing_seen_after_the_last_action(mine, capsys):
    np.savez(mine / "a.npz", observations=FRAMES[:5], actions=ACTIONS, rewards=REWARDS, terminated=ENDS)
    (episode,) = run(mine)
    assert len(episode) == 4 and not episode.terminated.any()
    assert "1 last actions are left out with their rewards and ends" in capsys.readouterr().out
    np.testing.assert_array_equal(episode.observations, FRAMES[:5])


def test_several_episodes_in_one_file(mine):
    ends = np.array([False, True, False, False, False])
    np.savez(mine / "all.npz", observations=FRAMES, actions=ACTIONS, rewards=REWARDS, dones=ends)
    first, second = run(mine / "all.npz")
    np.testing.assert_array_equal(first.observations, FRAMES[:2])  # what came after action 1 was never stored
    np.testing.assert_array_equal(first.actions, ACTIONS[:1])
    assert not first.terminated.any()
    np.testing.assert_array_equal(second.observations, FRAMES[2:])
    np.testing.assert_array_equal(second.rewards, REWARDS[2:])


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (FRAMES[..., 0], FRAMES[..., :1]),
        (np.moveaxis(FRAMES, -1, 1), FRAMES),
        ((FRAMES / 255).astype(np.float32), FRAMES),
        (FRAMES[..., 0] > 99, 255 * (FRAMES[..., :1] > 99)),
    ],
)
def test_frames_of_every_kind(mine, frames, expected):
    np.savez(mine / "a.npz", observations=frames, actions=ACTIONS)
    np.testing.assert_array_equal(run(mine)[0].observations, expected)


@pytest.mark.parametrize(
    ("actions", "space"),
    [
        (ACTIONS[:, None], gym.spaces.MultiDiscrete([3])),
        (np.array([[0, 1], [1, 0], [1, 1], [0, 0], [0, 1]]), gym.spaces.MultiBinary([2])),
        (np.array([0.5, -1, 1, 0, 0.25]), gym.spaces.Box(-1, 1, (), np.float32)),
        (np.array([[0.5], [-3], [1], [0], [7]]), gym.spaces.Box(-3, 7, (1,), np.float32)),
    ],
)
def test_action_spaces_are_guessed(mine, actions, space):
    np.savez(mine / "a.npz", observations=FRAMES, actions=actions)
    episodes = run(mine)
    assert episodes.card.action_space == space
    np.testing.assert_array_equal(episodes[0].actions, actions.astype(episodes[0].actions.dtype))


def test_options_say_how_the_data_are_to_be_seen(mine):
    np.savez(mine / "a.npz", observations=FRAMES, actions=ACTIONS)
    episodes = run(mine, "--size", "4", "5", "--gray", "--action-space", "Discrete(6)", "--fps", "30")
    assert (episodes.card.action_space, episodes.card.fps) == (gym.spaces.Discrete(6), 30)
    picked = FRAMES[:, 1::2, 1::2]
    gray = (picked * np.array([0.2125, 0.7154, 0.0721])).sum(-1, keepdims=True).astype(np.uint8)
    np.testing.assert_array_equal(episodes[0].observations, gray)


def test_large_frames_are_subsampled(mine):
    frames = RNG.integers(0, 256, (3, 100, 90, 1), np.uint8)
    np.savez(mine / "a.npz", observations=frames, actions=[0, 1])
    np.testing.assert_array_equal(run(mine)[0].observations, frames[:, ::2, ::2])


def steady_video(path: Path, levels: list[int]) -> None:
    write_video(path, (np.full((16, 16, 3), level, np.uint8) for level in levels), fps=10)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
@pytest.mark.parametrize("kind", ["csv", "npy", "npz"])
def test_videos_with_a_file_of_actions(mine, suffix, kind):
    levels = [0, 200, 100, 50]
    steady_video(mine / f"one{suffix}", levels)
    if kind == "csv":
        (mine / "one.csv").write_text("action,reward,terminated\n1,0,False\n0,0.5,False\n1,-1,True\n")
    elif kind == "npy":
        np.save(mine / "one.npy", [1, 0, 1])
    else:
        np.savez(mine / "one.npz", actions=[1, 0, 1], rewards=[0, 0.5, -1], terminated=[False, False, True])
    episodes = run(mine)
    assert episodes.card.fps == 10 and episodes.card.action_space == gym.spaces.Discrete(2)
    np.testing.assert_allclose(episodes[0].observations.mean((1, 2, 3)), levels, atol=6)
    assert episodes[0].actions.tolist() == [1, 0, 1]
    if kind != "npy":
        assert episodes[0].rewards.tolist() == [0, 0.5, -1] and episodes[0].terminated.tolist() == [False, False, True]


def test_a_table_with_actions_of_several_numbers(mine):
    steady_video(mine / "one.mp4", [0, 9, 0])
    (mine / "one.csv").write_text("action_0, action_1\n0.5, -1\n0, 1\n")
    assert run(mine)[0].actions.tolist() == [[0.5, -1], [0, 1]]


@pytest.fixture
def played(tmp_path: Path) -> Path:
    """An ordinary data folder, as collecting or playing leaves it."""
    env = make_env("Dreamplay/Catch-v0")
    with EpisodeWriter(tmp_path / "played", card_of(env)) as writer:
        collect(env, RandomAgent(env.action_space), 50, writer, seed=0)
    return tmp_path / "played"


def test_a_data_folder_is_added_to_another(played, capsys):
    one = Episodes.open(played)
    run(played)
    both = run(played, "--append")
    assert len(both) == 2 * len(one) and both.card == one.card
    np.testing.assert_array_equal(both[len(one)].observations, one[0].observations)
    assert "is a data folder already" in mistake(capsys, played, "--gray")


def test_recordings_of_an_environment_that_is_there(mine, played, capsys):
    for number, episode in enumerate(Episodes.open(played)):
        np.savez(mine / f"{number}.npz", observations=episode.observations, actions=episode.actions)
    episodes = run(mine, "--env", "Dreamplay/Catch-v0")
    assert episodes.card == Episodes.open(played).card
    assert make_env(mine.parent / "data").action_space == episodes.card.action_space
    wrong = mistake(capsys, mine, "--env", "CartPole-v1")
    assert "CartPole-v1 gives frames (80, 75, 3), the recordings hold (10, 10, 3); see --size" in wrong


FAULTS = {
    "no actions": (dict(observations=FRAMES), "holds no actions, only observations; call them actions or action"),
    "no frames": (dict(actions=ACTIONS), "holds no observations"),
    "too few actions": (dict(observations=FRAMES, actions=ACTIONS[:3]), "6 frames and 3 actions; of T actions"),
    "no images": (dict(observations=FRAMES[:, 0, :, 0], actions=ACTIONS), "frames must be"),
    "four channels": (dict(observations=np.zeros((6, 8, 9, 4), np.uint8), actions=ACTIONS), "frames must be"),
    "whole numbers": (dict(observations=FRAMES.astype(np.int64), actions=ACTIONS), "type int64; they must be uint8"),
    "rewards": (dict(observations=FRAMES, actions=ACTIONS, rewards=REWARDS[:2]), r"rewards \(2,\), \(5,\) needed"),
    "NaN": (dict(observations=FRAMES, actions=ACTIONS, rewards=REWARDS * np.nan), "rewards that are no finite numbers"),
    "texts": (dict(observations=FRAMES, actions=np.array(list("abcde"))), "no numbers"),
    "negative": (dict(observations=FRAMES, actions=ACTIONS - 1), "actions below 0"),
    "pickled": (dict(observations=FRAMES, actions=np.array([None] * 5)), "no readable .npz file"),
    "one frame": (dict(observations=FRAMES[:1], actions=ACTIONS[:0]), "without a step|no finite|actions"),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "message"), FAULTS.values(), ids=FAULTS)
def test_every_fault_of_a_file_is_one_line(mine, arrays, message, capsys):
    import re

    np.savez(mine / "a.npz", **arrays)
    assert re.search(message, mistake(capsys, mine))


def test_what_is_no_recording_is_refused(mine, capsys):
    assert "there is no" in mistake(capsys, mine / "nowhere")
    assert "holds neither .npz files, nor videos" in mistake(capsys, mine)
    (mine / "a.npz").write_text("no archive")
    assert "no readable .npz file" in mistake(capsys, mine)
    (mine / "a.npz").unlink()
    (mine / "a.mp4").write_text("no video")
    (mine / "a.csv").write_text("action\n1\n")
    assert "no readable video" in mistake(capsys, mine)
    steady_video(mine / "a.mp4", [0, 1, 2])
    (mine / "a.csv").write_text("left,right\n1,0\n")
    assert "names no actions" in mistake(capsys, mine)
    (mine / "a.csv").write_text("action\nleft\n")
    assert "no table of numbers" in mistake(capsys, mine)
    (mine / "a.csv").unlink()
    assert "has no actions beside it; put them in a.csv or .npy" in mistake(capsys, mine)
    (mine / "a.npy").write_text("no array")
    assert "no .npy file" in mistake(capsys, mine)


def test_frames_of_another_size_and_actions_outside_the_space_are_named(mine, capsys):
    np.savez(mine / "a.npz", observations=FRAMES, actions=ACTIONS)
    assert "the action 2, not in Discrete(2)" in mistake(capsys, mine, "--action-space", "Discrete(2)")
    np.savez(mine / "b.npz", observations=FRAMES[:, :4], actions=ACTIONS)
    assert "b.npz holds frames (4, 10, 3), the ones before (8, 10, 3)" in mistake(capsys, mine)
    assert "--source chooses among" in mistake(capsys, mine, "--source", "image")


@pytest.mark.parametrize(
    ("text", "space"),
    [
        ("Discrete(6)", gym.spaces.Discrete(6)),
        ("Discrete(3, start=1)", gym.spaces.Discrete(3, start=1)),
        ("MultiBinary(4)", gym.spaces.MultiBinary(4)),
        ("MultiDiscrete([3, 2])", gym.spaces.MultiDiscrete([3, 2])),
        ("Box(-1, 1, (2,))", gym.spaces.Box(-1, 1, (2,))),
        ("Box([0, -1], [1, 1])", gym.spaces.Box(np.array([0, -1], np.float32), np.array([1, 1], np.float32))),
    ],
)
def test_spaces_are_read(text, space):
    assert parse_space(text) == space


@pytest.mark.parametrize("text", ["Discrete", "Discrete(open())", "Tuple(1)", "Discrete(0)", "six", "Box(1)"])
def test_texts_that_are_no_spaces_are_refused(text):
    with pytest.raises(UserError, match="is no action space"):
        parse_space(text)


def test_training_evaluating_and_playing_need_no_environment(mine, tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(1)
    for number in range(3):
        actions = rng.integers(0, 2, 40)
        place = np.concatenate([[0], np.cumsum(2 * actions - 1)]) % 8
        frames = np.zeros((41, 8, 8, 1), np.uint8)
        frames[np.arange(41), place, :4] = 255
        np.savez(mine / f"{number}.npz", observations=frames, actions=actions, rewards=actions.astype(float))
    monkeypatch.chdir(tmp_path)
    for line in (
        "import mine",
        "train --data data/mine --updates 3 --batch-steps 32 --device cpu",
        "evaluate runs/mine --windows 3 --horizon 5",
        "play runs/mine --record dream.gif --steps 3",
        "act runs/mine --in dream --episodes 1 --max-steps 5",
    ):
        assert main(line.split()) == 0, line
    assert "without the real game: mine was recorded elsewhere" in capsys.readouterr().out
    assert main(["act", "runs/mine"]) == 2
    assert "there is no real environment" in capsys.readouterr().err
    assert json.loads(Path("runs/mine/evaluation/horizon.json").read_text())["windows"] > 0
