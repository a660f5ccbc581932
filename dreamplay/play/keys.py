"""Events to what they mean: game keys held or tapped, and commands to the player."""

from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

import pygame

from dreamplay.play.gamepad import Gamepad
from dreamplay.play.scancodes import key_name


class Command(Enum):
    """What a key that is not the game's asks of the player, once per press."""

    PAUSE = auto()
    STEP = auto()
    STEP_BACK = auto()
    SLOWER = auto()
    FASTER = auto()
    TURNS = auto()
    BRANCH = auto()
    CHOOSE = auto()
    VIEW = auto()
    FAN = auto()
    HAND_OVER = auto()
    ANCHOR = auto()
    CONTEXT = auto()
    RESTART = auto()
    COLDER = auto()
    WARMER = auto()
    GIF = auto()
    RECORD = auto()
    SAVE = auto()
    OPEN = auto()
    HELP = auto()
    QUIT = auto()


class Move(NamedTuple):
    """A move through time by some moments, back if negative."""

    moments: int


class Press(NamedTuple):
    """A command, with the number of a digit and whether Shift was held."""

    command: Command
    number: int = 0
    shift: bool = False


DIGITS = "123456789"
COMMANDS = {
    "p": Command.PAUSE,
    ".": Command.STEP,
    ",": Command.STEP_BACK,
    "[": Command.SLOWER,
    "]": Command.FASTER,
    "t": Command.TURNS,
    "b": Command.BRANCH,
    "tab": Command.VIEW,
    "f": Command.FAN,
    "m": Command.HAND_OVER,
    "x": Command.ANCHOR,
    "c": Command.CONTEXT,
    "r": Command.RESTART,
    "-": Command.COLDER,
    "=": Command.WARMER,
    "g": Command.GIF,
    "v": Command.RECORD,
    "f5": Command.SAVE,
    "f9": Command.OPEN,
    "h": Command.HELP,
    "escape": Command.QUIT,
    **dict.fromkeys(DIGITS, Command.CHOOSE),
}
REWIND = "backspace"
REPEAT_AFTER = 4  # frames that an arrow is held before it moves on: a finger is seldom gone within one
SEEK = {"left": -1, "right": 1, "down": -10, "up": 10}  # while paused

HELP = (
    ("P", "pause, go on"),
    (".  ,", "one step on, one back"),
    ("Backspace", "rewind while held"),
    ("arrows", "while paused: seek; or drag the bar"),
    ("[  ]", "slower, faster"),
    ("T", "turn-based: wait for a key each step"),
    ("B", "branch here"),
    ("1-9", "choose a branch"),
    ("Tab", "next view"),
    ("F", "fan of sampled futures"),
    ("M", "hand over to the agent, and back"),
    ("X", "take the dream back to reality"),
    ("C", "dream from the next stored context"),
    ("R", "new start"),
    ("-  =", "temperature of the dream"),
    ("G", "save the last ten seconds as a GIF"),
    ("V", "record the window; Shift+V clean frames"),
    ("F5  F9", "save this moment, open the last one"),
    ("H", "this help"),
    ("Esc", "quit"),
)


class Keys:
    """The keys that act on the next step, gathered from events.

    Asking the keyboard for its present state would lose a tap that is shorter than a step: a key counts for the next
    step if it is held, or if it went down since the last one.

    Args:
        game: Names of the keys that the game uses. Digits among them are the game's while it runs.
    """

    def __init__(self, game: Iterable[str] = ()) -> None:
        self._game = set(game)
        self._gamepad = Gamepad()
        self._paused = False
        self._held: dict[str, None] = {}  # a dict keeps the order in which keys went down
        self._tapped: dict[str, None] = {}
        self._moving: dict[str, int] = {}  # keys that move through time, and frames until they move on by themselves

    @property
    def held(self) -> list[str]:
        """Keys that are down and steer the game, oldest first."""
        return list(self._held)

    @property
    def moving(self) -> bool:
        """Whether a key is held that moves through time."""
        return bool(self._moving)

    def pause(self, paused: bool) -> None:
        """While paused the arrows move through time instead of steering; one that is held must be pressed again."""
        if paused != self._paused:
            self._paused = paused
            self._moving.clear()

    def handle(self, event: pygame.event.Event) -> Iterator[Press | Move | str]:
        """Take in one event: yields commands, moves through time, and the names of game keys that went down."""
        if event.type in (pygame.KEYDOWN, pygame.KEYUP):
            shift = bool(getattr(event, "mod", 0) & pygame.KMOD_SHIFT)
            yield from self._turn(key_name(event), event.type == pygame.KEYDOWN, shift)
        elif event.type == pygame.WINDOWFOCUSLOST:
            self.clear()
        else:
            for key, down in self._gamepad.keys(event):
                yield from self._turn(key, down)

    def take(self) -> list[str]:
        """The keys for the step about to be taken, oldest first."""
        keys = list(self._held | self._tapped)
        self._tapped.clear()
        return keys

    def take_move(self) -> int:
        """How many moments to go on, back if negative, because keys are still held since the last step."""
        moved = sum(_moments(key) for key, wait in self._moving.items() if not wait)
        self._moving = {key: max(0, wait - 1) for key, wait in self._moving.items()}
        return moved

    def clear(self) -> None:
        """Forget every key: without the focus no release would ever arrive."""
        self._held.clear()
        self._tapped.clear()
        self._moving.clear()

    def _turn(self, key: str, down: bool, shift: bool = False) -> Iterator[Press | Move | str]:
        digit = int(key) if key in DIGITS else 0
        if not down:
            self._held.pop(key, None)
            self._moving.pop(key, None)
        elif key in COMMANDS and not (digit and key in self._game and not self._paused):
            yield Press(COMMANDS[key], digit, shift)
        elif key == REWIND or (self._paused and key in SEEK):
            self._moving[key] = 1 if key == REWIND else REPEAT_AFTER
            yield Move(_moments(key))
        else:
            self._held[key] = self._tapped[key] = None
            if key in self._game:
                yield key


def _moments(key: str) -> int:
    return -1 if key == REWIND else SEEK[key]
