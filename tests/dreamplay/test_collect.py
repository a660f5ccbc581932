"""Collecting, with an environment whose frame tells the time and the last action: design.md's alignment, end to end."""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

import dreamplay.envs.real
from dreamplay.agents.random_agent import RandomAgent
from dreamplay.cli import main
from dreamplay.collect import Collected, collect
from dreamplay.commands.collect import Collect
from dreamplay.episodes import Episodes, EpisodeWriter
from dreamplay.errors import UserError
from dreamplay.windows import Windows
from toys import ClockEnv, clock_card


def record(folder, env: ClockEnv, steps: int, seed: int = 0, **kwargs) -> tuple[Episodes, Collected]:
    with EpisodeWriter(folder, clock_card(env)) as writer:
        collected = collect(env, RandomAgent(env.action_space), steps, writer, seed=seed, **kwargs)
    return Episodes.open(folder), collected


def assert_aligned(observations, actions, rewards, terminated, start: int, length: int) -> None:
    """The frames are those of ClockEnv at start, start + 1, ..., in an episode of `length`."""
    times = np.arange(start, start + len(rewards))
    np.testing.assert_array_equal(observations[:, 0, 0, 0], np.arange(start, start + len(rewards) + 1))
    np.testing.assert_array_equal(observations[1:, 0, 1, 0], actions)  # obs[t + 1] shows action[t]
    np.testing.assert_array_equal(rewards, 100 * times + actions)
    np.testing.assert_array_equal(terminated, times == length - 1)


def test_alignment_from_the_environment_through_the_disk(tmp_path):
    episodes, collected = record(tmp_path, ClockEnv(lengths=(6, 4, 7)), 17)
    assert [len(episode) for episode in episodes] == [6, 4, 7]
    for number, episode in enumerate(episodes):
        assert_aligned(episode.observations, episode.actions, episode.rewards, episode.terminated, 0, len(episode))
        assert episode.observations[0, 0, 1, 0] == 255
        assert (episode.observations[:, :, 2, 0] == number).all()
        assert not episode.truncated.any()
        np.testing.assert_array_equal(episode.chance, episode.actions % 2 == 1)
    assert len({tuple(episode.actions) for episode in episodes}) == 3
    assert collected.returns == [float(episode.rewards.sum()) for episode in episodes]


def test_alignment_through_windows_padding_included(tmp_path):
    lengths = (6, 4, 9)
    episodes, _ = record(tmp_path, ClockEnv(lengths), 19)
    drawn = Windows(episodes).sample(np.random.default_rng(0), 200, 5)
    ended = 0
    for b in range(200):
        count = int(drawn.mask[b].sum())
        start, number = drawn.observations[b, 0, 0, 0, 0], drawn.observations[b, 0, 0, 2, 0]
        window = (drawn.actions[b, :count], drawn.rewards[b, :count], drawn.terminated[b, :count])
        assert count == min(5, lengths[number])
        assert_aligned(drawn.observations[b, : count + 1], *window, start, lengths[number])
        assert (drawn.observations[b, :, :, 2] == number).all()
        assert (drawn.observations[b, count:] == drawn.observations[b, count]).all()
        assert not (drawn.actions[b, count:].any() or drawn.rewards[b, count:].any())
        assert not drawn.terminated[b, count:].any()
        ended += bool(drawn.terminated[b].any())
    assert not drawn.mask.all()
    assert ended > 20


def test_the_budget_is_exact_and_the_cut_episode_neither_terminated_nor_truncated(tmp_path):
    calls = []
    episodes, collected = record(tmp_path, ClockEnv((6,)), 15, on_step=lambda n, status: calls.append((n, status)))
    assert (episodes.steps, collected.steps) == (15, 15)
    assert [len(episode) for episode in episodes] == [6, 6, 3]
    assert not (episodes[2].terminated.any() or episodes[2].truncated.any())
    assert len(collected.returns) == 2  # the cut one would lower the mean
    assert collected.mean_return == np.mean([episode.rewards.sum() for episode in episodes[:2]])
    assert [n for n, _ in calls] == [1] * 15
    assert calls[0][1] == ""
    assert calls[-1][1] == f"2 episodes, mean return {collected.mean_return:.2f}"


