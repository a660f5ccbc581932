"""Events in a window without a screen: what each did to the game, and what is drawn."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from play_toys import KEYS, AtOnce, ScriptedAgent, StubGame, WhenTold, stub_session

from dreamplay.play.background import Background
from dreamplay.play.controls import controls_for
from dreamplay.play.pilot import Pilot
from dreamplay.play.reality import Reality
from dreamplay.play.session import Session
from dreamplay.play.trust import Trust

pygame = pytest.importorskip("pygame")

from dreamplay.play.keys import REPEAT_AFTER  # noqa: E402 (after the check for pygame)
from dreamplay.play.player import SPEEDS, Player  # noqa: E402
from dreamplay.play.scancodes import scancode  # noqa: E402
from dreamplay.play.screen import WARN, Screen  # noqa: E402
from dreamplay.play.setup import Setup  # noqa: E402
from dreamplay.play.views import View, pictures  # noqa: E402


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Player]]:
    """Makes a player of a session; its agent always does 1, and work beside the loop is done at once."""
    from dreamplay.play.display import open_display

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    open_display()

    def make(session: Session, trust: Trust | None = None, worker=None, agent: ScriptedAgent | None = None) -> Player:
        space = (session.dream or session.reality.env).action_space
        controls = controls_for(KEYS, space)
        pilot = Pilot(agent or ScriptedAgent(action=1), "scripted")
        setup = Setup(controls, pilot, 10, tmp_path / "kept", "weights", trust or Trust())
        screen = Screen("test", session.frame_size, 3, controls.keys)
        return Player(session, setup, screen, lambda wake: Background(wake, worker or AtOnce()))

    yield make
    pygame.quit()


@pytest.fixture
def player(make: Callable[..., Player]) -> Player:
    """Dream and real game side by side."""
    return make(stub_session(StubGame()))


def down(name: str, **more) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=0, scancode=scancode(name), **more))


def up(name: str) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYUP, key=0, scancode=scancode(name)))


def tap(name: str, **more) -> None:
    down(name, **more)
    up(name)


def mouse(kind: int, place: tuple[int, int]) -> None:
    pygame.event.post(pygame.event.Event(kind, pos=place, button=1))


def ticks(player: Player, count: int) -> None:
    for _ in range(count):
        player.tick()


def actions(player: Player, count: int) -> list[int]:
    taken = []
    for _ in range(count):
        player.tick()
        taken.append(player.session.moment.action)
    return taken


def press(player: Player, name: str, **more) -> None:
    tap(name, **more)
    player.tick()


def test_a_key_acts_on_the_next_step_and_until_it_is_released(player):
    assert actions(player, 1) == [0]
    down("right")
    assert actions(player, 2) == [2, 2]
    up("right")
    assert actions(player, 1) == [0]


def test_a_tap_between_two_steps_acts_once(player):
    tap("right")
    assert actions(player, 2) == [2, 0]


def test_a_tap_wins_over_a_key_that_is_held(player):
    down("right")
    assert actions(player, 1) == [2]
    tap("a")
    assert actions(player, 2) == [1, 2]


def test_a_game_key_steers_dream_and_reality(player):
    down("d")
    player.tick()
    assert player.session.reality.env.actions[-1] == 2
    assert player.session.moment.wrong == 0


def test_pause_stops_time_and_a_second_press_starts_it(player):
    player.tick()
    tap("p")
    ticks(player, 2)
    assert player.paused and player.session.moment.step == 1
    press(player, "p")
    assert not player.paused and player.session.moment.step == 2


def test_a_single_step_pauses_and_uses_the_keys(player):
    press(player, ".")
    assert player.paused and player.session.moment.step == 1
    press(player, "d")
    assert player.session.moment.step == 1
    press(player, ".")
    assert (player.session.moment.step, player.session.moment.action) == (2, 2)


def test_a_step_back_pauses_and_forgets_nothing(player):
    ticks(player, 3)
    press(player, ",")
    assert player.paused and player.session.moment.step == 2
    assert player.session.line.moments[-1].step == 3


def test_rewind_goes_back_while_held_and_shows_identical_frames(player):
    seen = []
    for _ in range(6):
        player.tick()
        seen.append(player.session.moment)
    down("backspace")
    for expected in seen[-2:-5:-1]:
        player.tick()
        assert player.session.moment is expected
    up("backspace")
    player.tick()
    now = player.session.moment
    assert now.step == 4  # three steps were left, and one was played
    assert np.array_equal(now.dream.frame, seen[3].dream.frame) and np.array_equal(now.real.frame, seen[3].real.frame)


def test_a_tapped_rewind_goes_back_by_one_while_paused(player):
    ticks(player, 3)
    tap("p")
    tap("backspace")
    ticks(player, 2)
    assert player.session.moment.step == 2


def test_arrows_seek_while_paused_and_steer_otherwise(player):
    ticks(player, 15)
    tap("p")
    down("left")
    ticks(player, REPEAT_AFTER)
    assert player.session.moment.step == 14  # a tap is one moment, however long a finger takes
    ticks(player, 2)
    assert player.session.moment.step == 12
    up("left")
    press(player, "right")
    assert player.session.moment.step == 13
    press(player, "down")
    assert player.session.moment.step == 3
    press(player, "up")
    assert player.session.moment.step == 13
    down("right")
    ticks(player, 30)
    assert player.session.moment is player.session.line.moments[-1]
    press(player, "p")
    assert player.session.moment.action == 0  # an arrow that was pressed to seek does not steer


def test_keys_pressed_within_one_frame_take_effect_in_their_order(player):
    ticks(player, 5)
    tap("p")
    tap("left")
    tap("left")
    tap("b")
    tap(".")
    player.tick()
    assert player.session.line.origin == 3 and player.session.moment.step == 4
    tap("left")
    tap("p")
    tap("d")
    player.tick()
    assert player.session.moment.step == 3 and not player.paused
    assert actions(player, 1) == [2] and player.session.moment.step == 4


def test_the_bar_can_be_dragged(player):
    ticks(player, 40)
    left, top, width, height = player._layout.bar
    middle = top + height // 2
    mouse(pygame.MOUSEBUTTONDOWN, (left + width // 2, middle))
    player.tick()
    assert player.paused and player.session.moment.step == 20
    mouse(pygame.MOUSEMOTION, (left, middle + 300))  # as far from the bar as one likes
    player.tick()
    assert player.session.moment.step == 0
    mouse(pygame.MOUSEBUTTONUP, (left, middle))
    mouse(pygame.MOUSEMOTION, (left + width, middle))
    player.tick()
    assert player.session.moment.step == 0 and len(player.session.line.moments) == 41


def test_a_click_elsewhere_is_none_on_the_bar(player):
    ticks(player, 5)
    mouse(pygame.MOUSEBUTTONDOWN, (20, 60))
    player.tick()
    assert not player.paused


def test_speed_has_steps_and_ends(player):
    press(player, "]")
    assert player.speed == 2
    for _ in range(9):
        tap("[")
    player.tick()
    assert player.speed == SPEEDS[0]


def test_turns_wait_for_a_key_each(player):
    press(player, "t")
    assert player.turns and player.waits and player.session.moment.step == 0
    ticks(player, 3)
    assert player.session.moment.step == 0
    assert (press(player, "right"), player.session.moment.action) == (None, 2)
    down("left")
    ticks(player, 3)  # held, it is still one step
    assert (player.session.moment.step, player.session.moment.action) == (2, 1)
    up("left")
    tap("right")
    tap("right")
    player.tick()
    assert player.session.moment.step == 4
    press(player, "t")
    assert not player.turns and player.session.moment.step == 5


def test_branching_shows_both_futures_and_digits_choose(player):
    ticks(player, 4)
    original = list(player.session.line.moments)
    tap("p")
    tap(",")
    tap("b")
    player.tick()
    assert player.view is View.BRANCHES and player.session.chosen == 1
    tap("p")
    down("right")
    ticks(player, 3)
    up("right")
    assert all(a is b for a, b in zip(player.session.branches[0].moments, original, strict=True))
    tap("p")
    press(player, "1")
    assert player.session.chosen == 0 and player.session.moment is original[3]
    press(player, "7")
    assert player.session.chosen == 0 and "no branch 7" in player.session.notice


def test_tab_changes_the_view(player):
    press(player, "tab")
    assert player.view is View.DREAM
    press(player, "tab")
    assert player.view is View.BESIDE


def test_anchor_starts_the_dream_at_the_real_frame(player):
    ticks(player, 4)
    tap("p")
    press(player, "x")
    assert (player.session.moment.step, player.session.moment.dream.horizon) == (4, 0)


def test_a_stored_context_and_back(player):
    tap("p")
    press(player, "c")
    assert player.session.moment.real is None
    press(player, "x")
    assert player.session.moment.real is not None


def test_temperature_changes_live_between_cold_and_hot(player):
    dream = player.session.dream
    press(player, "=")
    assert dream.temperature == 0.1
    ticks(player, 3)
    assert player.session.moment.wrong == 6  # chance had its say
    for _ in range(3):
        tap("-")
    player.tick()
    assert dream.temperature == 0
    for _ in range(40):
        tap("=")
    player.tick()
    assert dream.temperature == 2


def test_hand_over_gives_the_agent_the_controls_and_takes_them_back(player):
    tap("m")
    down("right")
    assert actions(player, 2) == [1, 1]
    tap("m")
    assert actions(player, 1) == [2]


def test_a_tap_while_the_agent_plays_is_not_kept_for_later(player):
    tap("m")
    tap("right")
    assert actions(player, 1) == [1]
    tap("m")
    assert actions(player, 1) == [0]


def test_an_agent_that_thinks_stops_the_game_but_not_the_window(make):
    worker = WhenTold()
    player = make(stub_session(StubGame()), worker=worker)
    player.setup = Setup(**vars(player.setup) | {"fps": 1000.0})  # waits half a frame for each decision
    press(player, "m")
    ticks(player, 2)
    assert player.session.moment.step == 0
    press(player, "h")
    assert player.show_help
    worker.work()
    assert actions(player, 1) == [1] and player.session.moment.step == 1


def test_a_paused_agent_takes_single_steps(make):
    worker = WhenTold()
    player = make(stub_session(), worker=worker)
    player.setup = Setup(**vars(player.setup) | {"fps": 1000.0})
    tap("m")
    press(player, ".")
    assert player.paused and player.session.moment.step == 0
    worker.work()
    ticks(player, 3)
    assert player.session.moment.step == 1 and player.session.moment.action == 1


def test_the_agents_plan_is_drawn_and_gone_when_it_hands_back(make):
    player = make(stub_session(), agent=ScriptedAgent(action=1, plan=np.array([1, 2, 2, 2])))
    player.view = View.DREAM
    press(player, "m")
    first, plan = player.session.moment, player._plan_frames
    assert plan.shape == (3, 2, 3, 1)
    player.session.step(2)
    assert np.array_equal(player.session.moment.seen, plan[0])
    assert pictures(Session(player.session.dream, None), plan=plan)[0].label == "dream and plan"
    assert first.step == 1
    press(player, "m")
    assert player._plan_frames is None


def test_the_fan_follows_the_game_and_the_key_that_is_held(player):
    tap("p")
    press(player, "f")
    player.tick()
    fan = player._fans.fan
    assert player.show_fan and fan.origin is player.session.moment and fan.cause == "held action"
    down("d")
    ticks(player, 2)
    assert player._fans.fan is not fan and player._fans.fan.origin is fan.origin
    press(player, "f")
    assert not player.show_fan


def test_a_lonely_real_game_has_no_fan(make):
    player = make(Session(None, Reality(StubGame(), idle=0)))
    press(player, "f")
    assert not player.show_fan and "one future" in player.session.notice
    press(player, "=")
    press(player, "x")
    assert player.session.moment.step == 3


def test_restart_begins_another_game(player):
    ticks(player, 3)
    games = player.session.reality.env.games
    tap("p")
    press(player, "r")
    assert player.session.moment.step == 0 and player.session.reality.env.games > games


def test_an_ended_game_stays_in_view_then_the_next_one_starts(player):
    player.session.reality.env.length = 12
    player.session.start()
    steps = []
    while not player.session.moment.over:
        player.tick()
    for _ in range(35):
        player.tick()
        steps.append((player.session.moment.over, player.session.moment.step))
    lingering = sum(over for over, _ in steps)
    assert 25 <= lingering <= 30  # three seconds at ten steps a second
    assert steps[lingering] == (False, 0)


@pytest.mark.parametrize("agent_plays", [False, True])
def test_a_dream_that_ended_alone_is_followed_by_another(make, agent_plays: bool):
    player = make(stub_session(endless=False))
    player.pilot_plays = agent_plays
    ticks(player, 3)
    assert player.session.moment.over
    ticks(player, 32)
    assert player.session.starts == 2


def test_the_last_seconds_a_moment_and_a_recording_are_kept(player, tmp_path: Path):
    ticks(player, 4)
    press(player, "g")
    press(player, "f5")
    saved = player.session.line.moments[-2]
    tap("v", mod=pygame.KMOD_SHIFT)
    ticks(player, 3)
    assert player.album.recording
    press(player, "v")
    names = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert names == ["last-001.gif", "moment-001.moment.npz", "play-001.mp4"]
    assert len(imageio.imread(tmp_path / "kept" / "last-001.gif", index=None)) == 5
    assert len(imageio.imread(tmp_path / "kept" / "play-001.mp4")) == 3
    tap("p")
    press(player, "f9")
    assert np.array_equal(player.session.moment.seen, saved.seen)


def test_a_recording_waits_while_the_game_does_and_is_complete_when_the_window_closes(player, tmp_path: Path):
    tap("v")
    ticks(player, 2)
    tap("p")
    ticks(player, 5)
    player.close()
    window = imageio.imread(tmp_path / "kept" / "play-001.mp4")
    assert len(window) == 2
    width, height = pygame.display.get_surface().get_size()
    assert window.shape[1:3] == (height // 2 * 2, width // 2 * 2)


def test_losing_the_focus_releases_every_key_and_is_shown(player):
    down("right")
    down("backspace")
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    player.tick()
    assert actions(player, 2) == [0, 0]
    assert not player.focused and "click here" in player._news("")[0]
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSGAINED))
    player.tick()
    assert player.focused and "click here" not in player._news("")[0]


def test_help_and_quit(player):
    press(player, "h")
    assert player.show_help and not player.quitting
    press(player, "escape")
    assert player.quitting


@pytest.mark.parametrize("paused", [False, True])
def test_closing_the_window_ends_the_loop(player, paused: bool):
    player.pause(paused)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    player.run()
    assert player.quitting


@pytest.mark.parametrize("key", ["p", "t"])
def test_a_loop_without_anything_to_do_waits_for_events_instead_of_spinning(player, key: str, monkeypatch):
    press(player, key)
    events = [pygame.event.Event(pygame.NOEVENT), pygame.event.Event(pygame.NOEVENT), pygame.event.Event(pygame.QUIT)]
    waits, drawn = [], []
    monkeypatch.setattr(pygame.event, "wait", lambda timeout: waits.append(timeout) or events.pop(0))
    monkeypatch.setattr(player, "draw", lambda: drawn.append(True))
    player.run()
    assert len(waits) == 3 and min(waits) >= 500
    assert len(drawn) == 2  # once at the start, once for the event: nothing is drawn for a wait without one


def test_a_trembling_stick_does_not_wake_a_paused_window(player):
    player.pause(True)
    still = pygame.event.Event(pygame.JOYAXISMOTION, instance_id=0, axis=0, value=0.02)
    pushed = pygame.event.Event(pygame.JOYAXISMOTION, instance_id=0, axis=0, value=-1.0)
    assert not player.handle(still) and player.handle(pushed)
    assert player.handle(pygame.event.Event(pygame.WINDOWEXPOSED))


@pytest.mark.parametrize("window", [(1280, 560), (500, 900), (300, 200)])
def test_the_panes_show_the_frames_enlarged(player, window: tuple[int, int]):
    ticks(player, 3)
    pygame.display.set_mode(window)
    player.draw()
    layout, screen = player._layout, player.screen.capture()
    expected = pictures(player.session)
    assert len(layout.panes) == 3 and layout.down == 1
    for (left, top, width, height), picture in zip(layout.panes, expected, strict=True):
        shown = screen[top : top + height, left : left + width]
        assert np.array_equal(shown, picture.frame.repeat(layout.up, 0).repeat(layout.up, 1))


def test_a_border_warns_around_the_dream_alone(make):
    for warned, trust in [(False, Trust()), (True, Trust(horizon=1))]:
        player = make(stub_session(StubGame()), trust)
        ticks(player, 2)
        screen = player.screen.capture()
        at_border = [tuple(screen[top + 5, left - 2]) == WARN for left, top, _, _ in player._layout.panes]
        assert at_border == [False, warned, False]


def test_every_state_can_be_drawn(make):
    player = make(stub_session(StubGame()))
    player.session.reality.env.drift = 5
    ticks(player, 3)
    player.session.seek(-1)
    player.session.step(0)  # leaves the real game behind
    player.focused = False
    player.show_help = True
    press(player, "v")
    player.draw()
    pixels = player.screen.capture()
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10
    player.close()


def test_no_display_is_one_clear_line(monkeypatch: pytest.MonkeyPatch):
    from dreamplay.errors import UserError
    from dreamplay.play.display import open_display

    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(UserError, match=r"no display.*--record FILE") as error:
        open_display()
    assert "\n" not in str(error.value)
    assert "SDL_VIDEODRIVER" not in os.environ


def test_a_display_that_does_not_answer_is_no_display(monkeypatch: pytest.MonkeyPatch):
    from dreamplay.errors import UserError
    from dreamplay.play.display import open_display

    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.setattr("sys.platform", "linux")
    pygame.quit()
    with pytest.raises(UserError, match="no display"):
        open_display()
