"""What a player keeps: numbered files that show exactly what was seen."""

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from play_toys import AtOnce, StubGame, stub_session

from dreamplay.play.album import Album, newest_file, next_file
from dreamplay.play.background import Background
from dreamplay.play.clip import clean
from dreamplay.play.reality import Reality
from dreamplay.play.recorder import Recorder
from dreamplay.play.session import Session
from dreamplay.play.views import beside


def album(tmp_path: Path, session: Session | None = None, fps: float = 10) -> Album:
    return Album(session or stub_session(StubGame()), tmp_path / "kept", fps, Background(executor=AtOnce()), "weights")


def clean_frames(session: Session) -> list[np.ndarray]:
    both = session.dream is not None and session.reality is not None
    return [clean(beside(moment, both), moment) for moment in session.line.moments]


def test_files_are_numbered_and_none_replaces_another(tmp_path: Path):
    folder = tmp_path / "new" / "folder"
    names = []
    for _ in range(3):
        path = next_file(folder, "last", ".gif")
        path.touch()
        names.append(path.name)
    assert names == ["last-001.gif", "last-002.gif", "last-003.gif"]
    assert newest_file(folder, "last", ".mp4") is None
    assert newest_file(folder, "last", ".gif") == folder / "last-003.gif"


def test_the_last_ten_seconds_become_a_gif_of_clean_frames(tmp_path: Path):
    session = stub_session(StubGame())
    for step in range(130):
        session.step(step % 3)
    kept = album(tmp_path, session)
    kept.keep_last_seconds()
    assert session.notice == "saving the last ten seconds"
    kept.update()
    path = tmp_path / "kept" / "last-001.gif"
    assert str(path) in session.notice
    frames = imageio.imread(path, index=None, mode="RGB")
    assert len(frames) == 100  # ten seconds at ten steps a second
    expected = np.array(clean_frames(session)[-100:])
    assert np.abs(frames.astype(int) - expected).max() <= 8  # a GIF has 256 colours for frames and letters together


def test_a_rewound_player_keeps_what_came_before(tmp_path: Path):
    session = stub_session()
    for _ in range(9):
        session.step(1)
    session.seek(-5)
    album(tmp_path, session).keep_last_seconds()
    assert len(imageio.imread(tmp_path / "kept" / "last-001.gif", index=None)) == 5


@pytest.mark.parametrize("clean_frames_only", [True, False])
def test_a_recording_shows_clean_frames_or_the_window(tmp_path: Path, clean_frames_only: bool):
    session = stub_session(StubGame())
    kept = album(tmp_path, session)
    kept.toggle_recording(clean_frames=clean_frames_only)
    assert kept.recording
    window = np.zeros((64, 96, 3), np.uint8)
    window[:, 48:] = 255
    for action in [1, 2, 0]:
        session.step(action)
        kept.record(lambda: window)
    kept.toggle_recording(clean_frames=False)
    assert not kept.recording and "recorded 3 frames" in session.notice
    frames = imageio.imread(tmp_path / "kept" / "play-001.mp4")
    expected = np.array(clean_frames(session)[1:] if clean_frames_only else [window] * 3)
    assert frames.shape == expected.shape
    assert np.abs(frames.astype(int) - expected).mean() < 4  # the codec is not lossless


def test_nothing_is_recorded_unless_asked_for(tmp_path: Path):
    kept = album(tmp_path)
    kept.record(lambda: pytest.fail("no picture is needed"))
    kept.end_recording()
    assert not (tmp_path / "kept").exists()


def test_a_moment_is_saved_and_the_newest_one_opened(tmp_path: Path):
    session = stub_session(StubGame())
    kept = album(tmp_path, session)
    kept.open_newest()
    assert "no moment" in session.notice
    session.step(1)
    kept.save_moment()
    assert "moment-001" in session.notice
    seen = session.moment.seen
    session.step(2)
    kept.open_newest()
    assert np.array_equal(session.moment.seen, seen) and session.moment.step == 1


def test_a_folder_that_cannot_be_made_is_news_and_no_crash(tmp_path: Path):
    (tmp_path / "kept").write_text("a file is in the way")
    session = stub_session()
    kept = album(tmp_path, session)
    for keep in (kept.keep_last_seconds, kept.save_moment, lambda: kept.toggle_recording(clean_frames=True)):
        session.notice = ""
        keep()
        kept.update()
        assert session.notice and not kept.recording


def test_the_real_game_alone_can_be_kept_too(tmp_path: Path):
    session = Session(None, Reality(StubGame(), idle=0))
    session.step(1)
    album(tmp_path, session).keep_last_seconds()
    assert len(imageio.imread(tmp_path / "kept" / "last-001.gif", index=None)) == 2


def test_pictures_of_other_sizes_are_fitted_to_the_first(tmp_path: Path):
    recorder = Recorder(tmp_path / "a.gif", 10)
    for size in [(5, 7), (2, 10), (9, 3)]:
        recorder.add(np.full((*size, 3), 255, np.uint8))
    assert "3 frames" in recorder.close()
    frames = imageio.imread(tmp_path / "a.gif", index=None, mode="RGB")
    assert [(frame > 0).any(-1).sum() for frame in frames] == [4 * 6, 2 * 6, 4 * 3]


def test_a_recording_that_fails_says_so_and_holds_nobody_up(tmp_path: Path):
    recorder = Recorder(tmp_path / "nowhere" / "a.gif", 10)
    for _ in range(200):
        recorder.add(np.zeros((4, 4, 3), np.uint8))
    assert "not recorded" in recorder.close()
    assert "not recorded" in Recorder(tmp_path / "empty.gif", 10).close()
