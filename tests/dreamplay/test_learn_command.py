"""`dreamplay learn`, and the policy it makes as an agent of the other commands."""

import json
import shutil
from math import inf
from pathlib import Path

import numpy as np
import pytest

from dreamplay import cli
from dreamplay.agents.dreams import Dreams
from dreamplay.agents.policy_file import read_policy
from dreamplay.commands.act import Act
from dreamplay.commands.collect import Collect
from dreamplay.commands.learn import Learn
from dreamplay.commands.play import Play
from dreamplay.episodes import Episodes
from dreamplay.errors import UserError

STEPS = 4096  # one update


@pytest.fixture(scope="module")
def _learned(_trained, bricks, tmp_path_factory):
    run = tmp_path_factory.mktemp("learned") / "run"
    shutil.copytree(_trained, run)
    Learn(run, steps=STEPS, backend="torch", data=bricks.folder).run()
    return run


@pytest.fixture
def learned(_learned, tmp_path):
    """A run folder with a policy in it, a copy for every test."""
    return Path(shutil.copytree(_learned, tmp_path / "learned"))


def test_it_learns_and_says_so(run, bricks, tmp_path, capsys):
    answer = tmp_path / "answer.json"
    words = ["learn", str(run), "--steps", str(STEPS), "--backend", "torch", "--data", str(bricks.folder)]
    assert cli.main([*words, "--json", str(answer)]) == 0
    said = json.loads(answer.read_text())
    assert (said["policy"], said["env"]) == (str(run / "policy.safetensors"), "Dreamplay/Bricks-v0")
    assert said["steps"] == STEPS and said["steps_per_second"] > 0
    captured = capsys.readouterr()
    assert "dreamed return" in captured.err and "dreamed steps/s" in captured.err
    assert f"next: dreamplay act {run} --agent policy\n" in captured.out
    assert read_policy(run / "policy.safetensors")[1]["run"] == run.resolve()


def test_the_same_seed_learns_the_same(run, tmp_path, bricks):
    contents = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        Learn(run, out=tmp_path / name, steps=STEPS, seed=seed, backend="torch", data=bricks.folder).run()
        contents.append({k: v.numpy() for k, v in read_policy(tmp_path / name)[0].policy.state_dict().items()})
    assert all(np.array_equal(contents[0][name], contents[1][name]) for name in contents[0])
    assert any(not np.array_equal(contents[0][name], contents[2][name]) for name in contents[0])


def test_a_policy_is_never_written_over_but_goes_on(learned, bricks, capsys):
    path = learned / "policy.safetensors"
    before = path.read_bytes()
    assert cli.main(["learn", str(learned), "--steps", "10"]) == 2
    assert "--resume" in capsys.readouterr().err and path.read_bytes() == before
    Learn(learned, steps=2 * STEPS, resume=True, data=bricks.folder).run()
    assert read_policy(path)[0].steps == 2 * STEPS
    Learn(learned, steps=2 * STEPS, resume=True, data=bricks.folder).run()
    assert "has learned to its end" in capsys.readouterr().out


@pytest.fixture
def lived_in(monkeypatch):
    """The dreams of each learning, in their order; for one update each."""
    seen = []

    def live(dreams, *rest):
        seen.append(dreams)
        return lived(dreams, *rest)

    lived = Dreams.live
    monkeypatch.setattr(Dreams, "live", live)
    return seen


@pytest.mark.parametrize(
    ("option", "said", "attribute", "found"),
    [
        ("dream_steps", (7, None, 9), "longest", [7, 7, 9]),
        ("temperature", (None, 0.5, None), "temperature", [1.0, 0.5, 0.5]),
    ],
)
def test_dreams_are_as_is_said_also_when_it_goes_on(run, bricks, tmp_path, lived_in, option, said, attribute, found):
    for times, wish in enumerate(said, start=1):
        Learn(
            run,
            out=tmp_path / "p",
            steps=times * STEPS,
            resume=True,
            backend="torch",
            data=bricks.folder,
            **{option: wish},
        ).run()
    assert [getattr(dreams, attribute) for dreams in lived_in] == found


