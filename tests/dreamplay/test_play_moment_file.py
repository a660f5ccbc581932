"""A moment that one person saves and another opens."""

import json
from pathlib import Path

import numpy as np
import pytest
from play_toys import StubGame, stub_session

from dreamplay.episodes import Episode
from dreamplay.errors import UserError
from dreamplay.play.moment_file import fingerprint, open_moment, save_moment
from dreamplay.play.reality import CONTEXT, Reality
from dreamplay.play.session import Session

ACTIONS = [1, 2, 0, 2]


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Session]:
    session = stub_session(StubGame(), seed=3)
    session.dream.temperature = 1.0
    for action in ACTIONS:
        session.step(action)
    path = tmp_path / "m.moment.npz"
    save_moment(path, session, "weights")
    return path, session


def test_the_same_checkpoint_goes_on_bit_for_bit_and_the_real_game_comes_along(saved):
    path, session = saved
    other = stub_session(StubGame(), seed=8)
    other.dream.temperature = 1.0
    assert "exactly" in open_moment(path, other, "weights")
    assert (other.moment.step, other.moment.dream.horizon) == (4, 4)
    assert other.moment.dream.total == session.moment.dream.total
    for action in [0, *ACTIONS, *ACTIONS]:
        for one in (session, other):
            one.step(action)
        for side in ("dream", "real"):
            a, b = getattr(session.moment, side), getattr(other.moment, side)
            assert np.array_equal(a.frame, b.frame) and (a.reward, a.total) == (b.reward, b.total)


def test_another_checkpoint_dreams_on_from_the_last_frames(saved):
    path, session = saved
    other = stub_session()
    given = {}
    reset = other.dream.reset
    other.dream.reset = lambda **arguments: given.update(arguments["options"]["context"]) or reset(**arguments)
    assert "another checkpoint" in open_moment(path, other, "other weights")
    assert np.array_equal(given["observations"], [moment.seen for moment in session.line.moments])
    assert given["actions"].tolist() == ACTIONS
    assert np.array_equal(other.moment.seen, session.moment.seen)
    assert other.moment.dream.horizon == 0 and other.moment.real is None


def test_frames_of_an_earlier_dream_are_no_context(tmp_path: Path):
    session = stub_session(StubGame())
    for action in [1, 1]:
        session.step(action)
    session.next_context()
    session.step(2)
    save_moment(tmp_path / "m.npz", session, "")
    with np.load(tmp_path / "m.npz") as file:
        assert len(file["frames"]) == 2 and file["actions"].tolist() == [2]
        assert json.loads(str(file["head"]))["real"] is None


def test_a_real_game_that_goes_another_way_is_left_behind(saved):
    path, _ = saved
    other = stub_session(StubGame(length=6))
    assert "left behind" in open_moment(path, other, "weights")
    assert other.moment.real is None and other.moment.dream is not None


def test_opening_forgets_the_branches(saved):
    path, session = saved
    session.branch()
    open_moment(path, session, "weights")
    assert len(session.branches) == 1 and not session.seek(-1)


@pytest.mark.parametrize("content", [b"", b"not a moment", b"PK\x03\x04 cut short"])
def test_what_is_no_moment_leaves_everything_as_it_was(tmp_path: Path, content: bytes):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    session = stub_session()
    before = session.moment
    with pytest.raises(UserError, match="cannot be opened"):
        open_moment(path, session, "weights")
    assert session.moment is before


def test_a_file_that_fails_half_way_leaves_a_game_that_goes_on(saved, tmp_path: Path):
    path, _ = saved
    with np.load(path) as file:
        arrays = {name: value for name, value in file.items() if name != "real.actions"}
    np.savez(tmp_path / "half.npz", **arrays)
    session, still = stub_session(StubGame(), seed=5), stub_session(StubGame(), seed=5)
    with pytest.raises(UserError, match="cannot be opened"):
        open_moment(tmp_path / "half.npz", session, "weights")
    for action in ACTIONS:
        assert np.array_equal(session.step(action).seen, still.step(action).seen)
        assert session.moment.wrong == 0


def test_the_game_before_is_kept_as_data(saved):
    path, _ = saved
    kept: list[Episode] = []
    session = Session(stub_session().dream, Reality(StubGame(), idle=0, keep=kept.append))
    session.step(1)
    open_moment(path, session, "weights")
    session.step(2)
    session.reality.close()
    assert [len(episode) for episode in kept] == [CONTEXT, CONTEXT + len(ACTIONS)]
    assert kept[1].actions[-5:].tolist() == [*ACTIONS, 2]


def test_arrays_that_would_run_code_are_refused(tmp_path: Path):
    np.savez(tmp_path / "evil.npz", head=np.array([{"format": 1}], object))
    with pytest.raises(UserError, match="cannot be opened"):
        open_moment(tmp_path / "evil.npz", stub_session(), "")


def test_the_moment_of_another_game_is_named(saved, tmp_path: Path):
    path, _ = saved
    with np.load(path) as file:
        arrays = dict(file)
    for change, complaint in [({"env": "Other-v0"}, "moment of Other-v0"), ({"format": 9}, "format 9")]:
        head = json.loads(str(arrays["head"])) | change
        np.savez(tmp_path / "other.npz", **arrays | {"head": np.array(json.dumps(head))})
        with pytest.raises(UserError, match=complaint):
            open_moment(tmp_path / "other.npz", stub_session(), "weights")


def test_the_real_game_alone_has_no_moments_to_save(tmp_path: Path, saved):
    alone = Session(None, Reality(StubGame(), idle=0))
    with pytest.raises(UserError, match="only moments of a dream"):
        save_moment(tmp_path / "m.npz", alone, "")
    with pytest.raises(UserError, match="needs a dream"):
        open_moment(saved[0], alone, "")


def test_a_checkpoint_is_known_by_its_weights(run: Path):
    manifest = json.loads((run / "checkpoint.json").read_text())
    (expected,) = [checksum for name, checksum in manifest["files"].items() if name.startswith("weights-")]
    assert fingerprint(run) == expected
