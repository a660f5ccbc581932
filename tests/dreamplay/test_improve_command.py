"""`dreamplay improve`: real steps are counted, every stage goes on from the one before, and so does a stopped loop."""

import json

import pytest

from dreamplay import cli
from dreamplay.commands import improve
from dreamplay.commands.improve import Improve, forget_if_older, keep_copy
from dreamplay.commands.learn import Learn
from dreamplay.commands.train import Train
from dreamplay.episodes import Episodes
from dreamplay.errors import UserError

QUICK = {"steps": 120, "minutes": 0.02, "learn_minutes": 0.02, "episodes": 2, "max_steps": 10}


@pytest.mark.slow
def test_two_rounds_and_a_third(tmp_path, capsys):
    out = tmp_path / "loop"
    answer = Improve("Dreamplay/Catch-v0", rounds=2, out=out, **QUICK).run()
    assert [entry["real_steps"] for entry in answer["rounds"]] == [120, 240]
    assert Episodes.open(out / "data").steps == 240
    assert all(len(entry["returns"]) == 2 for entry in answer["rounds"])
    assert (out / "improve.png").stat().st_size > 1000 and (out / "run" / "policy.safetensors").is_file()
    assert (out / "best" / "policy.safetensors").is_file()
    assert "round  real steps" in capsys.readouterr().out
    assert cli.main(["improve", "Dreamplay/Catch-v0", "--out", str(out)]) == 2
    again = Improve("Dreamplay/Catch-v0", rounds=3, out=out, resume=True, **QUICK).run()
    assert again["rounds"][:2] == answer["rounds"] and again["rounds"][2]["real_steps"] == 360
    assert Episodes.open(out / "data").steps == 360


def stages(monkeypatch, log, stop=None, returns=(3.0,) * 9):
    """Commands that only say how they were called; one of them may be interrupted, once.

    Args:
        returns: mean returns, the random agent's first.

    Returns:
        What is copied where, filled as the loop goes on.
    """
    stop, kept, returns = [stop], [], iter(returns)
    monkeypatch.setattr(improve, "keep_copy", lambda run, copy: kept.append((run.name, copy.name)))

    def stage(name, answer):
        class Stage:
            def __init__(self, *given, **settings):
                self.settings = {**dict(enumerate(map(str, given))), **settings}

            def run(self):
                log.append((name, self.settings))
                if stop[0] == len(log):
                    raise KeyboardInterrupt
                return answer() if callable(answer) else answer

        monkeypatch.setattr(improve, name, Stage)

    stage("Collect", {"mean_return": float("nan")})  # no episode came to its end
    stage("Train", {})
    stage("Learn", {"dreamed_return": 2.0})
    stage("Act", lambda: {"mean_return": next(returns), "ci95": 0.5, "returns": [2.5, 3.5]})
    return kept


def test_each_stage_goes_on_from_the_one_before(tmp_path, monkeypatch):
    log = []
    stages(monkeypatch, log)
    out = tmp_path / "loop"
    Improve(
        "Dreamplay/Catch-v0",
        rounds=2,
        steps=100,
        minutes=3.0,
        learn_minutes=2.0,
        dream_steps=7,
        temperature=0.5,
        careful=True,
        out=out,
        seed=5,
    ).run()
    assert [name for name, _ in log] == ["Collect", "Train", "Learn", "Act", "Act", "Collect", "Train", "Learn", "Act"]
    collected = [settings for name, settings in log if name == "Collect"]
    policy = str(tmp_path / "loop" / "run" / "policy.safetensors")
    assert [(c["agent"], c["epsilon"], c["append"]) for c in collected] == [
        ("random", 0.0, True),
        (policy, 0.1, True),
    ]
    for stage, minutes in (("Train", [3.0, 6.0]), ("Learn", [2.0, 2.0])):  # the simulator goes on, a policy begins anew
        settings = [settings for name, settings in log if name == stage]
        assert [s["minutes"] for s in settings] == minutes and all(s["resume"] for s in settings)
    assert [settings["dream_steps"] for name, settings in log if name == "Learn"] == [7, 7]
    assert [settings["temperature"] for name, settings in log if name == "Learn"] == [0.5, 0.5]
    assert [settings["careful"] for name, settings in log if name == "Learn"] == [True, True]
    assert [settings["agent"] for name, settings in log if name == "Act"] == ["random", "policy", "policy"]


