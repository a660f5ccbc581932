"""`dreamplay check`: one environment, data folder or run for each thing that can be wrong, and what is said of it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from dreamplay.checks.pictures import contact_sheet
from dreamplay.cli import main
from dreamplay.commands.collect import Collect
from dreamplay.envs.card import EnvCard, Preparation
from dreamplay.episodes import Episode, Episodes, EpisodeWriter

SECONDS = "0.2"


def check(capsys, tmp_path: Path, target: object, *words: str) -> tuple[int, dict[str, str], dict]:
    """Exit status, findings as "level: what" -> cure, and the whole answer."""
    file = tmp_path / f"answer-{len(list(tmp_path.glob('answer-*')))}.json"
    status = main(["check", str(target), "--seconds", SECONDS, "--json", str(file), *words])
    answer = json.loads(file.read_text())
    printed = capsys.readouterr().out
    for finding in answer["findings"]:
        assert finding["what"] in printed and finding["cure"] in printed
        assert finding["cure"] or finding["level"] == "note"
    return status, {f"{f['level']}: {f['what']}": f["cure"] for f in answer["findings"]}, answer


def assert_found(findings: dict[str, str], *starts: str) -> None:
    for start in starts:
        assert any(what.startswith(start) for what in findings), f"{start!r} not among {list(findings)}"


def test_a_good_environment_has_no_faults(capsys, tmp_path):
    status, findings, answer = check(capsys, tmp_path, "Dreamplay/Catch-v0", "--out", str(tmp_path / "pictures"))
    assert (status, answer["ok"], answer["kind"]) == (0, True, "env")
    assert not any(what.startswith("error") for what in findings)
    assert_found(
        findings,
        "note: frames are its image observations, 10 x 10 x 3",
        "note: deterministic",
        "note: other seeds, other episodes",
        "note: 1000 steps in",
        "note: training: ",
    )
    cost = answer["cost"]
    assert cost["parameters"] > 1000 and cost["frames_per_second"] > 0 and cost["frames"] == "palette"
    assert cost["bytes_per_step"] == 300 + 8 + 4 + 3
    assert all(Path(file).stat().st_size > 1000 for file in answer["files"].values())
    assert set(answer["files"]) == {"frames", "histograms"}


@pytest.mark.parametrize(
    ("target", "words", "status", "expected"),
    [
        ("Dreamplay/Briks-v0", [], 1, "error: cannot make Dreamplay/Briks-v0"),
        ("own_envs:Blind", [], 1, "error: own_envs:Blind has no image observations"),
        ("own_envs:Growing", [], 1, "error: own_envs:Growing gave a frame uint8"),
        ("own_envs:NotANumber", [], 1, "error: the environment gave the reward nan"),
        ("own_envs:Still", [], 1, "error: the frames never change"),
        ("own_envs:Still", [], 1, "warning: no action makes a difference"),
        ("own_envs:Still", [], 1, "warning: no step was rewarded"),
        ("own_envs:Still", [], 1, "warning: no episode ended within 1000 steps"),
        ("own_envs:Restless", [], 0, "warning: not deterministic: with the same seed"),
        ("own_envs:Walk", ["--env-args", "actions=text"], 1, "error: the space Text"),
        ("own_envs:Walk", ["--env-args", "actions=multi"], 0, "note: dimension 1 of the actions made no difference"),
        ("own_envs:Walk", ["--env-args", "actions=box"], 0, "note: dimension 1 of the actions made no difference"),
        ("own_envs:Walk", ["--env-args", "kind=dict"], 0, "note: frames are what it renders as rgb_array, 4 x 8 x 3"),
        ("own_envs:Walk", ["--env-args", "kind=dict", "--source", "far"], 0, "note: frames are its observation 'far'"),
        ("own_envs:Liar", [], 0, "warning: Gymnasium says: "),
        ("own_envs:Thrower", [], 1, "error: it breaks Gymnasium's rules: "),
        ("own_envs:Clumsy", [], 1, "error: it fails with KeyError: 'north'"),
        ("MiniGrid-Empty-5x5-v0", ["--source", "image"], 0, "warning: no pixel is brighter than 8 of 255"),
    ],
)
def test_what_is_wrong_with_an_environment(capsys, tmp_path, target, words, status, expected):
    given, findings, answer = check(capsys, tmp_path, target, *words)
    assert given == status and answer["ok"] == (status == 0)
    assert_found(findings, expected)


CARD = EnvCard(
    "mine",
    {},
    Preparation(source="recorded"),
    gym.spaces.Box(0, 255, (8, 8, 3), np.uint8),
    gym.spaces.Discrete(3),
    [],
    9,
)


def episode(length: int = 40, seed: int = 0, **changes: np.ndarray) -> Episode:
    """A square that moves by its action."""
    rng = np.random.default_rng(seed)
    actions = rng.integers(0, 3, length)
    frames = np.zeros((length + 1, 8, 8, 3), np.uint8)
    frames[np.arange(length + 1), np.concatenate([[0], np.cumsum(actions)]) % 8, :4] = 200
    rewards, never = (actions == 2).astype(np.float32), np.zeros(length, bool)
    return replace(Episode(frames, actions, rewards, never, np.arange(length) == length - 1, never), **changes)


def store(folder: Path, *episodes: Episode) -> Path:
    with EpisodeWriter(folder, CARD) as writer:
        for one in episodes:
            writer.add(one)
    return folder


def many(count: int = 30) -> list[Episode]:
    return [episode(seed=seed) for seed in range(count)]


def test_good_data_have_no_faults(capsys, tmp_path):
    status, findings, answer = check(capsys, tmp_path, store(tmp_path / "data", *many()))
    assert status == 0 and not any(what.startswith(("error", "warning")) for what in findings)
    assert_found(
        findings, "note: the files of all 1 shards are as they were written", "note: 1200 steps in 30 episodes"
    )
    assert_found(findings, "note: 2 colours", "note: 50.0% of the 64 pixels ever change")
    assert answer["files"] == {
        name: str(tmp_path / "data" / "check" / f"{name}.png") for name in ("frames", "histograms")
    }
    assert Episodes.open(tmp_path / "data").steps == 1200
    assert check(capsys, tmp_path, tmp_path / "data")[0] == 0, "its own pictures are replaced"


STILL = np.zeros((41, 8, 8, 3), np.uint8)
NOISE = np.random.default_rng(0).integers(0, 256, (41, 8, 8, 1), np.uint8).repeat(3, -1)
WRONG = {
    "few": ([episode()], 0, ["warning: 40 steps are few", "warning: there is a single episode"]),
    "one step": ([episode(1)], 1, ["error: "]),
    "still": ([episode(observations=STILL)], 1, ["error: the frames never change"]),
    "no reward": ([episode(rewards=np.zeros(40, np.float32))], 0, ["warning: no step was rewarded"]),
    "NaN": ([episode(rewards=np.full(40, np.nan, np.float32))], 1, ["error: 40 rewards are no finite numbers"]),
    "one action": ([episode(actions=np.zeros(40, np.int64))], 0, ["warning: never taken: action 1, 2"]),
    "short": ([episode(4, seed) for seed in range(9)], 0, ["warning: no episode lasts 10 steps"]),
    "twins": ([episode()] * 3, 0, ["warning: 2 of 3 episodes are copies"]),
    "dark": ([episode(observations=NOISE // 16)], 0, ["warning: no pixel is brighter than 15 of 255"]),
    "many colours": ([episode(observations=NOISE)], 0, ["note: more than 32 colours: intensities"]),
    "compressed": ([episode(observations=200 - NOISE // 7)], 0, ["warning: they are shades of about 3 colours"]),
}


@pytest.mark.parametrize(("episodes", "status", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_data(capsys, tmp_path, episodes, status, expected):
    given, findings, _ = check(capsys, tmp_path, store(tmp_path / "data", *episodes))
    assert given == status
    assert_found(findings, *expected)


def test_rare_and_constant_actions(capsys, tmp_path):
    rare = np.zeros(2000, np.int64)
    rare[::900], rare[1] = 1, 2
    folder = store(tmp_path / "data", episode(2000, actions=rare))
    assert_found(check(capsys, tmp_path, folder)[1], "warning: hardly ever taken: action 1, 2")
    Collect("own_envs:Walk", steps=50, out=tmp_path / "box", prepare=_box(), agent="own_agents:Half").run()
    assert_found(
        check(capsys, tmp_path, tmp_path / "box")[1], "warning: always the same: dimension 0, 1 of the actions"
    )


def _box():
    from dreamplay.env_options import EnvOptions

    return EnvOptions(env_args=("actions=box",))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def test_damage_is_found_by_checksum(capsys, tmp_path):
    folder = store(tmp_path / "data", *many())
    flip(folder / "shard-00000" / "rewards.npy")
    status, findings, _ = check(capsys, tmp_path, folder)
    assert status == 1
    assert_found(findings, f"error: {folder / 'shard-00000' / 'rewards.npy'} is damaged")
    (folder / "shard-00000" / "rewards.npy").unlink()
    status, findings, _ = check(capsys, tmp_path, folder)
    assert status == 1
    assert_found(findings, f"error: {folder / 'shard-00000' / 'rewards.npy'} cannot be read")
    (folder / "data.json").write_text("{")
    assert check(capsys, tmp_path, folder)[0] == 1


def test_data_without_checksums_are_said_to_be(capsys, tmp_path):
    folder = store(tmp_path / "data", *many())
    index = json.loads((folder / "data.json").read_text())
    del index["shards"][0]["sha256"]
    (folder / "data.json").write_text(json.dumps(index))
    assert_found(check(capsys, tmp_path, folder)[1], "note: 1 of 1 shards were written without checksums")


def test_the_contact_sheet_shows_the_frames_in_their_order(tmp_path):
    from PIL import Image

    episodes = Episodes.open(store(tmp_path / "data", episode(31)))
    contact_sheet(episodes, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    frames = episodes[0].observations
    cell = (sheet.shape[1] - 6) // 8
    for number in (0, 3, 9, 31):
        x, y = 6 + number % 8 * cell, 6 + number // 8 * ((sheet.shape[0] - 6) // 4)
        np.testing.assert_array_equal(sheet[y + 7 : y + 120 : 15, x + 7 : x + 120 : 15, 0], frames[number, ..., 0])


def test_a_trained_run(capsys, tmp_path, run):
    status, findings, answer = check(capsys, tmp_path, run)
    assert (status, answer["kind"]) == (0, "run")
    assert_found(findings, "note: a dream of Dreamplay/Bricks-v0: every file is as it was written")
    assert_found(findings, "note: not evaluated yet")


def test_what_is_wrong_with_a_run(capsys, tmp_path, run):
    from dreamplay import checkpoint

    manifest = json.loads((run / "checkpoint.json").read_text())
    elsewhere = Path(shutil.copytree(run, tmp_path / "deeper" / "still" / "run"))
    for change, expected in (
        ({"progress": 0.4}, "warning: the training stopped at 40%"),
        ({"data": "../nowhere"}, "warning: it cannot be evaluated: the data"),
        ({"env": manifest["env"] | {"id": "Gone-v0"}}, "warning: the real environment cannot be made"),
    ):
        changed = {key: value for key, value in (manifest | change).items() if key != "checksum"}
        changed["checksum"] = checkpoint._checksum(changed)
        (elsewhere / "checkpoint.json").write_text(json.dumps(changed))
        status, findings, _ = check(capsys, tmp_path, elsewhere)
        assert status == 0
        assert_found(findings, expected)
    flip(next(run.glob("weights-*")))
    status, findings, _ = check(capsys, tmp_path, run)
    assert status == 1
    assert_found(findings, "error: ")
    assert any("is damaged" in what for what in findings)


def test_a_dream_that_stands_still_or_is_no_better_than_that(capsys, tmp_path, run, monkeypatch):
    from dreamplay.simulator import Rollout, Simulator

    def still(self, observations, actions, future, **_):
        shape = future.shape[:2]
        frames = np.repeat(observations[:, -1:], shape[1], 1)
        nothing = np.zeros(shape, np.float32)
        return Rollout(frames, nothing, np.full(shape, 0.9, np.float32), nothing)

    monkeypatch.setattr(Simulator, "rollout", still)
    (run / "evaluation").mkdir()
    scores = {"horizons": {"10": {"wrong_pixels": 9.0}}, "baselines": {"last frame": {"10": {"wrong_pixels": 3.0}}}}
    (run / "evaluation" / "horizon.json").write_text(json.dumps(scores))
    status, findings, _ = check(capsys, tmp_path, run)
    assert status == 0
    assert_found(findings, "warning: every dream stands still", "warning: 100% of the dreams end at their first step")
    assert_found(findings, "warning: 10 steps ahead 9.0 pixels are wrong, 3.0 if the last frame is repeated: the dream")


def test_mistakes_are_one_line(capsys, tmp_path):
    (tmp_path / "file").write_text("mine")
    for words, message in (
        (["--steps", "1"], "--steps 1"),
        (["--seconds", "-1"], "--seconds -1"),
        (["--seconds", "inf"], "--seconds inf"),
        (["--seed", "-1"], "--seed -1"),
        (["--out", str(tmp_path / "file")], "is a file"),
    ):
        assert main(["check", "Dreamplay/Catch-v0", *words]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    assert main(["check", str(store(tmp_path / "data", episode())), "--gray"]) == 2
    assert "have no say in" in capsys.readouterr().err
