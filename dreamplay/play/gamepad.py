"""A game controller as keys: stick and cross are the arrows, buttons the space bar and a few commands."""

from collections.abc import Iterator

import pygame

BUTTONS = {0: "space", 1: "return", 2: "x", 3: "m", 4: "backspace", 5: "b", 6: "tab", 7: "p"}
AXES = {0: ("left", "right"), 1: ("up", "down")}
PUSHED, RELEASED = 0.5, 0.3  # of the way; two thresholds keep a trembling stick from tapping


class Gamepad:
    """Turns the events of all controllers into presses and releases of keys. Controllers may come and go."""

    def __init__(self) -> None:
        self._pads: dict[int, pygame.joystick.JoystickType] = {}  # one that nobody holds sends no events
        self._axes: dict[tuple[int, int], str | None] = {}

    def keys(self, event: pygame.event.Event) -> Iterator[tuple[str, bool]]:
        """What an event means: names of keys, and whether each went down or up."""
        if event.type == pygame.JOYDEVICEADDED:
            pad = pygame.joystick.Joystick(event.device_index)
            self._pads[pad.get_instance_id()] = pad
        elif event.type == pygame.JOYDEVICEREMOVED:
            self._pads.pop(event.instance_id, None)
            yield from ((key, False) for key in (*BUTTONS.values(), *AXES[0], *AXES[1]))
        elif event.type in (pygame.JOYBUTTONDOWN, pygame.JOYBUTTONUP):
            if event.button in BUTTONS:
                yield BUTTONS[event.button], event.type == pygame.JOYBUTTONDOWN
        elif event.type == pygame.JOYAXISMOTION and event.axis in AXES:
            yield from self._move((event.instance_id, event.axis), AXES[event.axis], event.value)
        elif event.type == pygame.JOYHATMOTION:
            x, y = event.value  # up is positive here, down on a stick
            yield from self._move((event.instance_id, -1), AXES[0], x)
            yield from self._move((event.instance_id, -2), AXES[1], -y)

    def _move(self, axis: tuple[int, int], keys: tuple[str, str], value: float) -> Iterator[tuple[str, bool]]:
        before = self._axes.get(axis)
        after = keys[value > 0] if abs(value) > (RELEASED if before == keys[value > 0] else PUSHED) else None
        if after != before:
            self._axes[axis] = after
            if before is not None:
                yield before, False
            if after is not None:
                yield after, True
