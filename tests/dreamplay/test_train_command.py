"""`dreamplay train`: from a folder of episodes to a run, on again where it stopped, and what it refuses."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dreamplay import cli
from dreamplay.checkpoint import MANIFEST, read_manifest
from dreamplay.commands.collect import Collect
from dreamplay.commands.evaluate import Evaluate
from dreamplay.commands.train import Train
from dreamplay.simulator import load


@pytest.fixture
def here(bricks, tmp_path, monkeypatch) -> Path:
    """A folder to work in, with the data where `dreamplay collect` puts them."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bricks.folder, tmp_path / "data" / "Dreamplay-Bricks-v0")
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    return tmp_path


SMALL = Train(env="Dreamplay/Bricks-v0", updates=3, batch_steps=32, device="cpu")
RUN = Path("runs/Dreamplay-Bricks-v0")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def main(*words: str) -> int:
    return cli.main(["train", *words])


def the_line(capsys) -> str:
    error = capsys.readouterr().err
    assert error.startswith("dreamplay: ") and error.count("\n") == 1
    return error


def test_it_trains_where_it_says_and_says_what_it_did(here, capsys):
    answer = SMALL.run()
    assert answer == {
        "run": str(RUN),
        "env": "Dreamplay/Bricks-v0",
        "data": "data/Dreamplay-Bricks-v0",
        "updates": 3,
        "minutes": pytest.approx(answer["minutes"]),
        "frames_per_second": pytest.approx(answer["frames_per_second"]),
        "loss": pytest.approx(answer["loss"]),
        "parameters": sum(p.numel() for p in load(RUN, "cpu").network.parameters()),
    }
    assert answer["loss"] > 0 and answer["minutes"] > 0 and answer["frames_per_second"] > 0
    printed = capsys.readouterr()
    assert printed.out.startswith("training on cpu with 1 thread(s): default simulator")
    assert "600 steps" in printed.out and f"next: dreamplay evaluate {RUN}" in printed.out
    assert "3/3 updates" in printed.err and "loss " in printed.err
    assert "real + " in printed.err and "frames/s" in printed.err


def test_the_tree_can_be_moved(here):
    SMALL.run()
    assert str(here) not in (RUN / MANIFEST).read_text()
    moved = here / "elsewhere"
    moved.mkdir()
    (here / "data").rename(moved / "data")
    (here / "runs").rename(moved / "runs")
    run = moved / RUN
    assert Evaluate(run, windows=2, horizon=1).run()["windows"] == 2
    assert Train(out=run, resume=True, updates=4, device="cpu").run()["updates"] == 4


