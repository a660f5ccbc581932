"""`dreamplay play`: recordings without a display, and what it refuses."""

from pathlib import Path

import imageio.v2 as imageio
import numpy as np
import pytest
from play_toys import KEYS, StubGame, stub_session

from dreamplay.commands.play import Play
from dreamplay.errors import UserError
from dreamplay.play.record import record
from dreamplay.video import panes
from toys import StubSimulator


@pytest.fixture
def headless(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")


@pytest.fixture
def stub_run(monkeypatch: pytest.MonkeyPatch) -> StubGame:
    """Lets the command load the stub simulator and make the stub game, whatever RUN says."""
    game = StubGame()
    monkeypatch.setattr(
        "dreamplay.simulator.load", lambda run, device: StubSimulator(lengths=(0,), keys_to_action=KEYS)
    )
    monkeypatch.setattr("dreamplay.envs.real.make_env", lambda run: game)
    return game


def catch(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    caught: list[np.ndarray] = []
    monkeypatch.setattr("dreamplay.play.record.write_video", lambda path, frames, fps: caught.extend(frames))
    return caught


@pytest.mark.parametrize("beside", [True, False])
def test_a_recording_has_one_picture_per_step_with_every_pane(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, beside: bool
):
    drawn: list[list[tuple[str, np.ndarray]]] = []
    monkeypatch.setattr("dreamplay.play.record.panes", lambda named, caption: drawn.append(named) or panes(named))
    pictures = catch(monkeypatch)
    session = stub_session(StubGame() if beside else None, agent_plays=True)
    record(session, tmp_path / "dream.mp4", steps=12, fps=10)
    assert len(pictures) == len(drawn) == 12
    assert session.moment.step == 12
    labels = ["truth", "dream", "difference"] if beside else ["dream"]
    assert all([label for label, _ in named] == labels for named in drawn)
    last = dict(drawn[-1])
    assert np.array_equal(last["dream"][..., :1], session.moment.dream)
    if beside:
        assert np.array_equal(last["truth"][..., :1], session.moment.real)


def test_a_game_that_ends_is_followed_by_the_next_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pictures = catch(monkeypatch)
    session = stub_session(endless=False, agent_plays=True)  # each dream lasts three steps
    record(session, tmp_path / "dream.mp4", steps=8, fps=10)
    assert len(pictures) == 8 and session.moment.step == 2


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_the_command_records_without_a_display(headless: None, stub_run: StubGame, tmp_path: Path, suffix: str):
    path = tmp_path / f"dream{suffix}"
    answer = Play("run", record=path, steps=15).run()
    assert sum(1 for _ in imageio.get_reader(path)) == 15
    assert answer["record"] == str(path) and answer["beside_reality"] and answer["steps"] == 15
    assert answer["return"] is not None and answer["real_return"] == sum(stub_run.actions[-15:])


def test_the_same_seed_records_the_same_game(headless: None, stub_run: StubGame, tmp_path: Path):
    played = []
    for name in ("a.gif", "b.gif"):
        Play("run", record=tmp_path / name, steps=9, seed=4).run()
        played.append(stub_run.actions)
    assert played[0] == played[1]
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_without_the_real_game_the_dream_is_recorded_alone(
    headless: None,
    stub_run: StubGame,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    def missing(run: str) -> None:
        raise UserError("ALE is not installed; pip install 'dreamplay[atari]'")

    monkeypatch.setattr("dreamplay.envs.real.make_env", missing)
    answer = Play("run", record=tmp_path / "dream.gif", steps=5).run()
    assert not answer["beside_reality"] and answer["real_return"] is None
    assert "the dream alone" in capsys.readouterr().out


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
        ({"seed": -1}, "--seed -1"),
        ({"fps": 0.0}, "--fps 0"),
        ({"fps": float("nan")}, "--fps nan"),
    ],
)
def test_impossible_wishes_are_refused(tmp_path: Path, options: dict, complaint: str):
    if "record" in options:
        options = options | {"record": tmp_path / options["record"]}
    with pytest.raises(UserError, match=complaint):
        Play("run", **options).run()
    assert list(tmp_path.iterdir()) == []


def test_the_window_opens_and_closes(stub_run: StubGame, monkeypatch: pytest.MonkeyPatch):
    pygame = pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    events = [[], [pygame.event.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE)]]
    monkeypatch.setattr(pygame.event, "get", lambda: events.pop(0))
    answer = Play("run", fps=100).run()
    assert answer["record"] is None and answer["steps"] == 2
    assert not pygame.display.get_init()