def test_a_careful_policy_believes_a_part_of_its_dreams_and_a_bold_one_all(run, bricks, tmp_path, lived_in):
    for name, asked in (("careful", {"careful": True}), ("bold", {})):
        Learn(run, out=tmp_path / name, steps=STEPS, backend="torch", data=bricks.folder, **asked).run()
    believed = [dreams.most_open for dreams in lived_in]
    assert 0 < believed[0] < believed[1] == inf


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"steps": 0}, "--steps 0"),
        ({"dream_steps": 0}, "--dream-steps 0"),
        ({"temperature": -0.5}, "--temperature -0.5"),
        ({"temperature": float("nan")}, "--temperature nan"),
        ({"minutes": -1.0}, "--minutes -1"),
        ({"minutes": float("nan")}, "--minutes nan"),
        ({"minutes": 1.0, "steps": 5}, "exclude each other"),
        ({"threads": 0}, "--threads 0"),
        ({"seed": -1}, "--seed -1"),
        ({"device": "quantum"}, "quantum"),
        ({"out": Path("missing", "policy")}, "no folder missing"),
        ({"out": Path(".")}, "is a folder"),
        ({"data": Path("missing")}, "no data folder missing"),
    ],
    ids=str,
)
def test_mistakes_are_named_and_nothing_is_made(run, wrong, words):
    before = sorted(run.iterdir())
    with pytest.raises(UserError, match=words):
        Learn(run, **wrong).run()
    assert sorted(run.iterdir()) == before


def test_it_wants_a_run(tmp_path):
    with pytest.raises(UserError, match="not a run folder"):
        Learn(tmp_path).run()


def test_the_policy_acts_in_reality_and_in_the_dream(learned):
    for where in ("real", "dream"):
        acted = Act(learned, agent="policy", where=where, episodes=2, max_steps=20).run()
        assert acted["agent"] == "policy" and len(acted["returns"]) == 2
    sure = Act(learned, agent="policy", policy=learned / "policy.safetensors", likeliest=True, episodes=1).run()
    assert sure["lengths"][0] > 0


def test_a_policy_that_is_not_there_is_named(run, capsys):
    assert cli.main(["act", str(run), "--agent", "policy"]) == 2
    assert f"there is no policy {run / 'policy.safetensors'}; learn one" in capsys.readouterr().err


@pytest.mark.parametrize("by_name", [True, False])
def test_the_policy_collects(learned, tmp_path, by_name):
    env, agent = (str(learned), "policy") if by_name else ("Dreamplay/Bricks-v0", str(learned / "policy.safetensors"))
    Collect(env=env, steps=40, agent=agent, epsilon=0.2, out=tmp_path / "data").run()
    assert Episodes.open(tmp_path / "data").steps == 40


def test_a_planner_may_ask_the_critic_what_comes_after_its_plans(learned, tmp_path):
    asked = Act(learned, agent="cem", policy=learned / "policy.safetensors", horizon=3, episodes=1, max_steps=3)
    assert len(asked.run()["returns"]) == 1
    with pytest.raises(UserError):
        Act(learned, agent="cem", policy=tmp_path / "none.safetensors", episodes=1, max_steps=3).run()


def test_the_policy_collects_only_where_its_actions_exist(learned, tmp_path):
    with pytest.raises(UserError, match="takes Discrete"):
        Collect(env="CartPole-v1", steps=40, agent=str(learned / "policy.safetensors"), out=tmp_path / "data").run()
    assert not (tmp_path / "data").exists()


def test_the_policy_plays(learned, tmp_path):
    video = tmp_path / "play.gif"
    Play(game=str(learned), agent="policy", record=video, steps=3).run()
    assert video.stat().st_size > 0
    with pytest.raises(UserError, match="--agent policy needs a dream"):
        Play(game="Dreamplay/Bricks-v0", agent="policy", record=tmp_path / "other.gif").run()


@pytest.mark.slow
def test_catch_is_learned_in_the_dream_and_caught_in_reality(tmp_path):
    """From random play alone: of the 22 objects of a real episode cut after 200 steps, nearly all are caught."""
    from dreamplay.commands.train import Train

    data, run = tmp_path / "data", tmp_path / "run"
    Collect(env="Dreamplay/Catch-v0", steps=20_000, out=data).run()
    Train(data=data, out=run, updates=3000).run()
    Learn(run, steps=250_000).run()
    random = Act(run, agent="random", episodes=10, max_steps=200).run()
    learned = Act(run, agent="policy", episodes=10, max_steps=200).run()
    assert learned["mean_return"] > 18 > 0 > random["mean_return"]