def test_resuming_equals_going_straight_through_and_keeps_the_settings(here, monkeypatch, capsys):
    from dreamplay import training as module

    options = {"simulator": "classic", "curriculum": "pdt-33", "learning_rate": 1e-4, "seed": 3, "updates": 6}
    whole, halved = (replace(SMALL, out=Path(name), **options) for name in ("whole", "halved"))
    whole.run()
    train = module.train

    def interrupted(training, episodes, run, on_update, **options):
        def stop(report):
            on_update(report)
            if report.updates == 2:
                raise KeyboardInterrupt

        train(training, episodes, run, stop, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            halved.run()
    assert "saved after 2 updates; to go on: dreamplay train --out halved --resume" in capsys.readouterr().out
    assert main("--out", "halved", "--resume", "--device", "cpu") == 0
    one, other = read_manifest(Path("whole")), read_manifest(Path("halved"))
    weights = [[name for name in manifest["files"] if name.startswith("weights-")] for manifest in (one, other)]
    assert weights[0] == weights[1], "the name is the checksum"
    for manifest in (one, other):
        del manifest["training"]["done_minutes"]
    assert one["training"] == other["training"]
    assert one["random"] == other["random"]


def test_a_finished_run_goes_on_only_when_it_gets_more(here, capsys):
    SMALL.run()
    idle = replace(SMALL, updates=None, batch_steps=None, resume=True).run()
    assert (idle["updates"], idle["loss"], idle["frames_per_second"]) == (3, None, None)
    assert "trained to its end" in capsys.readouterr().out
    assert Train(data=Path("data/Dreamplay-Bricks-v0"), updates=5, resume=True, device="cpu").run()["updates"] == 5
    assert read_manifest(RUN)["training"]["batch_steps"] == 32
    longer = Train(env="Dreamplay/Bricks-v0", minutes=1e-9, resume=True, device="cpu").run()
    assert longer["updates"] == 5, "by time it is over already"


def test_gradient_checkpointing_is_asked_for_once(here):
    assert main("Dreamplay/Bricks-v0", "--updates", "2", "--checkpoint-gradients", "--device", "cpu") == 0
    assert main("Dreamplay/Bricks-v0", "--updates", "3", "--resume", "--device", "cpu") == 0
    assert read_manifest(RUN)["training"]["checkpoint_gradients"] is True
    assert read_manifest(RUN)["training"]["done_updates"] == 3


def test_resume_without_a_run_starts_one(here):
    assert replace(SMALL, resume=True).run()["updates"] == 3


def test_an_environment_without_data_is_collected_first(here, monkeypatch):
    monkeypatch.setattr("dreamplay.commands.train.COLLECT_STEPS", 200)
    assert replace(SMALL, env="Dreamplay/Catch-v0").run()["env"] == "Dreamplay/Catch-v0"
    assert json.loads(Path("data/Dreamplay-Catch-v0/data.json").read_text())["steps"] == 200


def test_a_used_folder_is_refused_before_anything_is_done(here, monkeypatch, capsys):
    def never(*_):
        raise AssertionError("collected for a run that cannot be")

    monkeypatch.setattr("dreamplay.commands.collect.Collect.run", never)
    SMALL.run()
    for folder in ("runs/Dreamplay-Catch-v0", "mine"):
        Path(folder).mkdir(parents=True)
        (Path(folder) / "notes.txt").write_text("mine")
    before = contents(here)
    capsys.readouterr()
    for words, message in (
        (["Dreamplay/Bricks-v0"], "holds a run; continue it with --resume"),
        (["Dreamplay/Catch-v0"], "not empty"),
        (["Dreamplay/Catch-v0", "--out", "mine"], "not empty"),
        (["Dreamplay/Catch-v0", "--out", "mine", "--resume"], "not empty"),
        (["Dreamplay/Catch-v0", "--out", "mine/notes.txt"], "a file is in its way"),
        (["Dreamplay/Catch-v0", "--out", str(RUN)], "holds a run"),
    ):
        assert main(*words, "--device", "cpu") == 2
        assert message in the_line(capsys)
    assert contents(here) == before


def test_mistakes_are_one_line_and_leave_no_file(here, capsys):
    env, data = "Dreamplay/Bricks-v0", "data/Dreamplay-Bricks-v0"
    cut = here / "cut"
    shutil.copytree(here / data, cut)
    observations = next(cut.glob("shard-*/observations.npy"))
    np.save(observations, np.load(observations)[:, :-1])
    before = contents(here)
    for words, message in (
        ([], "name what to learn"),
        (["--resume"], "name what to learn"),
        (["--out", "nowhere", "--resume"], "no run in nowhere"),
        ([env, "--data", data], "exclude each other"),
        ([data], f"dreamplay train --data {data}"),
        (["Dreamplay/Briks-v0"], "Briks"),
        (["--data", "nowhere"], "no data folder nowhere"),
        (["--data", str(cut)], "data.json asks for"),
        ([env, "--minutes", "1", "--updates", "1"], "exclude each other"),
        ([env, "--minutes", "0"], "--minutes 0"),
        ([env, "--minutes", "nan"], "--minutes nan"),
        ([env, "--minutes", "inf"], "--minutes inf"),
        ([env, "--updates", "-1"], "--updates -1"),
        ([env, "--batch-steps", "0"], "--batch-steps 0"),
        ([env, "--learning-rate", "-1"], "--learning-rate -1"),
        ([env, "--learning-rate", "1e30"], "far too high"),
        ([env, "--threads", "0"], "--threads 0"),
        ([env, "--seed", "-1"], "--seed -1"),
        ([env, "--curriculum", "hard"], "no curriculum is called 'hard'"),
        ([env, "--simulator", "best"], "--simulator"),
        ([env, "--device", "abacus"], "device 'abacus' is not available"),
    ):
        assert main(*words) == 2
        assert message in the_line(capsys)
    assert contents(here) == before


def test_mistakes_in_resuming_leave_the_run_as_it_was(here, bricks, tmp_path, capsys):
    SMALL.run()
    shutil.copytree(RUN, "damaged")
    training = next(Path("damaged").glob("training-*"))
    training.write_bytes(training.read_bytes()[:-1] + b"\x01")
    Collect("Dreamplay/Catch-v0", steps=100).run()
    before = contents(here)
    capsys.readouterr()
    for words, message in (
        (["--out", str(RUN), "--simulator", "classic"], "trains the default simulator"),
        (["Dreamplay/Catch-v0", "--out", str(RUN)], "learns Dreamplay/Bricks-v0, not Dreamplay/Catch-v0"),
        (["--data", "data/Dreamplay-Catch-v0", "--out", str(RUN)], "learns Dreamplay/Bricks-v0, not"),
        (["--out", "damaged"], "is damaged"),
    ):
        assert main(*words, "--resume", "--device", "cpu") == 2
        assert message in the_line(capsys)
    shutil.move("data/Dreamplay-Bricks-v0", "gone")
    assert main("--out", str(RUN), "--resume") == 2
    assert "no longer at" in the_line(capsys)
    shutil.move("gone", "data/Dreamplay-Bricks-v0")
    assert contents(here) == before


def test_without_wandb_nobody_imports_it(here):
    code = (
        "import sys\nsys.modules['wandb'] = None\nfrom dreamplay.cli import main\n"
        "sys.exit(main('train Dreamplay/Bricks-v0 --updates 1 --batch-steps 32 --device cpu'.split()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert (RUN / MANIFEST).is_file()


def test_how_frames_are_learned_is_said_and_can_be_chosen(here, capsys):
    SMALL.run()
    assert "10 x 10 frames of 7 palette colours (they stand for all in the data" in capsys.readouterr().out
    colour = replace(SMALL, out=Path("colour"), frames="colour")
    colour.run()
    assert "10 x 10 frames of 3 channels of colour (as asked for)" in capsys.readouterr().out
    assert load("colour", "cpu").network.frames.to_json()["kind"] == "colour"
    assert main("--out", "colour", "--resume", "--frames", "palette", "--updates", "4") == 2
    assert "learns frames another way" in the_line(capsys)
    assert main("--out", "colour", "--resume", "--frames", "colour", "--updates", "4", "--device", "cpu") == 0
    assert main("Dreamplay/Bricks-v0", "--out", "c", "--simulator", "classic", "--frames", "colour") == 2
    assert "classic simulator has its own way" in capsys.readouterr().err


def test_a_checkpoint_from_before_an_option_existed_goes_on(here):
    from dreamplay import checkpoint

    SMALL.run()
    manifest = json.loads((RUN / MANIFEST).read_text())
    del manifest["training"]["frames"], manifest["checksum"]
    (RUN / MANIFEST).write_text(json.dumps(manifest | {"checksum": checkpoint._checksum(manifest)}))
    assert replace(SMALL, resume=True, updates=4).run()["updates"] == 4


def test_options_of_the_environment_decide_what_is_collected_and_must_fit_what_is_there(here, monkeypatch, capsys):
    monkeypatch.setattr("dreamplay.commands.train.COLLECT_STEPS", 200)
    words = ["own_envs:Walk", "--updates", "1", "--batch-steps", "32", "--device", "cpu"]
    assert main(*words, "--size", "4", "4") == 0
    assert load("runs/own_envs-Walk", "cpu").card.observation_space.shape == (4, 4, 3)
    capsys.readouterr()
    assert main(*words, "--gray", "--out", "other") == 2
    assert "was recorded with other options" in the_line(capsys)
    assert main(*words, "--out", "other") == 2, "without --size it would be another environment"
    assert "was recorded with other options" in the_line(capsys)
    assert main("--data", "data/own_envs-Walk", "--gray") == 2
    assert "have no say in data that are there already" in the_line(capsys)
