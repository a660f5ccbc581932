"""Training goes on exactly where it stopped, and saves nothing that is not good."""

import errno
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

from dreamplay.agents.random_agent import RandomAgent
from dreamplay.checkpoint import optimiser_tensors, read_manifest
from dreamplay.collect import collect
from dreamplay.episodes import Episode, Episodes, EpisodeWriter
from dreamplay.errors import UserError
from dreamplay.interruption import deferred_interrupt
from dreamplay.selection import choose_contexts, sample_frames
from dreamplay.simulator import load
from dreamplay.starting import learn_from, resume_training, start_training
from dreamplay.training import LOG, TrainConfig, train
from toys import ClockEnv, clock_card

CONFIG = TrainConfig(updates=12, batch_steps=32)


def begin(bricks: Episodes, **changes):
    return start_training(replace(CONFIG, **changes), bricks, str(bricks.folder), "cpu")


def go(training, bricks: Episodes, run: Path, on_update=lambda report: None):
    run.mkdir(exist_ok=True)
    train(training, bricks.split()[0], run, on_update)
    return training


def stop_at(updates: int):
    def on_update(report):
        if report.updates == updates:
            raise KeyboardInterrupt

    return on_update


def log(run: Path) -> list[dict]:
    lines = [json.loads(line) for line in (run / LOG).read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "minutes"} for line in lines]


def assert_equal(one, other):
    for a, b in (
        (one.network.state_dict(), other.network.state_dict()),
        *[map(optimiser_tensors, optimisers(one, other))],
    ):
        assert a.keys() == b.keys()
        assert [name for name in a if not torch.equal(a[name], b[name])] == []
    assert one.rng.bit_generator.state == other.rng.bit_generator.state
    assert torch.equal(one.noise, other.noise)
    assert (one.carried is None) == (other.carried is None)
    assert (one.config, one.updates, one.mean_reward) == (other.config, other.updates, other.mean_reward)
    assert one.finished == other.finished
    assert all(np.array_equal(one.contexts[name], other.contexts[name]) for name in ("observations", "actions"))


def optimisers(*trainings):
    return [training.optimiser for training in trainings]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"simulator": "classic", "curriculum": "pdt-33"},
        {"curriculum": "scheduled-sampling"},
        {"curriculum": "carried"},
        {"curriculum": "bptt-15-5"},
        {"simulator": "classic", "curriculum": "bptt-15-5"},
        {"checkpoint_gradients": True, "curriculum": "carried"},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())) or "default",
)
def test_interrupted_and_resumed_equals_straight_through(changes, bricks, tmp_path):
    whole = go(begin(bricks, **changes), bricks, tmp_path / "whole")
    halved = begin(bricks, **changes)
    carries = changes.get("curriculum") in ("carried", "bptt-15-5")

    def stop(report):
        if report.updates >= 6 and carries == (halved.carried is not None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(halved, bricks, tmp_path / "halved", stop)
    manifest = read_manifest(tmp_path / "halved")
    assert 6 <= manifest["training"]["done_updates"] < 12
    assert carries == (manifest["carried"] is not None), "interrupted between windows that share a state"
    resumed = go(resume_training(tmp_path / "halved", {}, "cpu"), bricks, tmp_path / "halved")
    assert_equal(whole, resumed)
    assert log(tmp_path / "whole") == log(tmp_path / "halved") and len(log(tmp_path / "whole")) == 2
    loaded = load(tmp_path / "halved", "cpu").network.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in whole.network.state_dict().items())


