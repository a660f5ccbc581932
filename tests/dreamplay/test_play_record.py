"""`dreamplay play`: recordings without a display, the real game alone, and what it refuses."""

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from play_toys import KEYS, ScriptedAgent, StubGame, stub_session

from dreamplay.commands.play import Play
from dreamplay.episodes import Episodes
from dreamplay.errors import UserError
from dreamplay.play.controls import controls_for
from dreamplay.play.pilot import Pilot
from dreamplay.play.record import record
from dreamplay.play.session import Session
from dreamplay.play.setup import Setup
from dreamplay.video import panes
from toys import StubSimulator


@pytest.fixture
def headless(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "")  # set here, so that what the command sets is undone
    monkeypatch.setattr("sys.platform", "linux")


@pytest.fixture
def stub_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A folder that the command takes for a run of the stub simulator beside the stub game."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.json").write_text("{}")
    simulator = StubSimulator(lengths=(0,), keys_to_action=KEYS)
    monkeypatch.setattr("dreamplay.simulator.load", lambda run, device, backend: simulator)
    monkeypatch.setattr("dreamplay.play.moment_file.fingerprint", lambda run: "weights")
    monkeypatch.setattr("dreamplay.envs.real.make_env", lambda run: StubGame())
    return str(tmp_path / "run")


def setup(tmp_path: Path) -> Setup:
    controls = controls_for(KEYS, StubGame().action_space)
    return Setup(controls, Pilot(ScriptedAgent(), "scripted"), 10, tmp_path)


