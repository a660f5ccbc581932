"""`dreamplay evaluate`: what it writes, what it returns, and what it refuses."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import gymnasium as gym
import imageio.v3 as iio
import numpy as np
import pytest

from dreamplay.baselines import LastFrame
from dreamplay.commands.evaluate import Evaluate
from dreamplay.envs.card import EnvCard, Preparation
from dreamplay.episodes import Episode, EpisodeWriter
from dreamplay.errors import UserError

FRAMES = gym.spaces.Box(0, 255, (6, 8, 3), np.uint8)
CARD = EnvCard("Toy-v0", {}, Preparation(), FRAMES, gym.spaces.Discrete(3), [], 10)


@dataclass(frozen=True)
class Run(LastFrame):
    """A checkpoint that dreams of a still picture."""

    card: EnvCard = CARD
    data_folder: str | None = None


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Run]:
    known: dict[str, Run] = {}
    monkeypatch.setattr("dreamplay.simulator.load", lambda path, device="auto", backend="auto": known[Path(path).name])
    return known


@pytest.fixture
def run(tmp_path: Path, runs: dict[str, Run]) -> Path:
    """A run folder, and its data beside it, named by a relative path."""
    folder = tmp_path / "toy"
    folder.mkdir()
    rng = np.random.default_rng(0)
    with EpisodeWriter(tmp_path / "data", CARD) as writer:
        for _ in range(12):
            frames = rng.integers(0, 2, (31, 6, 8, 3)).astype(np.uint8) * 255
            none = np.zeros(30, bool)
            writer.add(Episode(frames, rng.integers(0, 3, 30), np.ones(30, np.float32), none, none, none))
    runs["toy"] = Run(data_folder="../data")
    return folder


def test_it_leaves_numbers_a_plot_and_a_film(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = Evaluate(run, windows=12, horizon=15).run()
    assert list(answer["horizons"]) == ["1", "2", "5", "10", "15"]
    assert {"exact", "wrong_pixels", "recall", "precision", "windows"} <= set(answer["horizons"]["10"])
    assert answer["horizons"] == answer["baselines"]["last frame"], "this run is the last frame"
    assert answer["data"]["held_out_episodes"] == 1 and answer["data"]["held_out_steps"] == 30
    stored = json.loads((run / "evaluation" / "horizon.json").read_text())
    assert stored["horizons"]["10"]["exact"] == answer["horizons"]["10"]["exact"] == 0
    assert sorted(path.name for path in (run / "evaluation").iterdir()) == [
        "horizon.json",
        "horizon.mp4",
        "horizon.png",
    ]
    assert len(iio.imread(run / "evaluation" / "horizon.mp4")) > 20
    out = capsys.readouterr().out
    assert "mean frame" in out and "wrong" in out and "horizon.mp4" in out
    assert "from the start (1 episodes, 2 context frames, 15 steps): return right 0.000" in " ".join(out.split())
    assert "--simulator classic" in out and f"--against {run}-classic" in out


def test_what_no_single_horizon_tells_is_in_the_numbers(run: Path) -> None:
    answer = Evaluate(run, windows=12, horizon=15).run()
    assert set(answer["calibration"]) == {"reward", "termination", "pixel"}
    assert answer["calibration"]["reward"]["true"] == 1 and answer["calibration"]["reward"]["dreamed"] == 0
    assert answer["futures"]["samples"] == 4
    assert answer["futures"]["horizons"]["10"]["from_each_other"] == 0
    assert answer["futures"]["horizons"]["10"]["diversity"] == 0
    assert answer["from_start"]["episodes"] == 1 and answer["from_start"]["return_right"] == 0
    assert answer["chance"] is None, "nothing in the data says that it drew on chance"
    assert answer["horizons"]["10"]["frozen"] == 1, "this run is the last frame"


def test_again_gives_the_same_and_replaces_its_own(run: Path, tmp_path: Path) -> None:
    first = Evaluate(run, windows=5, horizon=3).run()
    assert Evaluate(run, windows=5, horizon=3).run() == first
    out = tmp_path / "elsewhere"
    Evaluate(run, windows=5, horizon=3, out=out).run()
    Evaluate(run, windows=5, horizon=2, out=out).run()
    assert list(json.loads((out / "horizon.json").read_text())["horizons"]) == ["1", "2"]


def test_other_runs_stand_beside_it(run: Path, runs: dict[str, Run]) -> None:
    runs["classic"] = Run()
    answer = Evaluate(run, windows=5, horizon=3, against=(Path("runs/classic"),)).run()
    assert list(answer["baselines"]) == ["last frame", "mean frame", "runs/classic"]
    assert answer["baselines"]["runs/classic"] == answer["horizons"]
    assert answer["from_start"]["baselines"]["runs/classic"]["episodes"] == answer["from_start"]["episodes"] == 1


def test_mistakes_are_named_and_write_nothing(run: Path, runs: dict[str, Run], tmp_path: Path) -> None:
    runs["orphan"] = Run()
    runs["moved"] = Run(data_folder="../gone")
    runs["other"] = Run(card=replace(CARD, action_space=gym.spaces.Discrete(4)))
    (used := tmp_path / "used").mkdir()
    (used / "notes.txt").write_text("mine")
    data = tmp_path / "data"
    for command, message in (
        (Evaluate(run, horizon=-1), "--horizon -1"),
        (Evaluate(run, windows=0), "--windows 0"),
        (Evaluate(run, data=tmp_path / "nothing"), "no data folder"),
        (Evaluate(tmp_path / "orphan"), "--data"),
        (Evaluate(tmp_path / "moved"), "no longer at"),
        (Evaluate(tmp_path / "other", data=data), r"Discrete\(3\).*Discrete\(4\).*--data"),
        (Evaluate(run, against=(tmp_path / "other",)), "--against"),
        (Evaluate(run, out=used), "not empty"),
        (Evaluate(run, out=used / "notes.txt"), "a file is in its way"),
    ):
        with pytest.raises(UserError, match=message):
            command.run()
    assert [path.name for path in used.iterdir()] == ["notes.txt"]
    assert list(run.iterdir()) == []


def test_an_evaluation_of_another_run_is_not_replaced(run: Path, runs: dict[str, Run], tmp_path: Path) -> None:
    out = tmp_path / "out"
    Evaluate(run, windows=5, horizon=3, out=out).run()
    (tmp_path / "second").mkdir()
    runs["second"] = runs["toy"]
    with pytest.raises(UserError, match="not empty"):
        Evaluate(tmp_path / "second", windows=5, out=out).run()
