"""Episodes on disk: what is written comes back, and whatever is wrong with a folder is said in one line."""

import json
import shutil
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import dreamplay.episodes
from dreamplay.episodes import Episode, Episodes, EpisodeWriter
from dreamplay.errors import UserError
from dreamplay.shards import bytes_per_step
from toys import ClockEnv, clock_card

NAMES = ("observations", "actions", "rewards", "terminated", "truncated", "chance")
CARD = clock_card(ClockEnv())


def make(length: int, seed: int = 0, ends: str = "terminated") -> Episode:
    rng = np.random.default_rng([length, seed])
    flags = {name: np.zeros(length, bool) for name in ("terminated", "truncated")}
    if ends in flags:
        flags[ends][-1] = True
    return Episode(
        rng.integers(0, 256, (length + 1, 2, 4, 1), np.uint8),
        rng.integers(0, 5, length),
        rng.normal(size=length).astype(np.float32),
        **flags,
        chance=rng.random(length) < 0.5,
    )


def store(folder: Path, lengths: tuple[int, ...] = (3, 5)) -> list[Episode]:
    episodes = [make(length, i) for i, length in enumerate(lengths)]
    with EpisodeWriter(folder, CARD) as writer:
        for episode in episodes:
            writer.add(episode)
    return episodes


def assert_same(stored: Episode, episode: Episode) -> None:
    for name in NAMES:
        np.testing.assert_array_equal(getattr(stored, name), getattr(episode, name), strict=True)


def mapped(array: np.ndarray) -> bool:
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap):
            return True
        array = array.base
    return False


def test_what_is_written_comes_back_as_views_of_memory_maps(tmp_path):
    written = store(tmp_path / "data", (3, 5, 1))
    episodes = Episodes.open(tmp_path / "data")
    assert (len(episodes), episodes.steps) == (3, 9)
    assert episodes.card.to_json() == CARD.to_json()
    for stored, episode in zip(episodes, written, strict=True):
        assert_same(stored, episode)
        assert all(mapped(getattr(stored, name)) for name in NAMES)
        assert not stored.observations.flags.writeable


@pytest.mark.parametrize(
    ("space", "dtype", "shape"),
    [
        (gym.spaces.Discrete(3, start=4), np.int64, ()),
        (gym.spaces.MultiDiscrete([2, 3]), np.int64, (2,)),
        (gym.spaces.MultiBinary(4), np.int64, (4,)),
        (gym.spaces.Box(-1, 1, (2, 3), np.float64), np.float32, (2, 3)),
    ],
)
def test_actions_of_every_kind_of_space(tmp_path, space, dtype, shape):
    card = clock_card(ClockEnv(action_space=space))
    space.seed(0)
    whole = make(4)
    actions = np.array([space.sample() for _ in range(4)]).astype(dtype)
    episode = Episode(whole.observations, actions, whole.rewards, whole.terminated, whole.truncated, whole.chance)
    with EpisodeWriter(tmp_path / "data", card) as writer:
        writer.add(episode)
    stored = Episodes.open(tmp_path / "data")[0]
    assert_same(stored, episode)
    assert stored.actions.shape == (4, *shape)
    assert bytes_per_step(card) == 8 + np.dtype(dtype).itemsize * int(np.prod(shape)) + 4 + 3


def test_a_full_buffer_becomes_a_shard_while_writing(tmp_path, monkeypatch):
    episode = make(5)
    monkeypatch.setattr(dreamplay.episodes, "SHARD_BYTES", 2 * sum(getattr(episode, name).nbytes for name in NAMES))
    with EpisodeWriter(tmp_path, CARD) as writer:
        for number, shards in enumerate([0, 0, 1, 1, 1, 2, 2], start=1):
            writer.add(episode)
            assert len(list(tmp_path.glob("shard-*"))) == shards
            assert (writer.episodes, writer.steps) == (number, 5 * number)
    index = json.loads((tmp_path / "data.json").read_text())
    assert [shard["episodes"] for shard in index["shards"]] == [3, 3, 1]
    assert (index["format"], index["steps"], index["episodes"]) == (1, 35, 7)
    assert len(Episodes.open(tmp_path)) == 7


