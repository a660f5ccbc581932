"""From a recipe to a shipped dream, in little, on a built-in game."""

import json
from pathlib import Path

import pytest

from dreamplay import shipped
from dreamplay.episodes import Episodes
from dreamplay.errors import UserError
from dreamplay.json_files import write_json


def test_the_mix_keeps_its_shares_when_it_is_scaled() -> None:
    from pretrain import Pretrain, recipe_of

    whole, small = recipe_of(Pretrain("pong")), recipe_of(Pretrain("pong", steps=1300, minutes=1.0))
    assert sum(play.steps for play in small.plays) == 1300
    assert [100 * play.steps for play in small.plays] == [play.steps for play in whole.plays]
    assert (small.minutes, small.seed, small.env) == (1.0, whole.seed, whole.env)
    assert sum(play.steps for play in small.held_out) == 120


@pytest.mark.parametrize(
    "options", [{"name": "chess"}, {"name": "pong", "steps": 0}, {"name": "pong", "minutes": -1.0}]
)
def test_what_cannot_be_is_refused(options) -> None:
    from pretrain import Pretrain, recipe_of

    with pytest.raises(UserError):
        recipe_of(Pretrain(**options))


def test_a_play_is_recorded_once_and_an_interrupted_one_anew(tmp_path: Path) -> None:
    import pretrain
    from recipes import RECIPES, Play

    recipe, folder = RECIPES["bricks"], tmp_path / "data"
    plays = (Play("random", 60), Play("sticky", 40, epsilon=0.5))
    pretrain.collect(recipe, plays, tmp_path, folder, seed=0)
    before = (folder / "data.json").read_text()
    pretrain.collect(recipe, plays, tmp_path, folder, seed=0)
    assert (folder / "data.json").read_text() == before
    assert Episodes.open(folder).steps == 100
    told = json.loads((tmp_path / "data.json").read_text())
    assert [(play["agent"], play["steps"]) for play in told] == [("random", 60), ("sticky", 40)]

    (tmp_path / "data.json").write_text(json.dumps(told[:1]))  # killed after the append, before it was told of
    pretrain.collect(recipe, plays, tmp_path, folder, seed=0)
    assert Episodes.open(folder).steps == 100
    assert len(json.loads((tmp_path / "data.json").read_text())) == 2


@pytest.mark.slow
def test_a_recipe_becomes_a_shipped_dream_and_nothing_is_done_twice(tmp_path, monkeypatch, capsys) -> None:
    import pretrain

    words = ["pretrain.py", "bricks", "--steps", "700", "--minutes", "0.05", "--teacher-minutes", "0.02"]
    words += ["--windows", "4", "--work", str(tmp_path / "work"), "--models", str(tmp_path / "models")]
    monkeypatch.setattr("sys.argv", words)
    pretrain.main()
    folder = tmp_path / "models" / "bricks"
    made = {file: file.stat().st_mtime_ns for file in (tmp_path / "work").rglob("*") if file.is_file()}

    monkeypatch.setattr(shipped, "MODELS", tmp_path / "models")
    told = shipped.describe("bricks")
    assert told["bytes"] < 8e6
    assert set(told["horizons"]) >= {"1", "2", "5"}
    assert [play["agent"] for play in told["origin"]["data"]] == ["random", "sticky", "teacher", "teacher", "teacher"]
    card = (folder / "README.md").read_text()
    assert "| random | all | " in card
    assert str(tmp_path) not in card + (folder / "evaluation" / "horizon.json").read_text()
    import dreamplay

    assert dreamplay.load("bricks").card.id == "Dreamplay/Bricks-v0"

    pretrain.main()
    again = {file: file.stat().st_mtime_ns for file in (tmp_path / "work").rglob("*") if file.is_file()}
    untouched = {file for file in made if "run" not in file.parts or "evaluation" in file.parts}
    assert {file: made[file] for file in untouched} == {file: again[file] for file in untouched}


def test_what_is_too_large_is_not_shipped_and_what_was_shipped_stays(tmp_path, monkeypatch) -> None:
    import pretrain
    import shipping
    from recipes import RECIPES, Play

    from dreamplay.starting import start_training
    from dreamplay.training import TrainConfig

    recipe, work, models = RECIPES["bricks"], tmp_path / "work", tmp_path / "models"
    for kind in ("data", "held-out"):
        pretrain.collect(recipe, (Play("random", 60),), work, work / kind, seed=0)
    run = work / "run"
    (run / "evaluation").mkdir(parents=True)
    for name in ("horizon.png", "horizon.mp4"):
        (run / "evaluation" / name).write_bytes(b"picture")
    judged = {"run": str(run), "data": {"folder": str(work)}, "horizons": {}, "baselines": {"last frame": {}}}
    write_json(run / "evaluation" / "horizon.json", judged)
    start_training(TrainConfig(updates=1), Episodes.open(work / "data"), "../data", "cpu").save(run)

    folder = shipping.ship_run("bricks", recipe, work, models)
    before = sorted(file.name for file in folder.rglob("*"))
    assert not any(name.startswith("training-") for name in before)
    monkeypatch.setattr(shipping, "MOST_BYTES", 1000)
    with pytest.raises(UserError, match="more than the 0 MB of a shipped dream"):
        shipping.ship_run("bricks", recipe, work, models)
    assert sorted(file.name for file in folder.rglob("*")) == before
