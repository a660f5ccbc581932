"""Keys by where they are on the keyboard, named after a US one: W, A, S, D lie together on an AZERTY one too."""

import pygame

_PLACES = {
    "space": pygame.KSCAN_SPACE,
    "return": pygame.KSCAN_RETURN,
    "escape": pygame.KSCAN_ESCAPE,
    "backspace": pygame.KSCAN_BACKSPACE,
    "tab": pygame.KSCAN_TAB,
    "left": pygame.KSCAN_LEFT,
    "right": pygame.KSCAN_RIGHT,
    "up": pygame.KSCAN_UP,
    "down": pygame.KSCAN_DOWN,
    ".": pygame.KSCAN_PERIOD,
    ",": pygame.KSCAN_COMMA,
    "[": pygame.KSCAN_LEFTBRACKET,
    "]": pygame.KSCAN_RIGHTBRACKET,
    "-": pygame.KSCAN_MINUS,
    "=": pygame.KSCAN_EQUALS,
    **{name.lower(): getattr(pygame, f"KSCAN_{name}") for name in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"},
    **{f"f{i}": getattr(pygame, f"KSCAN_F{i}") for i in range(1, 13)},
}
_NAMES = {code: name for name, code in _PLACES.items()}


def key_name(event: pygame.event.Event) -> str:
    """The name of the key of a KEYDOWN or KEYUP event: its place if that is one we know, else what is printed on it."""
    return _NAMES.get(getattr(event, "scancode", 0)) or pygame.key.name(event.key)


def scancode(name: str) -> int:
    """The scancode of a key by its name on a US keyboard, such as "a", "space" or "left"; KeyError for others."""
    return _PLACES[name]
