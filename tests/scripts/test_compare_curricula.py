"""The comparison of curricula: what it trains, what it makes of the numbers, and that it can be stopped at any time."""

import json
from dataclasses import replace

import pytest

from dreamplay.envs.real import make_env
from dreamplay.errors import UserError


def curve(**metrics: list[float | None]) -> dict[str, dict[str, float | None]]:
    """{horizon: {metric: value}} at the horizons 1, 10 and 100."""
    horizons = ("1", "10", "100")
    return {h: {name: values[i] for name, values in metrics.items()} for i, h in enumerate(horizons)}


def result(curriculum: str, seed: int, psnr: list[float], recall: list[float | None]) -> dict:
    metrics = {"psnr": psnr, "recall": recall, "precision": [1, 1, 1], "wrong_pixels": [0, 5, 50]}
    return {
        "settings": {"simulator": "classic", "curriculum": curriculum, "learning_rate": 0.001},
        "seed": seed,
        "updates": 10,
        "horizons": curve(**metrics),
        "baselines": {"last frame": curve(**metrics | {"recall": [0.5, 0.25, None]})},
    }


@pytest.fixture
def results() -> list[dict]:
    return [
        result("pdt-0", 0, [30, 20, 10], [1, 0.5, 0.25]),
        result("pdt-100", 0, [25, 20, 15], [0.5, 0.5, None]),
        result("pdt-0", 1, [32, 20, 12], [0, 0.5, 0.75]),
        result("pdt-100", 1, [27, 20, 11], [0.5, 0.5, None]),
    ]


def test_the_table_holds_means_over_seeds(results):
    import compare_curricula as script

    lines = script.table(script.gather(results)).splitlines()
    assert lines[0] == "| simulator | curriculum | seeds | 1 ahead | 100 ahead |"  # as far as there are horizons
    assert lines[2:] == [
        "| classic | pdt-0 | 2 | 0.0 / 0.500 / 1.000 | 50.0 / 0.500 / 1.000 |",
        "| classic | last frame |  | 0.0 / 0.500 / 1.000 | 50.0 / – / 1.000 |",
        "| classic | pdt-100 | 2 | 0.0 / 0.500 / 1.000 | 50.0 / – / 1.000 |",
    ]


def test_a_finding_holds_when_all_seeds_say_so(results):
    import compare_curricula as script

    found = {f["claim"]: f for f in script.check(script.gather(results))}
    assert {claim: f["verdict"] for claim, f in found.items()} == {
        "predicting all the time is better far ahead than teacher forcing": "undecided",  # 15 and 11 against 10 and 12
        "but worse near: blurrier": "holds",
    }
    near = found["but worse near: blurrier"]
    assert (near["better_values"], near["worse_values"], near["horizon"]) == ([30, 32], [25, 27], 1)
    assert script.verdict([1.0], [2.0]) == "does not, one seed"
    assert "psnr 1 ahead: pdt-0 31.00, pdt-100 26.00 | holds |" in script.listing(list(found.values()))


def test_every_finding_names_curricula_that_exist():
    import compare_curricula as script

    from dreamplay.curriculum import CURRICULA

    assert {name for f in script.FINDINGS for name in (f.better, f.worse)} <= CURRICULA.keys()
    assert set(script.PUBLISHED) >= {"pdt-0", "pdt-46-alternating", "oh", "bptt-15-2"}


def test_it_draws_what_there_is(results, tmp_path):
    import compare_curricula as script
    from PIL import Image

    answer = {"env": "Clock-v0", "size": [64, 64], "steps": 5, "processor_minutes": 4.0, "machine": "m"}
    script.draw(script.gather(results), {**answer, "results": results}, tmp_path / "curves.png")
    assert min(Image.open(tmp_path / "curves.png").size) > 300


def test_both_simulators_are_trained_by_every_curriculum():
    import compare_curricula as script

    asked = script.Curricula(curricula=("default", "oh"))
    assert asked.variants() == [
        {"simulator": "default", "curriculum": "default"},
        {"simulator": "default", "curriculum": "oh"},
        {"simulator": "classic", "curriculum": "default", "learning_rate": 0.001},
        {"simulator": "classic", "curriculum": "oh", "learning_rate": 0.001},
    ]
    folders = {asked.folder(settings, seed) for settings in asked.variants() for seed in (0, 1)}
    assert len(folders) == 8
    other = replace(asked, minutes=5.0)
    assert not folders & {other.folder(settings, seed) for settings in asked.variants() for seed in (0, 1)}