def catch(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    caught: list[np.ndarray] = []
    monkeypatch.setattr("dreamplay.play.record.write_video", lambda path, frames, fps: caught.extend(frames))
    return caught


@pytest.mark.parametrize("beside", [True, False])
def test_a_recording_has_one_picture_per_step_with_every_pane(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, beside: bool
):
    drawn: list[list[tuple[str, np.ndarray]]] = []
    monkeypatch.setattr("dreamplay.play.clip.panes", lambda named, caption: drawn.append(named) or panes(named))
    pictures = catch(monkeypatch)
    session = stub_session(StubGame() if beside else None)
    record(session, setup(tmp_path), tmp_path / "dream.mp4", steps=12)
    assert len(pictures) == len(drawn) == 12
    assert session.moment.step == 12 and session.moment.action == 2
    labels = ["truth", "dream", "difference"] if beside else ["dream"]
    assert all([label for label, _ in named] == labels for named in drawn)
    last = dict(drawn[-1])
    assert np.array_equal(last["dream"][..., :1], session.moment.dream.frame)
    if beside:
        assert np.array_equal(last["truth"][..., :1], session.moment.real.frame)


def test_a_game_that_ends_is_followed_by_the_next_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pictures = catch(monkeypatch)
    session = stub_session(endless=False)  # each dream lasts three steps
    record(session, setup(tmp_path), tmp_path / "dream.mp4", steps=8)
    assert len(pictures) == 8 and session.moment.step == 2


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_the_command_records_without_a_display(headless: None, stub_run: str, tmp_path: Path, suffix: str):
    path = tmp_path / f"dream{suffix}"
    answer = Play(stub_run, record=path, steps=15).run()
    assert len(imageio.imread(path, index=None)) == 15
    assert answer["record"] == str(path) and answer["beside_reality"] and answer["steps"] == 15
    assert answer["return"] is not None and answer["real_return"] > 0 and answer["data"] is None


def test_the_whole_window_is_recorded_without_a_display_too(headless: None, stub_run: str, tmp_path: Path):
    path = tmp_path / "window.mp4"
    answer = Play(stub_run, record=path, steps=6, picture="window", agent="cem").run()
    frames = imageio.imread(path)
    assert len(frames) == 6 and min(frames.shape[1:3]) > 150 and answer["steps"] == 6


def test_the_same_seed_records_the_same_game(headless: None, stub_run: str, tmp_path: Path):
    for name in ("a.gif", "b.gif"):
        Play(stub_run, record=tmp_path / name, steps=9, seed=4).run()
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_without_the_real_game_the_dream_is_recorded_alone(
    headless: None,
    stub_run: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    def missing(run: str) -> None:
        raise UserError("ALE is not installed; pip install 'dreamplay[atari]'")

    monkeypatch.setattr("dreamplay.envs.real.make_env", missing)
    answer = Play(stub_run, record=tmp_path / "dream.gif", steps=5).run()
    assert not answer["beside_reality"] and answer["real_return"] is None
    assert "the dream alone" in capsys.readouterr().out
    with pytest.raises(UserError, match="--data has no real game"):
        Play(stub_run, record=tmp_path / "more.gif", data=tmp_path / "data").run()


def test_the_real_game_alone_is_recorded_and_kept_as_data(headless: None, tmp_path: Path):
    options = {"record": tmp_path / "catch.gif", "steps": 30, "data": tmp_path / "data"}
    answer = Play("Dreamplay/Catch-v0", **options).run()
    assert answer["return"] is None and not answer["beside_reality"]
    episodes = Episodes.open(tmp_path / "data")
    assert episodes.steps == 30 and answer["episodes"] == len(episodes)
    assert len(imageio.imread(tmp_path / "catch.gif", index=None)) == 30
    Play("Dreamplay/Catch-v0", **options | {"record": tmp_path / "more.gif", "seed": 9}).run()
    assert Episodes.open(tmp_path / "data").steps == 60  # added to what was there


def test_a_saved_moment_is_where_a_recording_begins(headless: None, stub_run: str, tmp_path: Path):
    from dreamplay.play.moment_file import save_moment

    session = stub_session(StubGame())
    for action in [1, 2, 2]:
        session.step(action)
    path = tmp_path / "m.moment.npz"
    save_moment(path, session, "weights")
    answer = Play(stub_run, record=tmp_path / "dream.gif", steps=4, moment=path).run()
    assert answer["steps"] == 7


def test_without_a_display_the_window_is_refused_before_anything_is_loaded(headless: None):
    with pytest.raises(UserError, match=r"no display.*--record FILE"):
        Play("no-such-run").run()


def test_an_existing_recording_is_left_alone(tmp_path: Path):
    path = tmp_path / "dream.mp4"
    path.write_bytes(b"precious")
    with pytest.raises(UserError, match="exists and is not overwritten"):
        Play("run", record=path).run()
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"record": "dream.avi"}, "not a video name"),
        ({"record": "nowhere/dream.mp4"}, "not a folder"),
        ({"record": "dream.mp4", "agent": "human"}, "no window to play in"),
        ({"record": "dream.mp4", "steps": 0}, "--steps 0"),
        ({"record": "dream.mp4"}, "cannot make run"),
        ({"agent": "cem"}, "--agent cem needs a dream"),
        ({"moment": "no.npz"}, "is not a file"),
        ({"seed": -1}, "--seed -1"),
        ({"fps": 0.0}, "--fps 0"),
        ({"fps": float("nan")}, "--fps nan"),
    ],
)
def test_impossible_wishes_are_refused(tmp_path: Path, options: dict, complaint: str):
    options = options | {name: tmp_path / options[name] for name in ("record", "moment") if name in options}
    with pytest.raises(UserError, match=complaint):
        Play("run", **options).run()
    assert list(tmp_path.iterdir()) == []


def test_the_window_opens_and_closes(stub_run: str, monkeypatch: pytest.MonkeyPatch):
    pygame = pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    escape = pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE, scancode=pygame.KSCAN_ESCAPE)
    events = [[], [escape]]
    monkeypatch.setattr(pygame.event, "get", lambda: events.pop(0))
    answer = Play(stub_run, fps=100).run()
    assert answer["record"] is None and answer["steps"] == 2
    assert not pygame.display.get_init()


def test_a_session_needs_something_to_play():
    with pytest.raises(ValueError):
        Session(None, None)