def test_an_exception_in_the_middle_leaves_what_was_added(tmp_path):
    with pytest.raises(KeyboardInterrupt), EpisodeWriter(tmp_path, CARD) as writer:
        writer.add(make(3))
        raise KeyboardInterrupt
    assert_same(Episodes.open(tmp_path)[0], make(3))


def test_a_full_disk_leaves_the_shards_before_it(tmp_path, monkeypatch):
    store(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    writer = EpisodeWriter(tmp_path, CARD, append=True)
    writer.add(make(4))
    monkeypatch.setattr("dreamplay.shards.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        writer.close()
    assert [len(episode) for episode in Episodes.open(tmp_path)] == [3, 5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.json", "shard-00000"]
    monkeypatch.undo()
    writer.close()  # there is room again: nothing was lost
    assert [len(episode) for episode in Episodes.open(tmp_path)] == [3, 5, 4]


def test_what_a_killed_writer_left_is_ignored_and_not_written_over(tmp_path):
    store(tmp_path)
    shutil.copytree(tmp_path / "shard-00000", tmp_path / "shard-00001")  # renamed, but not yet named in data.json
    (tmp_path / "shard-00002.tmp").mkdir()
    (tmp_path / "shard-00002.tmp" / "observations.npy").write_bytes(b"half")
    assert Episodes.open(tmp_path).steps == 8
    with EpisodeWriter(tmp_path, CARD, append=True) as writer:
        writer.add(make(4))
    assert [len(episode) for episode in Episodes.open(tmp_path)] == [3, 5, 4]
    assert (tmp_path / "shard-00003").is_dir()
    assert (tmp_path / "shard-00002.tmp" / "observations.npy").read_bytes() == b"half"


def test_append_continues_a_folder_or_starts_one(tmp_path):
    for length in (2, 3):
        with EpisodeWriter(tmp_path / "data", CARD, append=True) as writer:
            writer.add(make(length))
        assert writer.steps == Episodes.open(tmp_path / "data").steps
    assert [len(episode) for episode in Episodes.open(tmp_path / "data")] == [2, 3]


def test_a_used_folder_is_refused_and_left_alone(tmp_path):
    store(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match="not empty"):
        EpisodeWriter(tmp_path, CARD)
    other = clock_card(ClockEnv(action_space=gym.spaces.Discrete(2)))
    with pytest.raises(UserError, match="another environment"):
        EpisodeWriter(tmp_path, other, append=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"observations": np.zeros((5, 2, 4, 1), np.uint8)}, r"observations are uint8 \(5, 2, 4, 1\)"),
        ({"observations": np.zeros((4, 2, 4, 1), np.float32)}, "observations are float32"),
        ({"actions": np.zeros((3, 1), np.int64)}, "actions are int64"),
        ({"terminated": np.array([True, False, True])}, "goes on after its end"),
        ({"truncated": np.array([False, True, False])}, "goes on after its end"),
    ],
)
def test_an_episode_that_does_not_fit_is_refused(tmp_path, change, message):
    arrays = {name: getattr(make(3), name) for name in NAMES} | change
    with pytest.raises(UserError, match=message):
        EpisodeWriter(tmp_path, CARD).add(Episode(**arrays))


def test_an_episode_without_a_step_is_refused(tmp_path):
    with pytest.raises(UserError, match="without a step"):
        EpisodeWriter(tmp_path, CARD).add(make(2).cut(1, 1))


def index_with(**changes):
    def damage(folder: Path) -> None:
        index = json.loads((folder / "data.json").read_text())
        (folder / "data.json").write_text(json.dumps(index | changes))

    return damage


def array_as(name: str, array: np.ndarray):
    return lambda folder: np.save(folder / "shard-00000" / f"{name}.npy", array)


def cut_short(folder: Path) -> None:
    path = folder / "shard-00000" / "observations.npy"
    path.write_bytes(path.read_bytes()[:-1])