def test_truncation_is_kept_apart_from_termination(tmp_path):
    episodes, _ = record(tmp_path, ClockEnv((3,), ends="truncated"), 6)
    for episode in episodes:
        assert episode.truncated.tolist() == [False, False, True]
        assert not episode.terminated.any()


def test_only_the_first_reset_is_seeded_and_the_seed_decides_everything(tmp_path):
    env = ClockEnv((3,))
    one, _ = record(tmp_path / "1", env, 9, seed=5)
    assert env.seeds == [5, None, None]
    two, _ = record(tmp_path / "2", ClockEnv((3,)), 9, seed=5)
    three, _ = record(tmp_path / "3", ClockEnv((3,)), 9, seed=6)
    actions = [[episode.actions.tolist() for episode in episodes] for episodes in (one, two, three)]
    assert actions[0] == actions[1] != actions[2]


@pytest.mark.parametrize(
    "space", [gym.spaces.Discrete(3, start=2), gym.spaces.MultiDiscrete([3, 4]), gym.spaces.MultiBinary(3)]
)
def test_actions_of_other_spaces(tmp_path, space):
    episodes, _ = record(tmp_path, ClockEnv((5,), action_space=space), 5)
    assert episodes[0].actions.dtype == np.int64
    sums = episodes[0].actions.reshape(5, -1).sum(axis=1)
    np.testing.assert_array_equal(episodes[0].observations[1:, 0, 1, 0], sums)
    assert all(
        space.contains(space.dtype.type(a) if a.ndim == 0 else a.astype(space.dtype)) for a in episodes[0].actions
    )


def test_an_agent_that_observes_is_told_what_came_of_its_actions(tmp_path):
    env, told = ClockEnv((3,)), []

    def observe(observation, action, reward, terminated, truncated):
        told.append((int(observation[0, 0, 0]), int(observation[0, 1, 0]), action, reward, terminated))

    agent = SimpleNamespace(reset=lambda seed=None: None, act=lambda frame: 4, observe=observe)
    with EpisodeWriter(tmp_path, clock_card(env)) as writer:
        collect(env, agent, 3, writer, seed=0)
    assert told == [(1, 4, 4, 4.0, False), (2, 4, 4, 104.0, False), (3, 4, 4, 204.0, True)]


def test_a_frame_buffer_that_the_environment_reuses_is_copied(tmp_path):
    class Reusing(ClockEnv):
        buffer = np.zeros((2, 4, 1), np.uint8)

        def _frame(self, last_action):
            self.buffer[:] = super()._frame(last_action)
            return self.buffer

    episodes, _ = record(tmp_path, Reusing((5,)), 5)
    assert episodes[0].observations[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]


class Faulty(ClockEnv):
    """Does something unforeseen at the eighth step, the second of the second episode."""

    def __init__(self, fault) -> None:
        super().__init__((6,))
        self.fault = fault

    def step(self, action):
        frame, *rest = super().step(action)
        return (self.fault(frame) if len(self.seeds) == 2 and self.time == 2 else frame), *rest


def interrupt(_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (interrupt, KeyboardInterrupt, None),
        (lambda frame: frame[:1], UserError, r"frame uint8 \(1, 4, 1\)"),
        (lambda frame: frame.astype(np.float32), UserError, "frame float32"),
    ],
)
def test_whatever_happens_the_steps_before_are_kept(tmp_path, fault, error, message):
    with pytest.raises(error, match=message):
        record(tmp_path, Faulty(fault), 100)
    episodes = Episodes.open(tmp_path)
    assert [len(episode) for episode in episodes] == [6, 1]
    for episode in episodes:
        assert_aligned(episode.observations, episode.actions, episode.rewards, episode.terminated, 0, 6)


@pytest.mark.parametrize(("steps", "seed", "message"), [(0, 0, "at least 1"), (5, -1, "negative")])
def test_numbers_out_of_range_are_refused(tmp_path, steps, seed, message):
    with pytest.raises(UserError, match=message):
        record(tmp_path, ClockEnv(), steps, seed=seed)


@pytest.mark.parametrize("reward", [float("nan"), float("inf"), None, "much", [1.0, 2.0]])
def test_a_reward_that_is_no_number_is_named(tmp_path, reward):
    class Odd(ClockEnv):
        def step(self, action):
            frame, _, *rest = super().step(action)
            return frame, reward if self.time == 3 else np.float64(1), *rest

    with pytest.raises(UserError, match=r"gave the reward .* at step 3 of an episode; mend its step\(\)"):
        record(tmp_path, Odd((6,)), 5)
    assert [len(episode) for episode in Episodes.open(tmp_path)] == [2]


