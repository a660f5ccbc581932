"""`dreamplay demo`: the whole story, its refusals, and that a simulator really learns."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dreamplay import cli
from dreamplay.commands.collect import Collect
from dreamplay.commands.demo import OWN, Demo
from dreamplay.commands.evaluate import Evaluate
from dreamplay.commands.train import Train
from dreamplay.errors import UserError
from dreamplay.json_files import plain
from dreamplay.simulator import load

SMALL = Demo(steps=5000, minutes=0.3, horizon=20, episodes=2, max_steps=30)


@pytest.fixture
def headless(monkeypatch):
    """No window, whatever the machine has."""

    def refuse():
        raise UserError("there is no display")

    monkeypatch.setattr("dreamplay.play.display.open_display", refuse)


@pytest.fixture
def quick(monkeypatch, headless):
    """A demo that takes seconds: a few updates instead of minutes."""
    monkeypatch.setattr(
        "dreamplay.commands.demo.Train", lambda minutes, **options: Train(updates=3, batch_steps=32, **options)
    )
    return Demo(steps=1000, horizon=5, episodes=1, max_steps=3)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def check(folder: Path, metrics: dict, env: str) -> None:
    """Everything that a demo promises to leave behind."""
    assert {path.name for path in folder.iterdir()} == set(OWN) - {"play.mp4"}
    assert json.loads((folder / "metrics.json").read_text()) == plain(metrics)
    assert metrics["env"] == env
    assert {"1", "2", "5"} <= metrics["exact_frame_rate"].keys() == metrics["windows"].keys()
    assert all(0 <= rate <= 1 for rate in metrics["exact_frame_rate"].values() if rate is not None)
    for agent in ("random", "planner"):
        returns = metrics[f"returns_{agent}"]
        assert metrics[f"return_{agent}"] == pytest.approx(sum(returns) / len(returns))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("data:video/mp4;base64,") == 2 and page.count("data:image/png;base64,") == 1
    assert "://" not in page, "it opens where there is no network"  # letters alone may stand in a picture's base64
    assert ">nan<" not in page and ">None<" not in page
    assert env in page and f"{metrics['return_planner']:.2f}" in page
    assert load(folder / "run", "cpu").data_folder == "../data"


def test_it_tells_the_whole_story_and_can_be_told_again(quick, tmp_path, capsys):
    demo = replace(quick, out=tmp_path / "demo")
    check(demo.out, demo.run(), "Dreamplay/Bricks-v0")
    out = capsys.readouterr().out
    assert [line[:5] for line in out.splitlines() if line.startswith("[")] == [f"[{i}/5]" for i in range(1, 6)]
    assert f"dreamplay play {demo.out / 'run'} --record {demo.out / 'play.mp4'}" in out
    (demo.out / "play.mp4").write_bytes(b"recorded as it said")
    check(demo.out, replace(demo, seed=1).run(), "Dreamplay/Bricks-v0")


def test_an_interrupted_demo_makes_room_too(quick, tmp_path, monkeypatch):
    demo = replace(quick, out=tmp_path / "demo")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("dreamplay.commands.demo.Evaluate", interrupt)
        demo.run()
    assert not (demo.out / "metrics.json").exists()
    check(demo.out, demo.run(), "Dreamplay/Bricks-v0")


@pytest.mark.parametrize("names", [["notes.txt"], ["metrics.json"], ["demo.json", "notes.txt"], ["data/data.json"]])
def test_a_folder_of_somebody_else_is_refused_and_untouched(names, tmp_path, capsys):
    for name in names:
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text("{}")
    before = contents(tmp_path)
    assert cli.main(["demo", "--out", str(tmp_path / "mine")]) == 2
    error = capsys.readouterr().err
    assert "not empty" in error and error.count("\n") == 1
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--minutes", "0"], "--minutes 0"),
        (["--minutes", "nan"], "--minutes nan"),
        (["--episodes", "0"], "--episodes 0"),
        (["--steps", "5"], "--steps 5"),
        (["--horizon", "-1"], "--horizon -1"),
        (["--max-steps", "0"], "--max-steps 0"),
        (["--seed", "-1"], "--seed -1"),
        (["--env", "Dreamplay/Briks-v0"], "Briks"),
    ],
)
def test_a_mistake_is_one_line_and_an_earlier_demo_stays(words, message, tmp_path, capsys):
    (tmp_path / "demo" / "run").mkdir(parents=True)
    (tmp_path / "demo" / "demo.json").write_text("{}")
    (tmp_path / "demo" / "metrics.json").write_text("{}")
    before = contents(tmp_path)
    assert cli.main(["demo", "--out", str(tmp_path / "demo"), *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert contents(tmp_path) == before


def test_what_a_link_points_to_is_not_deleted(quick, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("mine")
    demo = replace(quick, out=tmp_path / "demo")
    demo.out.mkdir()
    (demo.out / "demo.json").write_text("{}")
    (demo.out / "data").symlink_to(tmp_path / "kept")
    demo.run()
    assert (tmp_path / "kept" / "file").read_text() == "mine"
    assert not (demo.out / "data").is_symlink()


@pytest.mark.slow
@pytest.mark.parametrize("env", ["Dreamplay/Catch-v0", "Dreamplay/Bricks-v0"])
def test_the_demo_itself(env, headless, tmp_path, monkeypatch):
    def train(minutes, **settings):  # as long on a machine that is busy with other things
        return Train(updates=400, **settings)

    monkeypatch.setattr("dreamplay.commands.demo.Train", train)
    metrics = replace(SMALL, env=env, out=tmp_path / "demo").run()
    check(tmp_path / "demo", metrics, env)
    assert metrics["real_steps"] == 5000
    assert metrics["exact_frame_rate"]["1"] > metrics["exact_frame_rate_last_frame"]["1"] + 0.2


@pytest.mark.slow
def test_the_default_simulator_learns_bricks(tmp_path):
    """40,000 random steps and a good minute are enough to foresee four of five frames ten steps ahead, exactly."""
    Collect("Dreamplay/Bricks-v0", steps=40_000, out=tmp_path / "data").run()
    Train(data=tmp_path / "data", updates=3500, out=tmp_path / "run", device="cpu").run()
    judged = Evaluate(tmp_path / "run", windows=400, horizon=10).run()
    dream, still = judged["horizons"]["10"], judged["baselines"]["last frame"]["10"]
    assert dream["windows"] >= 100
    assert dream["exact"] >= 0.8
    assert dream["exact"] >= still["exact"] + 0.5
    assert dream["wrong_pixels"] < still["wrong_pixels"]
