"""The event loop: events to what they do to the session, one step per frame, at the game's pace."""

import pygame

from dreamplay.play.controls import Controls
from dreamplay.play.keys import Command, Keys
from dreamplay.play.screen import Screen
from dreamplay.play.session import Session

LINGER = 3.0  # seconds an ended game stays in view before the next one starts
IDLE_WAIT = 1000  # milliseconds a paused player sleeps unless an event wakes it


def play(session: Session, controls: Controls, caption: str, fps: float) -> None:
    """Open a window on a session and play it until the player quits; pygame's display must have been started."""
    panes = 1 if session.reality is None else 3
    try:
        screen = Screen(caption, session.moment.dream.shape[:2], panes, controls.keys)
        Player(session, controls, screen, fps).run()
    finally:
        pygame.quit()


class Player:
    """A session under a person's hands.

    Args:
        session: The game.
        controls: Its key map.
        screen: The window.
        fps: Steps per second.
    """

    def __init__(self, session: Session, controls: Controls, screen: Screen, fps: float) -> None:
        self.session = session
        self.controls = controls
        self.screen = screen
        self.fps = fps
        self.keys = Keys()
        self.focused = True
        self.show_help = False
        self.quitting = False
        self._over_ticks = 0

    def run(self) -> None:
        """Play until the player quits."""
        pygame.event.set_blocked(pygame.MOUSEMOTION)  # would wake a paused player for nothing
        clock = pygame.time.Clock()
        self.draw()
        while not self.quitting:
            if self.session.paused and not self.keys.rewind_held:
                event = pygame.event.wait(IDLE_WAIT)
                if event.type == pygame.NOEVENT:
                    continue
                self.handle(event)
            else:
                clock.tick(self.fps)
            self.tick()

    def tick(self) -> None:
        """One frame: take in the events that have come, then step, so that a key acts on this very step; then draw."""
        for event in pygame.event.get():
            self.handle(event)
        if self.keys.take_rewind():
            self.session.back()
            self._over_ticks = 0
        elif not self.session.paused:
            self._advance()
        self.draw()

    def handle(self, event: pygame.event.Event) -> None:
        """Do what one event asks."""
        if event.type == pygame.QUIT:
            self.quitting = True
        elif event.type in (pygame.WINDOWFOCUSLOST, pygame.WINDOWFOCUSGAINED):
            self.focused = event.type == pygame.WINDOWFOCUSGAINED
        command = self.keys.handle(event)
        if command is not None:
            self._obey(command)

    def draw(self) -> None:
        """Show the session as it stands."""
        self.screen.draw(self.session, focused=self.focused, show_help=self.show_help)

    def _obey(self, command: Command) -> None:
        session = self.session
        session.notice = ""
        if command is Command.PAUSE:
            session.paused = not session.paused
        elif command is Command.STEP:
            session.paused = True
            session.step(self.controls.action(self.keys.take()))
        elif command is Command.ANCHOR:
            session.anchor()
        elif command is Command.HAND_OVER:
            session.hand_over()
        elif command is Command.RESTART:
            session.start()
        elif command is Command.HELP:
            self.show_help = not self.show_help
        elif command is Command.QUIT:
            self.quitting = True

    def _advance(self) -> None:
        self.session.step(self.controls.action(self.keys.take()))
        self._over_ticks = self._over_ticks + 1 if self.session.moment.over else 0
        if self._over_ticks > LINGER * self.fps:
            self.session.start()
            self._over_ticks = 0
