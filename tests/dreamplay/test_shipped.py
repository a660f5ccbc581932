"""Shipped dreams: found by name, listed, dreamed of without the real environment, never written to."""

import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import dreamplay
from dreamplay import checkpoint, cli, shipped
from dreamplay.checkpoint import MANIFEST, read_contexts, read_manifest, read_tensors, save_checkpoint
from dreamplay.commands.models import Models
from dreamplay.envs.bricks import BALL, PADDLE, PADDLE_WIDTH, Bricks
from dreamplay.errors import UserError
from dreamplay.json_files import write_json

TREE = shipped.MODELS


def strip(run: Path, folder: Path, env_id: str) -> None:
    """What `scripts/pretrain.py` leaves of a run, of an environment of another name."""
    manifest = read_manifest(run)
    weights, contexts = read_tensors(run, manifest, "weights"), read_contexts(run, manifest)
    folder.mkdir(parents=True)
    env = manifest["env"] | {"id": env_id}
    save_checkpoint(folder, manifest | {"env": env, "data": None}, weights, contexts, None)


@pytest.fixture
def tiny(run, tmp_path, monkeypatch):
    """A shipped dream "tiny" of an Atari game, in a working directory of its own, and no package to make that game."""
    models = tmp_path / "site" / "models"
    strip(run, models / "tiny", "ALE/Pong-v5")
    curve = {"20": {"recall": 0.91, "precision": 0.87}}
    (models / "tiny" / "evaluation").mkdir()
    write_json(models / "tiny" / "evaluation" / "horizon.json", {"horizons": curve, "baselines": {"last frame": {}}})
    write_json(models / "tiny" / "origin.json", {"summary": "a little play"})
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(shipped, "MODELS", models)
    monkeypatch.setitem(sys.modules, "ale_py", None)
    return models / "tiny"


