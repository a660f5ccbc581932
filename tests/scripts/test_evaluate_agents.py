"""The table of agents: what stands in it, and what is refused before anything is begun."""

import numpy as np
import pytest

from dreamplay.errors import UserError


def row(mean: float, episodes: int = 20) -> dict:
    return {"returns": [mean] * episodes, "mean_return": mean, "ci95": 0.5}


@pytest.fixture
def results() -> list[dict]:
    shared = {"real_steps": 20_000}
    return [
        {
            "env": "A-v0",
            "agents": {"random": row(1), "cem": row(3), "copies": row(4, 10)},
            "promised": {"cem": row(4)},
            **shared,
        },
        {"env": "B-v0", "agents": {"random": row(2), "cem": row(5)}, "promised": {"cem": row(4)}, **shared},
    ]


def test_the_table_shows_intervals_and_what_there_is_not(results):
    import evaluate_agents as script

    lines = script.table(script.Evaluation(()), results).splitlines()
    assert lines[0] == "| environment, real steps | random | cem | copies | promised to cem, less real |"
    few = "4.00 ± 0.50 (10 episodes)"
    assert lines[2] == f"| A-v0, 20,000 | 1.00 ± 0.50 | 3.00 ± 0.50 | {few} | 4.00 ± 0.50, +1.00 |"
    assert lines[3] == "| B-v0, 20,000 | 2.00 ± 0.50 | 5.00 ± 0.50 | n/a | 4.00 ± 0.50, -1.00 |"


def test_the_command_under_the_table_makes_the_same_table(results):
    import evaluate_agents as script

    usual = script.table(script.Evaluation(()), results).splitlines()[-1]
    assert "futures" not in usual and "--samples" not in usual
    sampled = script.table(script.Evaluation((), samples=8), results).splitlines()[-1]
    assert "over 8 futures in the dream" in sampled and sampled.endswith("--minutes 30 --samples 8`.")


def test_it_draws_what_there_is(results, tmp_path):
    import evaluate_agents as script
    from PIL import Image

    script.draw(results, tmp_path / "agents.png")
    assert min(Image.open(tmp_path / "agents.png").size) > 300


def test_the_table_goes_between_its_marks(tmp_path):
    import evaluate_agents as script

    page = tmp_path / "page.md"
    page.write_text(f"before\n{script.MARKS[0]}\nold\n{script.MARKS[1]}\nafter\n")
    script.write_between(page, script.MARKS, "new")
    assert page.read_text() == f"before\n{script.MARKS[0]}\nnew\n{script.MARKS[1]}\nafter\n"


def test_ppo_sees_the_last_frames_the_newest_last():
    import evaluate_agents as script
    import gymnasium as gym

    class Model:
        observation_space = gym.spaces.Box(0, 255, (2, 3, 4), np.uint8)

        def set_random_seed(self, seed):
            pass

        def predict(self, frames):
            seen.append(frames[0, 0].tolist())
            return np.int64(1), None

    seen: list = []
    agent = script.StackedPolicy(Model(), gym.spaces.Discrete(3))
    for _ in range(2):
        agent.reset(seed=0)
        assert [agent.act(np.full((2, 3, 1), value, np.uint8)) for value in (7, 8)] == [1, 1]
    assert seen == [[0, 0, 0, 7], [0, 0, 7, 8]] * 2


def test_mistakes_are_told_before_anything_is_begun(tmp_path):
    import evaluate_agents as script

    (tmp_path / "checkpoint.json").write_text("{}")
    for wrong, message in (
        ({"runs": ()}, "at least one run"),
        ({"runs": (tmp_path / "none",)}, "is not a run folder"),
        ({"policies": (tmp_path, tmp_path)}, "2 policies for 1 runs"),
        ({"episodes": 1}, "--episodes 1"),
        ({"samples": 0}, "--samples 0"),
        ({"write": tmp_path / "checkpoint.json"}, "lacks the marks"),
    ):
        with pytest.raises(UserError, match=message):
            script.check(script.Evaluation(**{"runs": (tmp_path,), **wrong}))
