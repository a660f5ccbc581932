"""The event loop: events to what they do to the session, one step per frame, at the game's pace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pygame

from dreamplay.play.album import Album
from dreamplay.play.background import Background
from dreamplay.play.foresight import Decisions, FanKeeper
from dreamplay.play.hud import SPARKLINE, divergence, readings, status
from dreamplay.play.keys import Command, Keys, Move, Press
from dreamplay.play.layout import Layout
from dreamplay.play.reality import CONTEXT
from dreamplay.play.screen import Scene, Screen
from dreamplay.play.session import Session
from dreamplay.play.setup import Setup
from dreamplay.play.views import View, next_view, pictures

LINGER = 3.0  # seconds an ended game stays in view before the next one starts
IDLE_WAIT = 1000  # milliseconds a paused player sleeps unless an event wakes it
SPEEDS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
WARMEST = 2.0
WAKE = pygame.event.custom_type()  # posted when something beside the loop is done


def play(session: Session, setup: Setup, title: str, *, pilot_plays: bool = False) -> None:
    """Open a window on a session and play it until the player quits; pygame's display must have been started."""
    with open_player(session, setup, title) as player:
        player.pilot_plays = pilot_plays
        player.run()


@contextmanager
def open_player(session: Session, setup: Setup, title: str) -> Iterator[Player]:
    """A player with a window, which is closed at the end; pygame's display must have been started."""
    try:
        pygame.joystick.init()
        screen = Screen(title, session.frame_size, len(pictures(session)), setup.controls.keys)
        player = Player(session, setup, screen)
        try:
            yield player
        finally:
            player.close()
    finally:
        pygame.quit()


