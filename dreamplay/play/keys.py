"""Keyboard events to what they mean: game keys held or tapped, and commands to the player."""

from enum import Enum, auto

import pygame


class Command(Enum):
    """What a key that is not the game's asks of the player, once per press."""

    PAUSE = auto()
    STEP = auto()
    ANCHOR = auto()
    HAND_OVER = auto()
    RESTART = auto()
    HELP = auto()
    QUIT = auto()


COMMANDS = {
    "p": Command.PAUSE,
    ".": Command.STEP,
    "x": Command.ANCHOR,
    "m": Command.HAND_OVER,
    "r": Command.RESTART,
    "h": Command.HELP,
    "escape": Command.QUIT,
}
REWIND = "backspace"

HELP = (
    ("P", "pause, go on"),
    (".", "one step, then pause"),
    ("Backspace", "rewind while held"),
    ("X", "take the dream back to reality"),
    ("M", "hand over to the agent, and back"),
    ("R", "new start"),
    ("H", "this help"),
    ("Esc", "quit"),
)


class Keys:
    """The keys that act on the next step, gathered from events.

    Asking the keyboard for its present state would lose a tap that is shorter than a step: a key counts for the next
    step if it is held, or if it went down since the last one.
    """

    def __init__(self) -> None:
        self._held: dict[str, None] = {}  # a dict keeps the order in which keys went down
        self._tapped: dict[str, None] = {}
        self._rewind_tapped = False

    @property
    def rewind_held(self) -> bool:
        """Whether the rewind key is down."""
        return REWIND in self._held

    def handle(self, event: pygame.event.Event) -> Command | None:
        """Take in one event; returns the command if it is one."""
        if event.type == pygame.KEYDOWN:
            name = pygame.key.name(event.key)
            if name in COMMANDS:
                return COMMANDS[name]
            self._held[name] = None
            if name == REWIND:
                self._rewind_tapped = True
            else:
                self._tapped[name] = None
        elif event.type == pygame.KEYUP:
            self._held.pop(pygame.key.name(event.key), None)
        elif event.type == pygame.WINDOWFOCUSLOST:
            self.clear()
        return None

    def take(self) -> list[str]:
        """The keys for the step about to be taken, oldest first."""
        keys = list(self._held | self._tapped)
        self._tapped.clear()
        return keys

    def take_rewind(self) -> bool:
        """Whether to go back by one moment now."""
        asked, self._rewind_tapped = self.rewind_held or self._rewind_tapped, False
        return asked

    def clear(self) -> None:
        """Forget every key: without the focus no release would ever arrive."""
        self._held.clear()
        self._tapped.clear()
        self._rewind_tapped = False