def files(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_name_is_a_shipped_dream_unless_something_here_has_it(tiny):
    assert shipped.find_run("tiny") == shipped.find_run(Path("tiny")) == tiny
    assert shipped.find_run("tinny") == Path("tinny")
    assert shipped.find_run("runs/tiny") == Path("runs/tiny")
    Path("tiny").mkdir()
    assert shipped.find_run("tiny") == Path("tiny")


def test_what_is_made_of_a_shipped_dream_lies_here_and_of_a_run_in_it(tiny, run):
    assert shipped.own_folder(tiny, "play") == Path("play/tiny")
    assert shipped.own_folder(run, "play") == run / "play"
    assert (shipped.shipped_name(tiny), shipped.shipped_name(run)) == ("tiny", None)


def test_a_name_dreams_wherever_a_run_does(tiny):
    assert dreamplay.load("tiny").card.id == "ALE/Pong-v5"
    env = gym.make("Dreamplay/Dream-v0", checkpoint="tiny")
    first, _ = env.reset(seed=0)
    again, _ = gym.make("Dreamplay/Dream-v0", checkpoint=str(tiny)).reset(seed=0)
    np.testing.assert_array_equal(first, again)
    envs = gym.make_vec("Dreamplay/Dream-v0", num_envs=2, checkpoint="tiny")
    assert envs.reset(seed=0)[0].shape == (2, *first.shape)


def test_play_records_without_the_real_game_and_leaves_the_dream_as_it_was(tiny, capsys):
    before = files(tiny)
    assert cli.main(["play", "tiny", "--record", "tiny.mp4", "--steps", "3"]) == 0
    assert Path("tiny.mp4").stat().st_size > 0
    assert "needs ale_py" in capsys.readouterr().out
    assert files(tiny) == before


def test_act_in_the_dream_needs_no_real_game_and_in_reality_says_so(tiny, capsys):
    assert cli.main(["act", "tiny", "--in", "dream", "--episodes", "1", "--max-steps", "3"]) == 0
    capsys.readouterr()
    assert cli.main(["act", "tiny", "--episodes", "1"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "ALE/Pong-v5 needs ale_py" in said


def test_evaluate_asks_for_data_in_one_line(tiny, capsys):
    assert cli.main(["evaluate", "tiny"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "tiny is shipped without its data; collect some (dreamplay collect tiny --out data/tiny)" in said


def test_evaluate_with_data_writes_here(tiny, bricks):
    before = files(tiny)
    words = ["evaluate", "tiny", "--held-out", str(bricks.folder), "--windows", "2", "--horizon", "2"]
    assert cli.main(words) == 0
    judged = json.loads(Path("evaluation/tiny/horizon.json").read_text())
    assert judged["data"]["held_out_episodes"] == len(bricks)  # all of them, not a tenth
    assert files(tiny) == before


def test_bench_measures_the_dream_alone(tiny, capsys):
    words = ["bench", "tiny", "--batches", "1", "--backends", "torch", "--rounds", "1", "--seconds", "0.01"]
    assert cli.main([*words, "--json", "bench.json"]) == 0
    measured = json.loads(Path("bench.json").read_text())
    assert measured["dream"]
    assert measured["real"] == {}
    assert "needs ale_py" in capsys.readouterr().err


def test_a_policy_learned_in_it_is_kept_here(tiny, bricks, capsys):
    before = files(tiny)
    assert cli.main(["learn", "tiny", "--steps", "64", "--data", str(bricks.folder)]) == 0
    assert Path("policies/tiny.safetensors").is_file()
    words = ["act", "tiny", "--in", "dream", "--agent", "policy", "--episodes", "1", "--max-steps", "3"]
    assert cli.main(words) == 0
    assert files(tiny) == before


def test_check_takes_a_name(tiny, capsys):
    assert cli.main(["check", "tiny"]) == 0
    assert "a dream of ALE/Pong-v5" in capsys.readouterr().out


def test_a_name_nobody_has_suggests_one(tiny):
    with pytest.raises(UserError, match=r"tinny is not a run folder.*did you mean the shipped dream tiny\?"):
        dreamplay.load("tinny")
    with pytest.raises(UserError, match=r"or take a shipped dream: tiny"):
        dreamplay.load("elsewhere")


def test_a_shipped_dream_cannot_be_trained_on(tiny):
    from dreamplay.starting import resume_training

    with pytest.raises(UserError, match="stripped of its training state"):
        resume_training(tiny, {}, "cpu")


def test_the_list_tells_what_is_known(tiny, capsys):
    (model,) = Models().run()["models"]
    assert (model["name"], model["env"], model["frame"]) == ("tiny", "ALE/Pong-v5", [10, 10, 3])
    assert model["bytes"] == sum(len(content) for content in files(tiny).values())
    said = capsys.readouterr().out
    for word in ("tiny", "ALE/Pong-v5", "10 x 10", "0.91 / 0.87", "not measured", "a little play"):
        assert word in said


def test_a_damaged_one_is_named(tiny):
    (tiny / MANIFEST).write_text("{")
    with pytest.raises(UserError, match="the shipped dream tiny is damaged"):
        Models().run()


def test_a_saved_checkpoint_has_no_training_state_if_it_was_left_out(tiny):
    assert not list(tiny.glob("training-*"))
    assert checkpoint.read_tensors(tiny, read_manifest(tiny), "weights")


@pytest.mark.parametrize("name", sorted(folder.name for folder in TREE.glob("*") if folder.is_dir()))
def test_what_is_shipped_is_small_whole_and_says_where_it_comes_from(name):
    folder = TREE / name
    told = shipped.describe(name)
    assert told["bytes"] <= 8e6
    assert not list(folder.glob("training-*"))
    assert told["horizons"]["20"]["recall"] is not None
    assert told["origin"]["licence"]
    assert told["origin"]["data"]
    assert "## Licence" in (folder / "README.md").read_text()
    for file in folder.rglob("*"):
        if file.suffix in (".json", ".md"):
            assert not any(place in file.read_text() for place in ("/work", "/home", "/tmp", "/root", "C:\\"))
    simulator = dreamplay.load(name)
    simulator.card.action_space.seed(0)
    context = simulator.contexts[0]
    future = np.array([[simulator.card.action_space.sample() for _ in range(5)]])
    dreamed = simulator.rollout(context.observations[None], context.actions[None], future)
    assert dreamed.observations.shape == (1, 5, *told["frame"])


def test_ten_thousand_steps_of_the_shipped_bricks_are_bricks():
    env = gym.make("Dreamplay/Dream-v0", checkpoint="bricks", horizon=20_000)
    env.action_space.seed(0)
    env.reset(seed=0)
    balls, paddles, games = [], [], 0
    for _ in range(10_000):
        frame, _, terminated, _, _ = env.step(env.action_space.sample())
        balls.append((frame == Bricks.colors[BALL]).all(-1).sum())
        paddles.append((frame == Bricks.colors[PADDLE]).all(-1).sum())
        if terminated:
            env.reset()
            games += 1
    assert set(paddles) == {PADDLE_WIDTH}
    assert np.mean(np.array(balls) == 1) > 0.999
    assert games > 100


def test_a_dream_that_nobody_ends_neither_blurs_nor_fills_up():
    simulator = dreamplay.load("bricks")
    context = simulator.contexts[0]
    state = simulator.start(np.repeat(context.observations[None], 4, 0), np.repeat(context.actions[None], 4, 0))
    draw = np.random.default_rng(0).integers(3, size=10_000)
    for t in range(10_000):  # long over: what comes then was never seen
        state, step = simulator.step(state, np.array([0, 1, 2, draw[t]]))
        if t > 9_900:
            assert ((step.observations == Bricks.colors[PADDLE]).all(-1).sum((1, 2)) == PADDLE_WIDTH).all()
            assert ((step.observations == 0).all(-1).sum((1, 2)) > 50).all()


def test_the_backends_dream_the_same_pong():
    pytest.importorskip("onnxruntime")
    dreams = []
    for backend in ("torch", "onnx"):
        simulator = dreamplay.load("pong", backend=backend)
        observations = np.stack([context.observations[-5:] for context in simulator.contexts])
        actions = np.stack([context.actions[-4:] for context in simulator.contexts])
        future = np.random.default_rng(0).integers(6, size=(len(actions), 60))
        dreams.append(simulator.rollout(observations, actions, future).observations)
    assert np.array_equal(*dreams)