def test_an_episode_of_no_steps_is_never_stored(tmp_path):
    def broken(_):
        raise RuntimeError("broken")

    env = ClockEnv((6,))
    agent = SimpleNamespace(reset=lambda seed=None: None, act=broken)
    with pytest.raises(RuntimeError, match="broken"), EpisodeWriter(tmp_path, clock_card(env)) as writer:
        collect(env, agent, 5, writer, seed=0)
    assert list(tmp_path.iterdir()) == []


def test_the_command_records_what_it_says(tmp_path, capsys):
    answer = Collect(env="Dreamplay/Catch-v0", steps=500, out=tmp_path / "data", agent="sticky", seed=3).run()
    episodes = Episodes.open(tmp_path / "data")
    finished = [e.rewards.sum() for e in episodes if e.terminated[-1] or e.truncated[-1]]
    assert answer == {
        "env": "Dreamplay/Catch-v0",
        "steps": 500,
        "episodes": len(episodes),
        "mean_return": pytest.approx(np.mean(finished)),
        "steps_per_second": pytest.approx(answer["steps_per_second"]),
        "bytes": sum(path.stat().st_size for path in (tmp_path / "data").rglob("*") if path.is_file()),
        "folder": str(tmp_path / "data"),
    }
    assert episodes.steps == 500
    printed = capsys.readouterr()
    assert f"in {tmp_path / 'data'}; " in printed.out.splitlines()[0]
    assert printed.out.splitlines()[0].endswith("free")
    assert f"next: dreamplay train --data {tmp_path / 'data'}" in printed.out
    assert "500/500 steps" in printed.err


def test_stored_frames_are_those_of_the_environment_prepared_from_the_folder(tmp_path):
    Collect(env="Dreamplay/Rally-v0", steps=40, out=tmp_path / "data", seed=3).run()
    env = dreamplay.envs.real.make_env(tmp_path / "data")
    for number, episode in enumerate(Episodes.open(tmp_path / "data")):
        observation, _ = env.reset(seed=None if number else 3)
        np.testing.assert_array_equal(observation, episode.observations[0])
        for t, action in enumerate(episode.actions):
            observation, reward, terminated, *_ = env.step(int(action))
            np.testing.assert_array_equal(observation, episode.observations[t + 1])
            assert (reward, terminated) == (episode.rewards[t], episode.terminated[t])


def test_the_command_refuses_a_used_folder_and_numbers_out_of_range(tmp_path, capsys):
    (tmp_path / "kept").write_text("mine")
    cases = {"not empty": ["--steps", "5"], "at least 1": ["--steps", "0"], "negative": ["--seed", "-1"]}
    for message, words in cases.items():
        assert main(["collect", "Dreamplay/Catch-v0", "--out", str(tmp_path), *words]) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_the_command_refuses_what_the_disk_cannot_hold(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(UserError, match="needs 315 kB and has 1 kB free"):
        Collect(env="Dreamplay/Catch-v0", steps=1000, out=tmp_path / "data").run()


def test_the_command_keeps_what_was_collected_before_ctrl_c(tmp_path, monkeypatch, capsys):
    env = Faulty(interrupt)
    monkeypatch.setattr(dreamplay.envs.real, "make_env", lambda name, **options: env)
    monkeypatch.setattr(dreamplay.envs.real, "card_of", clock_card)
    with pytest.raises(SystemExit) as stop:
        Collect(env="Clock-v0", steps=100, out=tmp_path / "data").run()
    assert stop.value.code == 130
    assert Episodes.open(tmp_path / "data").steps == 7
    assert "7 steps in 2 episodes are kept" in capsys.readouterr().out


def test_an_episode_longer_than_the_writers_buffer_is_stored(tmp_path, monkeypatch):
    monkeypatch.setattr("dreamplay.episodes.SHARD_BYTES", 100)
    episodes, _ = record(tmp_path, ClockEnv((50,)), 120)
    assert [len(episode) for episode in episodes] == [50, 50, 20]
    assert len(list(tmp_path.glob("shard-*"))) == 3