def test_the_best_round_is_kept(tmp_path, monkeypatch, capsys):
    kept = stages(monkeypatch, [], returns=(0.0, 3.0, 2.0, 5.0, 5.0))
    loop = Improve("Dreamplay/Catch-v0", rounds=4, steps=100, out=tmp_path / "loop")
    assert loop.run()["best"] == str(tmp_path / "loop" / "best")
    assert kept == [("run", "best")] * 2, "after the first round, and after the third, which the fourth is not above"
    assert "best: round 3" in capsys.readouterr().out


def test_a_copy_takes_the_place_of_an_earlier_one(tmp_path):
    run, copy = tmp_path / "run", tmp_path / "best"
    run.mkdir()
    (run / "one").write_text("1")
    keep_copy(run, copy)
    (run / "one").rename(run / "two")
    (tmp_path / "best.new").mkdir()  # of a copy that was interrupted
    keep_copy(run, copy)
    assert [path.name for path in copy.iterdir()] == ["two"] and [path.name for path in run.iterdir()] == ["two"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "run"]


def test_a_policy_is_forgotten_once_its_simulator_has_learned_on(run):
    policy = run / "policy.safetensors"
    Learn(run, steps=1).run()
    forget_if_older(policy, run)
    assert policy.is_file()  # of a round that was stopped
    Train(out=run, updates=5, resume=True).run()
    forget_if_older(policy, run)
    assert not policy.exists()
    forget_if_older(policy, run)


@pytest.mark.parametrize("stop", range(1, 10))
def test_a_stopped_loop_goes_on(tmp_path, monkeypatch, stop):
    log, loop = [], {"rounds": 2, "steps": 100, "out": tmp_path / "loop", "resume": True}
    stages(monkeypatch, log, stop)
    with pytest.raises(KeyboardInterrupt):
        Improve("Dreamplay/Catch-v0", **loop).run()
    whole = Improve("Dreamplay/Catch-v0", **loop).run()
    names = [name for name, _ in log]
    del names[stop - 1]  # what was interrupted
    assert names.count("Collect") == 2  # steps that are there are not collected again
    assert [entry["round"] for entry in whole["rounds"]] == [1, 2]
    assert [entry["real_steps"] for entry in whole["rounds"]] == [100, 200]
    stored = json.loads((tmp_path / "loop" / "improve.json").read_text())
    assert stored["rounds"] == whole["rounds"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"rounds": 0}, "--rounds 0"),
        ({"steps": 0}, "--steps 0"),
        ({"episodes": 1}, "--episodes 1"),
        ({"max_steps": 0}, "--max-steps 0"),
        ({"dream_steps": 0}, "--dream-steps 0"),
        ({"temperature": -1.0}, "--temperature -1"),
        ({"minutes": 0.0}, "--minutes 0"),
        ({"minutes": float("inf")}, "--minutes inf"),
        ({"learn_minutes": 0.0}, "--learn-minutes 0"),
        ({"epsilon": 1.5}, "--epsilon 1.5"),
        ({"seed": -1}, "--seed -1"),
        ({"env": "Dreamplay/Katch-v0"}, "Katch"),
    ],
    ids=str,
)
def test_mistakes_are_named_and_nothing_is_made(tmp_path, wrong, words):
    with pytest.raises(UserError, match=words):
        Improve(**{"env": "Dreamplay/Catch-v0", "out": tmp_path / "loop", **wrong}).run()
    assert not (tmp_path / "loop").exists()


def test_a_loop_goes_on_with_its_own_settings_only(tmp_path, monkeypatch):
    stages(monkeypatch, [])
    out = tmp_path / "loop"
    Improve("Dreamplay/Catch-v0", rounds=1, out=out).run()
    with pytest.raises(UserError, match="--steps 20000"):
        Improve("Dreamplay/Catch-v0", rounds=2, steps=5, out=out, resume=True).run()
    with pytest.raises(UserError, match="ENV Dreamplay/Catch-v0"):
        Improve("Dreamplay/Bricks-v0", rounds=2, out=out, resume=True).run()
    (out / "improve.json").write_text("[]")
    with pytest.raises(UserError, match="cannot be read"):
        Improve("Dreamplay/Catch-v0", rounds=2, out=out, resume=True).run()