def test_a_killed_run_logs_again_what_it_had_not_saved(bricks, tmp_path):
    whole = go(begin(bricks, updates=32), bricks, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        go(begin(bricks, updates=32), bricks, tmp_path / "killed", stop_at(12))
    with (tmp_path / "killed" / LOG).open("a") as file:
        file.write('{"updates": 21, "loss": 1.0}\n{"updates": 31, "lo')
    resumed = go(resume_training(tmp_path / "killed", {}, "cpu"), bricks, tmp_path / "killed")
    assert_equal(whole, resumed)
    assert [line["updates"] for line in log(tmp_path / "killed")] == [1, 11, 21, 31]
    assert log(tmp_path / "whole") == log(tmp_path / "killed")


def test_a_state_lives_through_its_windows_and_no_longer(tmp_path, monkeypatch):
    from dreamplay import update as module

    episodes = clock_episodes(tmp_path / "data", ClockEnv((60, 32)), 700)
    seen, objective = [], module.objective

    def watched(network, targets, stage, start, **options):
        losses = objective(network, targets, stage, start, **options)
        seen.append((targets, stage, start, losses.end))
        return losses

    monkeypatch.setattr(module, "objective", watched)
    settings = {"curriculum": "bptt-15-2", "updates": 6, "batch_steps": 100}
    training = start_training(replace(CONFIG, **settings), Episodes.open(tmp_path / "data"), "data", "cpu")
    (tmp_path / "run").mkdir()
    train(training, episodes, tmp_path / "run", lambda report: None)
    assert [(len(stage.real), stage.warm_up) for _, stage, _, _ in seen] == [(25, 10), (15, 0)] * 3
    for (before, _, start, end), (targets, _, carried, _) in zip(seen[::2], seen[1::2], strict=True):
        assert start is None
        assert {name: value.tolist() for name, value in carried.items()} == {n: v.tolist() for n, v in end.items()}
        assert not any(value.requires_grad for value in carried.values())
        assert torch.equal(before.frames[:, -1], targets.frames[:, 0])
        assert before.weights[:, 10:].all() and targets.weights.any()  # some episodes end within the second window


def test_windows_whose_episodes_have_all_ended_are_left(tmp_path):
    """Episodes of 80 steps end in the second window of 64: a third one would hold nothing."""
    episodes = clock_episodes(tmp_path / "data", ClockEnv((80,)), 800)
    config = replace(CONFIG, curriculum="carried", updates=10)
    training = start_training(config, Episodes.open(tmp_path / "data"), "data", "cpu")
    (tmp_path / "run").mkdir()
    carried = []
    train(training, episodes, tmp_path / "run", lambda report: carried.append(training.carried is not None))
    assert carried[:5] == [True, False] * 2 + [True]  # the half in teacher forcing


def test_minutes_are_those_of_the_clock(bricks, tmp_path):
    half_minutes = iter(range(0, 10_000, 30))
    training = begin(bricks, updates=None, minutes=2.0)
    (tmp_path / "run").mkdir()
    train(training, bricks.split()[0], tmp_path / "run", lambda report: None, clock=lambda: next(half_minutes))
    assert (training.updates, training.minutes) == (4, 2.0)


def test_a_run_of_a_version_that_carried_no_states_goes_on(run, bricks, monkeypatch):
    older = read_manifest(run)
    del older["carried"], older["training"]["checkpoint_gradients"], older["training"]["finished"]
    monkeypatch.setattr("dreamplay.starting.read_manifest", lambda folder: older)
    assert go(resume_training(run, {"updates": 5}, "cpu"), bricks, run).updates == 5


@pytest.mark.parametrize("simulator", ["default", "classic"])
def test_the_seed_decides_everything_and_the_callers_generator_nothing(simulator, bricks, tmp_path):
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    one = go(begin(bricks, updates=3, simulator=simulator), bricks, tmp_path / "one")
    assert torch.equal(torch.rand(1), expected)
    torch.manual_seed(2)
    assert_equal(one, go(begin(bricks, updates=3, simulator=simulator), bricks, tmp_path / "two"))
    other = go(begin(bricks, updates=3, simulator=simulator, seed=1), bricks, tmp_path / "other")
    assert not torch.equal(one.network.heads.weight, other.network.heads.weight)


def test_a_finished_run_goes_on_when_it_gets_more(run, bricks):
    finished = go(resume_training(run, {}, "cpu"), bricks, run)
    assert finished.updates == 4
    longer = go(resume_training(run, {"updates": 7}, "cpu"), bricks, run)
    assert longer.updates == 7 and longer.config.minutes is None
    by_time = resume_training(run, {"minutes": 1e9}, "cpu")
    assert (by_time.config.updates, by_time.config.minutes) == (None, 1e9)
    assert by_time.progress == 0.5


def test_what_comes_after_the_end_is_learned_by_half_a_curriculum_of_its_own(bricks, tmp_path):
    whole = go(begin(bricks, updates=8), bricks, tmp_path / "run")
    assert whole.progress == 1 and resume_training(tmp_path / "run", {}, "cpu").progress == 1
    with pytest.raises(KeyboardInterrupt):
        go(resume_training(tmp_path / "run", {"updates": 12}, "cpu"), bricks, tmp_path / "run", stop_at(10))
    seen = []
    go(resume_training(tmp_path / "run", {}, "cpu"), bricks, tmp_path / "run", seen.append)
    assert [report.progress for report in seen] == [0.75, 0.875], "stopped halfway, it goes on from there"
    with pytest.raises(KeyboardInterrupt):
        go(begin(bricks, updates=8), bricks, tmp_path / "stopped", stop_at(6))
    assert resume_training(tmp_path / "stopped", {"updates": 12}, "cpu").progress == 0.5, "it was never at its end"


def test_a_run_that_goes_on_dreams_from_data_that_came_later(tmp_path):
    clock_episodes(tmp_path / "data", ClockEnv((20,)), 100)
    before = Episodes.open(tmp_path / "data")
    begun = start_training(replace(CONFIG, updates=1), before, "data", "cpu")
    go(begun, before, tmp_path / "run")
    again = resume_training(tmp_path / "run", {"updates": 2}, "cpu")
    assert learn_from(again, before).tolist() == []
    assert all(np.array_equal(begun.contexts[name], again.contexts[name]) for name in begun.contexts)
    assert again.mean_reward == begun.mean_reward

    clock_episodes(tmp_path / "more", ClockEnv((40,)), 400)
    added = Episodes.open(tmp_path / "more")
    grown = Episodes(before.folder, before.card, [*before, *added])
    unknown = learn_from(again, grown)
    assert unknown.min() > 0 and unknown.max() > 2000
    go(again, grown, tmp_path / "run")
    dreamer = load(tmp_path / "run", "cpu")
    assert max(context.observations[-1, 0, 0, 0] for context in dreamer.contexts) > 20, "the time of longer episodes"
    rewards = np.concatenate([episode.rewards for episode in grown.split()[0]])
    assert dreamer.mean_reward == pytest.approx(rewards.mean())


def test_what_is_stored_wins_over_what_is_not_given(bricks, tmp_path):
    run = tmp_path / "run"
    stored = begin(bricks, simulator="classic", curriculum="oh", batch_steps=16, learning_rate=1e-4, seed=5, updates=2)
    go(stored, bricks, run)
    assert resume_training(run, {}, "cpu").config == stored.config
    changed = resume_training(run, {"learning_rate": 1e-6, "updates": 9}, "cpu")
    assert changed.config == replace(stored.config, learning_rate=1e-6, updates=9)
    assert changed.optimiser.param_groups[0]["initial_lr"] == 1e-6
    with pytest.raises(UserError, match="trains the classic simulator"):
        resume_training(run, {"simulator": "default"}, "cpu")


@pytest.fixture
def terminal() -> Iterator[None]:
    """Ctrl-C works as in a terminal: a shell starts what runs in the background with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="needs signals")
def test_ctrl_c_waits_for_the_update_in_hand(bricks, tmp_path, monkeypatch, terminal):
    """Interrupted in the middle of update 3, the run saves three whole updates: the windows drawn are not lost."""
    from dreamplay import update as module

    whole = go(begin(bricks), bricks, tmp_path / "whole")
    calls, objective = 0, module.objective

    def interrupted(*arguments, **options):
        nonlocal calls
        calls += 1
        if calls == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return objective(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, "objective", interrupted)
        with pytest.raises(KeyboardInterrupt):
            go(begin(bricks), bricks, tmp_path / "run")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    resumed = resume_training(tmp_path / "run", {}, "cpu")
    assert resumed.updates == 3
    assert_equal(whole, go(resumed, bricks, tmp_path / "run"))


def test_a_second_ctrl_c_does_not_wait(terminal):
    with pytest.raises(KeyboardInterrupt), deferred_interrupt() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the second one should have been raised")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("poison", ["loss", "gradient"])
def test_a_diverged_update_is_not_made_and_not_saved(poison, run, bricks, monkeypatch):
    from dreamplay import update as module

    before = read_manifest(run)
    objective = module.objective

    def poisoned(network, targets, *rest, **options):
        losses = objective(network, targets, *rest, **options)
        factor = float("nan") if poison == "loss" else float("inf")
        return replace(losses, total=losses.total * factor)

    monkeypatch.setattr(module, "objective", poisoned)
    training = resume_training(run, {"updates": 8}, "cpu")
    with pytest.raises(UserError, match=r"diverged.*not finite at update 4.*--resume and a lower --learning-rate"):
        go(training, bricks, run)
    assert all(bool(weight.isfinite().all()) for weight in training.network.state_dict().values())
    assert read_manifest(run) == before
    load(run, "cpu")


def test_weights_that_are_not_finite_are_not_saved(run, bricks):
    before = read_manifest(run)
    training = resume_training(run, {"updates": 5}, "cpu")

    def on_update(report):  # an update whose loss was finite can still end in weights that are not
        with torch.no_grad():
            training.network.heads.bias[0] = float("inf")

    with pytest.raises(UserError, match="diverged"):
        go(training, bricks, run, on_update)
    assert read_manifest(run) == before
    load(run, "cpu")


def test_a_full_disk_leaves_the_last_checkpoint(run, bricks, monkeypatch):
    before, there = read_manifest(run), sorted(run.iterdir())
    training = resume_training(run, {"updates": 6}, "cpu")

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("dreamplay.checkpoint.write_whole", full)
    with pytest.raises(OSError, match="No space left"):
        go(training, bricks, run)
    assert read_manifest(run) == before and sorted(run.iterdir()) == there


def test_there_is_a_checkpoint_before_the_first_update(bricks, tmp_path):
    seen = []
    go(begin(bricks, updates=1), bricks, tmp_path / "run", lambda report: seen.append(load(tmp_path / "run", "cpu")))
    assert len(seen) == 1


def test_numbers_that_are_not_finite_are_found_in_the_data(tmp_path):
    env = ClockEnv((6,), action_space=gym.spaces.Box(-np.inf, np.inf, (2,), np.float32))
    clock_episodes(tmp_path / "data", env, 60)
    good = Episodes.open(tmp_path / "data")
    for name in ("rewards", "actions"):
        array = np.array(getattr(good[0], name))
        array.flat[1] = np.nan
        bad = Episodes(good.folder, good.card, [replace(good[0], **{name: array}), *good[1:]])
        with pytest.raises(UserError, match=f"{name} that are not finite"):
            start_training(CONFIG, bad, "data", "cpu")


def test_sampled_frames_include_the_last_of_an_episode(tmp_path):
    """Colours that only the end of an episode shows have to be in the palette."""
    episodes = clock_episodes(tmp_path, ClockEnv((3,)), 30)
    frames = sample_frames(episodes, np.random.default_rng(0))
    assert len(frames) == sum(len(episode.observations) for episode in episodes)
    assert np.array_equal(np.unique(frames[:, 0, 0, 0]), [0, 1, 2, 3])
    assert len(sample_frames(episodes * 100, np.random.default_rng(0))) == 2000


@pytest.mark.parametrize(("length", "expected"), [(40, 10), (4, 4), (1, 1)])
def test_contexts_are_real_slices(length, expected, tmp_path):
    contexts = choose_contexts(clock_episodes(tmp_path, ClockEnv((length,)), 80), np.random.default_rng(0))
    observations, actions = contexts["observations"], contexts["actions"]
    assert observations.shape == (32, expected, 2, 4, 1) and actions.shape == (32, expected - 1)
    clock, last_action, number = (observations[:, :, 0, i, 0].astype(int) for i in range(3))
    assert (np.diff(clock, axis=1) == 1).all() and (np.diff(number, axis=1) == 0).all()
    assert (last_action[:, 1:] == actions).all()
    assert clock.max() < length, "never the end of an episode: there would be nothing to dream"


def clock_episodes(folder: Path, env: ClockEnv, steps: int) -> list[Episode]:
    with EpisodeWriter(folder, clock_card(env)) as writer:
        collect(env, RandomAgent(env.action_space), steps, writer, seed=0)
    return list(Episodes.open(folder))