class Player:
    """A session under a person's hands.

    Args:
        session: The game.
        setup: Keys, agent, pace and folder.
        screen: The window.
        background: Makes the workers in which agents decide and futures are dreamed.
    """

    def __init__(
        self, session: Session, setup: Setup, screen: Screen, background: Callable[..., Background] = Background
    ) -> None:
        self.session = session
        self.setup = setup
        self.screen = screen
        self.keys = Keys(setup.controls.keys)
        self.album = Album(session, setup.folder, setup.fps, background(_wake), setup.checkpoint)
        self.view = View.BESIDE
        self.paused = False
        self.turns = False
        self.pilot_plays = False
        self.speed = 1.0
        self.focused = True
        self.show_help = False
        self.show_fan = False
        self.quitting = False
        self._moved = False  # through time, since the last frame
        self._steps_due = 0  # that the agent owes while the game is paused
        self._over_ticks = 0
        self._dragging = False
        self._layout: Layout | None = None
        self._plan: np.ndarray | None = None
        self._plan_frames: np.ndarray | None = None
        simulator = None if session.dream is None else session.dream.simulator
        self._decisions = Decisions(setup.pilot, simulator, background(_wake))
        self._fans = None if simulator is None else FanKeeper(simulator, background(_wake))
        setup.pilot.reset(session.seed)
        self._commands: dict[Command, Callable[[Press], object]] = {
            Command.PAUSE: lambda press: self.pause(not self.paused),
            Command.STEP: lambda press: self._single_step(),
            Command.STEP_BACK: lambda press: self._step_back(),
            Command.SLOWER: lambda press: self._change_speed(-1),
            Command.FASTER: lambda press: self._change_speed(1),
            Command.TURNS: lambda press: self._toggle_turns(),
            Command.BRANCH: lambda press: self._branch(),
            Command.CHOOSE: lambda press: session.choose(press.number - 1),
            Command.VIEW: lambda press: self._next_view(),
            Command.FAN: lambda press: self._toggle_fan(),
            Command.HAND_OVER: lambda press: self._hand_over(),
            Command.ANCHOR: lambda press: session.anchor(),
            Command.CONTEXT: lambda press: session.next_context(),
            Command.RESTART: lambda press: self._restart(),
            Command.COLDER: lambda press: self._change_temperature(-0.1),
            Command.WARMER: lambda press: self._change_temperature(0.1),
            Command.GIF: lambda press: self.album.keep_last_seconds(),
            Command.RECORD: lambda press: self.album.toggle_recording(clean_frames=press.shift),
            Command.SAVE: lambda press: self.album.save_moment(),
            Command.OPEN: lambda press: self._open(),
            Command.HELP: lambda press: self._toggle_help(),
            Command.QUIT: lambda press: self._quit(),
        }

    def run(self) -> None:
        """Play until the player quits."""
        pygame.event.set_blocked(pygame.MOUSEMOTION)  # would wake a paused player for nothing
        clock = pygame.time.Clock()
        self.draw()
        while not self.quitting:
            if self.waits:
                event = pygame.event.wait(IDLE_WAIT)
                if event.type == pygame.NOEVENT or not self.handle(event):
                    continue
            else:
                clock.tick(self.setup.fps * self.speed)
            self.tick()

    def tick(self) -> None:
        """One frame: take in the events that have come, then step, so that a key acts on this very step; then draw."""
        for event in pygame.event.get():
            self.handle(event)
        before = self.session.moment
        if self.keys.moving or self._moved:
            self._move(self.keys.take_move())
            self._moved = False
        elif self.pilot_plays and (self._steps_due or not self.paused):
            self._let_pilot_step()
        elif not self.waits:
            self._step(self.setup.controls.action(self.keys.take()))
        self._update_fan()
        self.album.update()
        self.draw()
        if self.session.moment is not before:
            self.album.record(self.screen.capture)

    def handle(self, event: pygame.event.Event) -> bool:
        """Do what one event asks; whether there may be anything new to see."""
        if event.type == pygame.QUIT:
            self._quit()
        elif event.type in (pygame.WINDOWFOCUSLOST, pygame.WINDOWFOCUSGAINED):
            self.focused = event.type == pygame.WINDOWFOCUSGAINED
        elif event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
            self._grab(event.pos)
        elif event.type == pygame.MOUSEMOTION and self._dragging:
            self._drag(event.pos[0])
        elif event.type == pygame.MOUSEBUTTONUP and event.button == 1:
            self._let_go()
        meanings = list(self.keys.handle(event))
        for meaning in meanings:
            if isinstance(meaning, Press):
                self.session.notice = ""
                self._commands[meaning.command](meaning)
            elif isinstance(meaning, Move):  # at once: what is pressed after it is meant for where it leads
                self._move(meaning.moments)
                self._moved = True
            elif self.turns and not self.paused and not self.pilot_plays:
                self._step(self.setup.controls.action(self.keys.take()))
        # A stick that nobody touches may send a hundred events a second.
        return event.type != pygame.JOYAXISMOTION or bool(meanings) or self.keys.moving

    @property
    def waits(self) -> bool:
        """Whether nothing happens until an event comes."""
        if self.keys.moving:
            return False
        return self.paused or (self.turns and not self.pilot_plays)

    def pause(self, paused: bool) -> None:
        """Stop time, or let it go on."""
        self.paused = paused
        self.keys.pause(paused)

    def close(self) -> None:
        """End what runs beside the loop; a recording is completed."""
        self.album.close()
        self._decisions.close()
        if self._fans is not None:
            self._fans.close()

    def draw(self) -> None:
        """Show everything as it stands."""
        session, line = self.session, self.session.line
        warning = self.setup.trust.warning(line.recent(SPARKLINE))
        fan = self._fans.fan if self.show_fan and self._fans is not None else None
        origins = {branch.origin for branch in session.branches} - {None}
        pilot = self.setup.pilot.name if self.pilot_plays else None
        thinking = self._decisions.pending
        scene = Scene(
            pictures=pictures(session, self.view, fan, self._plan_frames),
            readings=readings(session, self.setup.trust),
            divergence=divergence(session),
            moments=(len(line.moments), line.at),
            marks=[i for i, moment in enumerate(line.moments) if moment.step in origins] if origins else (),
            status=status(
                session, paused=self.paused, turns=self.turns, speed=self.speed, pilot=pilot, thinking=thinking
            ),
            news=self._news(warning),
            warning=warning,
            recording=self.album.recording,
            help=self.show_help,
        )
        self._layout = self.screen.draw(scene)

    def _news(self, warning: str) -> tuple[str, bool]:
        if not self.focused:
            return "keys go to another window: click here to play", True
        urgent = self.session.notice or warning
        return (urgent, True) if urgent else ("H help", False)

    def _quit(self) -> None:
        self.quitting = True

    def _toggle_help(self) -> None:
        self.show_help = not self.show_help

    # Steps

    def _step(self, action: Any) -> None:
        self.session.step(action)
        self._plan = self._plan_frames = None
        self._over_ticks = self._over_ticks + 1 if self.session.moment.over else 0
        if self._over_ticks > LINGER * self.setup.fps:
            self._restart()

    def _let_pilot_step(self) -> None:
        """Ask the agent, and step once it has answered: one that thinks for long stops the game, not the window."""
        self.keys.take()  # what was tapped meanwhile is not kept for later
        dream = self.session.moment.dream
        if dream is not None and dream.over:
            self._steps_due = 0
            self._step(self.setup.controls.idle)
            return
        patience = 0.5 / (self.setup.fps * self.speed)
        decision = self._decisions.ask(self.session.line.recent(CONTEXT), patience)
        if decision is not None:
            self._steps_due = 0
            self._step(decision.action)
            self._plan, self._plan_frames = decision.plan, decision.frames

    def _single_step(self) -> None:
        self.pause(True)
        if self.pilot_plays:
            self._steps_due = 1
        else:
            self._step(self.setup.controls.action(self.keys.take()))

    def _step_back(self) -> None:
        self.pause(True)
        self.session.seek(-1)

    def _hand_over(self) -> None:
        self.pilot_plays = not self.pilot_plays
        self._plan = self._plan_frames = None

    def _restart(self) -> None:
        self.session.start()
        self._begin_anew()

    def _open(self) -> None:
        self.album.open_newest()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.setup.pilot.reset(self.session.seed + self.session.starts)
        self._over_ticks = 0
        self._plan = self._plan_frames = None
        if self._fans is not None:
            self._fans.forget()

    # Time

    def _move(self, moments: int) -> None:
        self.session.seek(moments)
        self._over_ticks = 0

    def _change_speed(self, by: int) -> None:
        place = SPEEDS.index(self.speed) + by
        self.speed = SPEEDS[min(max(place, 0), len(SPEEDS) - 1)]

    def _toggle_turns(self) -> None:
        self.turns = not self.turns
        self.pause(False)
        self.session.notice = "turn-based: a key is a step, . waits for one" if self.turns else ""

    def _grab(self, place: tuple[int, int]) -> None:
        if self._layout is not None and pygame.Rect(self._layout.bar).inflate(8, 12).collidepoint(place):
            self._dragging = True
            pygame.event.set_allowed(pygame.MOUSEMOTION)
            self.pause(True)
            self._drag(place[0])

    def _drag(self, x: int) -> None:
        assert self._layout is not None
        self.session.line.seek(self._layout.moment_at(x, len(self.session.line.moments)))

    def _let_go(self) -> None:
        self._dragging = False
        pygame.event.set_blocked(pygame.MOUSEMOTION)

    # Branches, views and futures

    def _branch(self) -> None:
        self.session.branch()
        self.view = View.BRANCHES

    def _next_view(self) -> None:
        self.view = next_view(self.session, self.view)
        self.session.notice = self.view.value

    def _change_temperature(self, by: float) -> None:
        dream = self.session.dream
        if dream is not None:
            dream.temperature = min(max(round(dream.temperature + by, 1), 0.0), WARMEST)
            self.session.notice = f"temperature {dream.temperature:.1f}"

    def _toggle_fan(self) -> None:
        if self._fans is None:
            self.session.notice = "the real game has one future only"
        else:
            self.show_fan = not self.show_fan

    def _update_fan(self) -> None:
        dream = self.session.dream
        if self.show_fan and self._fans is not None and dream is not None:
            moment = self.session.moment
            held = self.setup.controls.action(self.keys.held)
            if self.pilot_plays and moment.action is not None:
                held = moment.action
            self._fans.update(moment, held, self._plan, dream.temperature)


def _wake() -> None:
    with suppress(pygame.error):  # the window was closed meanwhile
        pygame.event.post(pygame.event.Event(WAKE))