def test_data_of_a_given_size_are_collected_once(tmp_path):
    import comparison as script

    from dreamplay.episodes import Episodes

    asked = script.Comparison(env="Dreamplay/Catch-v0", size=(8, 6), steps=50, out=tmp_path)
    (tmp_path / "data-Dreamplay-Catch-v0-8x6-50.unfinished").mkdir()  # a killed collection
    script.collect_once(asked)
    episodes = Episodes.open(asked.data)
    assert episodes.steps == 50 and episodes.card.observation_space.shape == (8, 6, 3)
    assert make_env(asked.data).observation_space.shape == (8, 6, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["data-Dreamplay-Catch-v0-8x6-50"]
    before = {path: path.stat().st_mtime_ns for path in asked.data.rglob("*")}
    script.collect_once(asked)
    assert before == {path: path.stat().st_mtime_ns for path in asked.data.rglob("*")}


def test_a_killed_training_goes_on_and_a_finished_one_is_used_again(tmp_path, monkeypatch):
    import comparison as script

    from dreamplay import update as module
    from dreamplay.checkpoint import read_manifest

    monkeypatch.setattr("torch.set_num_threads", lambda threads: None)
    settings = {"simulator": "default", "curriculum": "carried", "batch_steps": 32}
    asked = script.Comparison(env="Dreamplay/Catch-v0", steps=200, minutes=1e-9, windows=4, horizon=3, out=tmp_path)
    run = asked.folder(settings, 0)
    script.collect_once(asked)

    def killed(*_, **__):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(module, "objective", killed)
        with pytest.raises(MemoryError):
            script.train_and_judge(asked, settings, 0)
    assert (run / "checkpoint.json").is_file() and not (run / script.RESULT).exists()
    script.train_and_judge(asked, settings, 0)
    assert read_manifest(run)["training"]["done_updates"] == 1
    result = json.loads((run / script.RESULT).read_text())
    assert (result["settings"], result["seed"], result["updates"]) == (settings, 0, 1)
    assert list(result["horizons"]) == ["1", "2", "3"] and "last frame" in result["baselines"]

    monkeypatch.setattr(script.multiprocessing, "get_context", None)  # no further process is begun
    answer = script.compare(asked, [settings])
    assert answer["results"] == [result] and answer["failed"] == []


def test_a_training_that_diverges_or_dies_takes_no_other_with_it(tmp_path, monkeypatch, capsys):
    import comparison as script

    class Died:
        exitcode = 1

        def __init__(self, target, args):
            pass

        def start(self):
            pass

        join = start

    asked = script.Comparison(env="Dreamplay/Catch-v0", steps=20, minutes=1e-9, windows=4, horizon=3, out=tmp_path)
    variants = [{"curriculum": name} for name in ("default", "oh", "carried")]
    kept = {"settings": variants[1], "judged": [4, 3], "updates": 5, "horizons": {}}
    for variant, content in ((variants[1], kept), (variants[2], {"error": "the training diverged"})):
        folder = asked.folder(variant, 0)
        folder.mkdir(parents=True)
        (folder / script.RESULT).write_text(json.dumps(content))
    monkeypatch.setattr(script.multiprocessing, "get_context", lambda kind: type("Context", (), {"Process": Died}))
    answer = script.compare(asked, variants)
    assert answer["results"] == [kept]
    assert answer["failed"] == [str(asked.folder(variant, 0)) for variant in (variants[0], variants[2])]
    said = capsys.readouterr().out
    assert "the training diverged" in said and "default, seed 0: died" in said
    with pytest.raises(UserError, match="no training came to its end"):
        script.compare(asked, variants[:1])


@pytest.mark.slow
def test_from_the_command_line(tmp_path, scripts):
    import subprocess
    import sys

    words = ["--env", "Dreamplay/Catch-v0", "--steps", "300", "--minutes", "0.001", "--windows", "4", "--horizon", "3"]
    words += ["--curricula", "pdt-0", "pdt-100", "--simulators", "classic", "--out", str(tmp_path / "out")]
    command = [sys.executable, str(scripts / "compare_curricula.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "begun: classic, pdt-0, 0.001, seed 0" in done.stdout
    place = tmp_path / "out" / "curricula-Dreamplay-Catch-v0-classic"
    answer = json.loads(place.with_suffix(".json").read_text())
    assert answer["findings"]
    for finding in answer["findings"]:  # what they say after one update is luck
        (better,), (worse,) = finding["better_values"], finding["worse_values"]
        said = "holds" if better > worse else "does not" if better < worse else "undecided"
        assert finding["verdict"] == f"{said}, one seed"
        assert f"| {finding['verdict']} |" in done.stdout
    assert [r["settings"]["curriculum"] for r in answer["results"]] == ["pdt-0", "pdt-100"]
    assert place.with_suffix(".png").is_file() and "pdt-100" in place.with_suffix(".md").read_text()
    again = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert again.returncode == 0 and "begun" not in again.stdout
    wrong = subprocess.run([*command, "--curricula", "pdt-99"], capture_output=True, text=True, cwd=tmp_path)
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1 and "'pdt-99'" in wrong.stderr
