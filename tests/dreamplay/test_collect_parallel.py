"""Collecting side by side: the alignment of time, the budget, the seed, and what goes wrong in another process."""

from functools import partial

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dreamplay.agents.random_agent import RandomAgent
from dreamplay.cli import main
from dreamplay.collect import collect
from dreamplay.collect_parallel import collect_parallel
from dreamplay.commands.collect import Collect
from dreamplay.envs.real import make_env
from dreamplay.episodes import Episodes, EpisodeWriter
from toys import ClockEnv, clock_card


def record(folder, lengths, steps, seed=0):
    envs = SyncVectorEnv(
        [partial(ClockEnv, (length, length + 1)) for length in lengths], autoreset_mode=AutoresetMode.SAME_STEP
    )
    card = clock_card(ClockEnv())
    agents = [RandomAgent(card.action_space) for _ in lengths]
    calls = []
    with EpisodeWriter(folder, card) as writer:
        done = collect_parallel(envs, agents, steps, writer, seed=seed, on_step=lambda n, text: calls.append((n, text)))
    assert sum(n for n, _ in calls) == steps == done.steps
    return Episodes.open(folder), done


def test_time_is_aligned_and_the_budget_exact(tmp_path):
    episodes, done = record(tmp_path, (3, 5), 21)
    assert episodes.steps == 21
    # ends at ticks 3, 5, 7 (3 + 4), 11 (5 + 6, 7 + 4); the last tick counts the first environment only
    assert [len(episode) for episode in episodes] == [3, 5, 4, 4, 5]
    for episode in episodes:
        times = np.arange(len(episode))
        np.testing.assert_array_equal(episode.observations[:, 0, 0, 0], np.arange(len(episode) + 1))
        np.testing.assert_array_equal(episode.observations[1:, 0, 1, 0], episode.actions)
        np.testing.assert_array_equal(episode.rewards, 100 * times + episode.actions)
        np.testing.assert_array_equal(episode.chance, episode.actions % 2 == 1)
        assert not episode.terminated[:-1].any()
    assert [bool(episode.terminated[-1]) for episode in episodes] == [True, True, True, True, False]
    assert done.returns == [float(episode.rewards.sum()) for episode in episodes[:4]]


def test_the_seed_decides_everything_and_agents_differ(tmp_path):
    actions = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        episodes, _ = record(tmp_path / name, (6, 6), 24, seed)
        actions.append([episode.actions.tolist() for episode in episodes])
    assert actions[0] == actions[1] != actions[2]
    assert actions[0][0] != actions[0][1]


def test_the_command_in_processes_of_their_own(tmp_path):
    answer = Collect(env="Dreamplay/Bricks-v0", steps=501, envs=2, out=tmp_path / "data", seed=4).run()
    assert answer["steps"] == 501
    episodes = Episodes.open(tmp_path / "data")
    env = make_env("Dreamplay/Bricks-v0")
    first = {env.reset(seed=seed)[0].tobytes() for seed in (4, 5)}
    assert {episode.observations[0].tobytes() for episode in episodes[:2]} <= first | {
        episode.observations[0].tobytes() for episode in episodes
    }
    with EpisodeWriter(tmp_path / "alone", episodes.card) as writer:
        collect(env, RandomAgent(env.action_space), 10, writer, seed=4)
    assert Episodes.open(tmp_path / "alone")[0].observations[0].tobytes() in {
        episode.observations[0].tobytes() for episode in episodes
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Dreamplay/Bricks-v0", "--envs", "0"], "--envs 0"),
        (["Dreamplay/Bricks-v0", "--agent", "human"], "a person plays in a window: dreamplay play ENV"),
        (["own_envs:NotANumber", "--agent", "own_agents:Right"], "the reward nan at step 3"),
        (["own_envs:NotANumber", "--agent", "own_agents:Right", "--envs", "2"], "the reward nan at step 3"),
        (["own_envs:Growing", "--agent", "own_agents:Right"], "own_envs:Growing gave a frame uint8"),
        (["own_envs:Growing", "--agent", "own_agents:Right", "--envs", "2"], "own_envs:Growing gave a frame uint8"),
        (["own_envs:Walk", "--env-args", "cells"], "'cells' sets nothing; write name=value"),
        (["own_envs:Walk", "--source", "sound"], "no source 'sound'"),
        (["own_envs:Walk", "--agent", "me"], "--agent 'me' is unknown"),
        (["own_envs:Walk", "--epsilon", "2"], "--epsilon 2.0 is no probability"),
    ],
)
def test_mistakes_are_one_line(words, message, tmp_path, capfd):
    assert main(["collect", *words, "--steps", "30", "--out", str(tmp_path / "data")]) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("collect own_envs")]
    assert len(lines) == 1 and message in lines[0]


def test_what_was_collected_before_a_mistake_is_kept(tmp_path):
    words = ["collect", "own_envs:NotANumber", "--agent", "own_agents:Right", "--out", str(tmp_path / "data")]
    assert main(words) == 2
    assert [episode.rewards.tolist() for episode in Episodes.open(tmp_path / "data")] == [[0.0, 0.0]]


def test_appending_counts_what_was_there(tmp_path, capsys):
    words = ["collect", "own_envs:Walk", "--steps", "30", "--out", str(tmp_path / "data")]
    assert main(words) == 0
    assert main(words) == 2 and "not empty" in capsys.readouterr().err
    assert main([*words, "--append", "--seed", "1"]) == 0
    assert "60 steps, 30 of them from before" in capsys.readouterr().out
    assert Episodes.open(tmp_path / "data").steps == 60
    assert main([*words, "--append", "--gray"]) == 2
    assert "another" in capsys.readouterr().err


def test_options_of_the_environment_reach_the_data(tmp_path):
    words = ["collect", "own_envs:Walk", "--steps", "9", "--out", str(tmp_path / "data"), "--env-args", "cells=6"]
    assert (
        main(
            [*words, "kind=dict", "--source", "far", "--wrappers", "gymnasium.wrappers:TimeLimit(max_episode_steps=4)"]
        )
        == 0
    )
    episodes = Episodes.open(tmp_path / "data")
    assert episodes.card.observation_space.shape == (4, 6, 3)
    assert episodes[0].observations.max() == 255 and max(map(len, episodes)) <= 4
