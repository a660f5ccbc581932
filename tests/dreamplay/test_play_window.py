"""Keyboard events in a window without a screen: what each did to the session, and what is drawn."""

import os
from collections.abc import Iterator

import numpy as np
import pytest
from play_toys import KEYS, StubGame, stub_session

from dreamplay.play.controls import controls_for

pygame = pytest.importorskip("pygame")


@pytest.fixture
def player(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    from dreamplay.play.display import open_display
    from dreamplay.play.loop import Player
    from dreamplay.play.screen import Screen

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    open_display()
    session = stub_session(StubGame())
    controls = controls_for(KEYS, session.dream.action_space)
    yield Player(session, controls, Screen("test", (2, 3), 3, controls.keys), fps=10)
    pygame.quit()


def down(key: int) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


def up(key: int) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))


def tap(key: int) -> None:
    down(key)
    up(key)


def actions(player, ticks: int) -> list[int]:
    taken = []
    for _ in range(ticks):
        player.tick()
        taken.append(player.session.moment.action)
    return taken


def test_a_key_acts_on_the_next_step_and_until_it_is_released(player):
    assert actions(player, 1) == [0]
    down(pygame.K_RIGHT)
    assert actions(player, 2) == [2, 2]
    up(pygame.K_RIGHT)
    assert actions(player, 1) == [0]


def test_a_tap_between_two_steps_acts_once(player):
    tap(pygame.K_RIGHT)
    assert actions(player, 2) == [2, 0]


def test_a_tap_wins_over_a_key_that_is_held(player):
    down(pygame.K_RIGHT)
    assert actions(player, 1) == [2]
    tap(pygame.K_a)
    assert actions(player, 2) == [1, 2]


def test_a_game_key_steers_dream_and_reality(player):
    down(pygame.K_RIGHT)
    player.tick()
    assert player.session.reality.env.actions[-1] == 2
    assert np.array_equal(player.session.moment.dream, player.session.moment.real)


def test_pause_stops_time_and_a_second_press_starts_it(player):
    player.tick()
    tap(pygame.K_p)
    player.tick()
    player.tick()
    assert player.session.paused and player.session.moment.step == 1
    tap(pygame.K_p)
    player.tick()
    assert not player.session.paused and player.session.moment.step == 2


def test_a_single_step_pauses_and_uses_the_keys(player):
    tap(pygame.K_PERIOD)
    player.tick()
    assert player.session.paused and player.session.moment.step == 1
    tap(pygame.K_RIGHT)
    player.tick()
    assert player.session.moment.step == 1
    tap(pygame.K_PERIOD)
    player.tick()
    assert (player.session.moment.step, player.session.moment.action) == (2, 2)


def test_rewind_goes_back_while_held_and_shows_identical_frames(player):
    seen = []
    for _ in range(6):
        player.tick()
        seen.append(player.session.moment)
    down(pygame.K_BACKSPACE)
    for expected in seen[-2:-5:-1]:
        player.tick()
        assert np.array_equal(player.session.moment.dream, expected.dream)
        assert np.array_equal(player.session.moment.real, expected.real)
    up(pygame.K_BACKSPACE)
    player.tick()
    assert player.session.moment.step == 4  # three steps were left, and one was played
    assert np.array_equal(player.session.moment.dream, seen[3].dream)
    assert np.array_equal(player.session.moment.real, seen[3].real)


def test_a_tapped_rewind_goes_back_by_one_while_paused(player):
    actions(player, 3)
    tap(pygame.K_p)
    tap(pygame.K_BACKSPACE)
    player.tick()
    player.tick()
    assert player.session.moment.step == 2


def test_anchor_starts_the_dream_at_the_real_frame(player):
    actions(player, 4)
    tap(pygame.K_p)
    tap(pygame.K_x)
    player.tick()
    assert (player.session.moment.step, player.session.moment.horizon) == (4, 0)


def test_hand_over_gives_the_agent_the_controls_and_takes_them_back(player):
    player.session.agent.act = lambda observation: 1
    tap(pygame.K_m)
    down(pygame.K_RIGHT)
    assert actions(player, 2) == [1, 1]
    tap(pygame.K_m)
    assert actions(player, 1) == [2]


def test_a_tap_while_the_agent_plays_is_not_kept_for_later(player):
    player.session.agent.act = lambda observation: 1
    tap(pygame.K_m)
    tap(pygame.K_RIGHT)
    assert actions(player, 1) == [1]
    tap(pygame.K_m)
    assert actions(player, 1) == [0]


def test_restart_begins_another_game(player):
    actions(player, 3)
    games = player.session.reality.env.games
    tap(pygame.K_p)
    tap(pygame.K_r)
    player.tick()
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


def test_losing_the_focus_releases_every_key_and_is_remembered(player):
    down(pygame.K_RIGHT)
    down(pygame.K_BACKSPACE)
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    assert actions(player, 2) == [0, 0]
    assert not player.focused
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSGAINED))
    player.tick()
    assert player.focused


def test_help_and_quit(player):
    tap(pygame.K_h)
    player.tick()
    assert player.show_help and not player.quitting
    tap(pygame.K_ESCAPE)
    player.tick()
    assert player.quitting


@pytest.mark.parametrize("paused", [False, True])
def test_closing_the_window_ends_the_loop(player, paused: bool):
    player.session.paused = paused
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    player.run()
    assert player.quitting


def test_a_paused_loop_waits_for_events_instead_of_spinning(player, monkeypatch: pytest.MonkeyPatch):
    player.session.paused = True
    events = [pygame.event.Event(pygame.NOEVENT), pygame.event.Event(pygame.NOEVENT), pygame.event.Event(pygame.QUIT)]
    waits, drawn = [], []
    monkeypatch.setattr(pygame.event, "wait", lambda timeout: waits.append(timeout) or events.pop(0))
    monkeypatch.setattr(player, "draw", lambda: drawn.append(True))
    player.run()
    assert len(waits) == 3 and min(waits) >= 500
    assert len(drawn) == 2  # once at the start, once for the event: nothing is drawn for a wait without one


@pytest.mark.parametrize("window", [(1280, 560), (500, 900), (300, 200)])
def test_the_panes_show_the_frames_enlarged(player, window: tuple[int, int]):
    from dreamplay.play.pictures import pictures

    actions(player, 3)
    pygame.display.set_mode(window)
    layout = player.screen.draw(player.session)
    screen = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
    expected = pictures(player.session.moment, beside_reality=True)
    assert len(layout.panes) == 3 and layout.down == 1
    for (left, top, width, height), picture in zip(layout.panes, expected, strict=True):
        shown = screen[top : top + height, left : left + width]
        assert np.array_equal(shown, picture.frame.repeat(layout.up, 0).repeat(layout.up, 1))


def test_every_state_can_be_drawn(player):
    blank = player.session.reality.env
    blank.drift = 5
    actions(player, 3)
    player.session.back()
    player.session.step(0)  # leaves the real game behind
    player.focused = False
    player.show_help = True
    player.draw()
    pixels = pygame.surfarray.array3d(pygame.display.get_surface())
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10


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