FAULTS = {
    "missing folder": (shutil.rmtree, "there is no data folder"),
    "no data.json": (lambda folder: (folder / "data.json").unlink(), "has no data.json"),
    "not JSON": (lambda folder: (folder / "data.json").write_text("{"), "is not JSON"),
    "not text": (lambda folder: (folder / "data.json").write_bytes(b"\xff\xfe\x00"), "is not JSON"),
    "a list": (lambda folder: (folder / "data.json").write_text("[]"), "not of format 1"),
    "a later format": (index_with(format=2), "not of format 1"),
    "no environment": (index_with(env={}), "data.json: unreadable description"),
    "no shards": (index_with(shards=None), "incomplete"),
    "no episodes": (index_with(shards=[]), "holds no episodes"),
    "shard elsewhere": (index_with(shards=[{"name": "../x", "steps": 8, "episodes": 2}]), "outside its folder"),
    "missing shard": (lambda folder: shutil.rmtree(folder / "shard-00000"), "lengths.npy is missing"),
    "missing array": (lambda folder: (folder / "shard-00000" / "rewards.npy").unlink(), "rewards.npy is missing"),
    "truncated array": (cut_short, "observations.npy is cut short"),
    "empty array": (lambda folder: (folder / "shard-00000" / "chance.npy").write_bytes(b""), "chance.npy is cut short"),
    "no array": (lambda folder: (folder / "shard-00000" / "chance.npy").write_text("hello"), "chance.npy is cut short"),
    "pickled": (array_as("rewards", np.array([None] * 8)), "rewards.npy is cut short or not"),
    "wrong type": (array_as("rewards", np.zeros(8)), "rewards.npy holds float64"),
    "wrong shape": (array_as("observations", np.zeros((10, 2, 5, 1), np.uint8)), "observations.npy holds uint8"),
    "too few": (array_as("actions", np.zeros(7, np.int64)), "actions.npy holds int64"),
    "wrong lengths": (array_as("lengths", np.array([3, 4])), "lengths.npy does not add up to 8 steps"),
    "negative length": (array_as("lengths", np.array([-1, 9])), "lengths.npy does not add up to 8 steps"),
}


@pytest.mark.parametrize(("damage", "message"), FAULTS.values(), ids=FAULTS)
def test_every_fault_of_a_folder_is_one_clear_line(tmp_path, damage, message):
    store(tmp_path / "data")
    damage(tmp_path / "data")
    with pytest.raises(UserError, match=message) as error:
        Episodes.open(tmp_path / "data")
    assert "\n" not in str(error.value)
    assert str(tmp_path / "data") in str(error.value)


def test_every_tenth_episode_is_held_out(tmp_path):
    written = store(tmp_path, tuple(range(1, 26)))
    train, held_out = Episodes.open(tmp_path).split()
    assert [len(episode) for episode in held_out] == [10, 20]
    assert sorted(len(episode) for episode in [*train, *held_out]) == [len(episode) for episode in written]


def test_of_few_episodes_the_last_finished_one_is_held_out(tmp_path):
    with EpisodeWriter(tmp_path, CARD) as writer:
        for length, ends in ((3, "terminated"), (4, "truncated"), (5, "budget")):
            writer.add(make(length, ends=ends))
    train, held_out = Episodes.open(tmp_path).split()
    assert [[len(episode) for episode in part] for part in (train, held_out)] == [[3, 5], [4]]


def test_a_single_episode_is_cut_in_time(tmp_path):
    (whole,) = store(tmp_path, (20,))
    (train,), (held_out,) = Episodes.open(tmp_path).split()
    assert (len(train), len(held_out)) == (18, 2)
    np.testing.assert_array_equal(train.observations, whole.observations[:19])
    np.testing.assert_array_equal(held_out.observations, whole.observations[18:])
    np.testing.assert_array_equal(held_out.actions, whole.actions[18:])
    assert not train.terminated.any()
    assert held_out.terminated.tolist() == [False, True]


def test_a_single_step_cannot_be_split(tmp_path):
    store(tmp_path, (1,))
    with pytest.raises(UserError, match="single step"):
        Episodes.open(tmp_path).split()
