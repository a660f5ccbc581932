"""Events to keys and commands: by place on the keyboard, several at once, from a controller, without polling."""

import pytest

pygame = pytest.importorskip("pygame")

from dreamplay.play.gamepad import Gamepad  # noqa: E402 (after the check for pygame)
from dreamplay.play.keys import COMMANDS, HELP, REPEAT_AFTER, Command, Keys, Move, Press  # noqa: E402
from dreamplay.play.scancodes import key_name, scancode  # noqa: E402


def event(name: str, down: bool = True, **more) -> "pygame.event.Event":
    return pygame.event.Event(pygame.KEYDOWN if down else pygame.KEYUP, key=0, scancode=scancode(name), **more)


def send(keys: Keys, *names: str) -> list:
    """Presses keys; a name with a minus before it is released."""
    return [
        meaning
        for name in names
        for meaning in keys.handle(event(name.removeprefix("~"), down=not name.startswith("~")))
    ]


def test_keys_are_known_by_their_place_whatever_is_printed_on_them():
    azerty_w = pygame.event.Event(pygame.KEYDOWN, key=pygame.K_z, scancode=pygame.KSCAN_W)
    assert key_name(azerty_w) == "w"
    strange = pygame.event.Event(pygame.KEYDOWN, key=pygame.K_SEMICOLON, scancode=0)
    assert key_name(strange) == ";"


@pytest.mark.parametrize("name", [*COMMANDS, "left", "right", "up", "down", "w", "a", "s", "d", "space", "backspace"])
def test_every_key_that_is_used_has_a_place(name: str):
    assert key_name(event(name)) == name


def test_a_held_key_counts_for_every_step_and_a_tap_for_one():
    keys = Keys(["left", "right"])
    send(keys, "left", "right", "~right")
    assert keys.take() == ["left", "right"]
    assert keys.take() == ["left"]
    send(keys, "~left")
    assert keys.take() == []


def test_several_keys_at_once_come_oldest_first():
    keys = Keys(["w", "d", "space"])
    assert send(keys, "d", "w", "space") == ["d", "w", "space"]
    assert keys.take() == keys.held == ["d", "w", "space"]


@pytest.mark.parametrize(("name", "command"), COMMANDS.items())
def test_commands_are_no_game_keys(name: str, command: Command):
    keys = Keys([])
    number = int(name) if command is Command.CHOOSE else 0
    assert send(keys, name) == [Press(command, number)]
    assert keys.take() == []


def test_shift_is_part_of_a_command():
    (press,) = Keys().handle(event("v", mod=pygame.KMOD_LSHIFT))
    assert press == Press(Command.RECORD, shift=True)


def test_digits_are_the_games_while_it_runs_if_it_uses_them():
    keys = Keys(["1", "2"])
    assert send(keys, "1", "3") == ["1", Press(Command.CHOOSE, 3)]
    keys.pause(True)
    assert send(keys, "2") == [Press(Command.CHOOSE, 2)]


def test_arrows_steer_while_the_game_runs_and_seek_while_it_is_paused():
    keys = Keys(["left", "right"])
    send(keys, "left")
    assert keys.take_move() == 0 and keys.take() == ["left"]
    keys.pause(True)
    assert not keys.moving and keys.take_move() == 0  # it was pressed to steer
    assert send(keys, "~left", "left") == [Move(-1)]
    # It moved when it was pressed, and goes on moving only if it stays down for longer than a tap.
    assert keys.moving and [keys.take_move() for _ in range(REPEAT_AFTER + 2)] == [*[0] * REPEAT_AFTER, -1, -1]
    assert keys.take() == []
    assert send(keys, "~left", "up", "~up") == [Move(10)]
    assert not keys.moving and keys.take_move() == 0
    send(keys, "right")
    keys.pause(False)
    assert not keys.moving and keys.take_move() == 0


def test_rewind_is_held_or_tapped_paused_or_not():
    keys = Keys()
    for paused in (False, True):
        keys.pause(paused)
        assert send(keys, "backspace") == [Move(-1)]
        assert keys.moving and [keys.take_move() for _ in range(3)] == [0, -1, -1]
        assert send(keys, "~backspace", "backspace", "~backspace") == [Move(-1)]
        assert not keys.moving and keys.take_move() == 0


def test_without_the_focus_no_key_is_down():
    keys = Keys(["left"])
    send(keys, "left", "backspace")
    list(keys.handle(pygame.event.Event(pygame.WINDOWFOCUSLOST)))
    assert keys.take() == [] and not keys.moving and keys.take_move() == 0


def test_the_help_names_every_command():
    named = " ".join(key for key, _ in HELP).lower()
    assert all(name in named or name in "123456789" or name == "escape" for name in COMMANDS)


def joy(kind: int, **values) -> "pygame.event.Event":
    return pygame.event.Event(kind, instance_id=0, **values)


def test_a_stick_is_the_arrows_and_does_not_tremble():
    pad = Gamepad()
    moves = [
        (0.4, []),
        (0.6, [("right", True)]),
        (0.4, []),
        (0.2, [("right", False)]),
        (-0.9, [("left", True)]),
        (0.9, [("left", False), ("right", True)]),
    ]
    for value, expected in moves:
        assert list(pad.keys(joy(pygame.JOYAXISMOTION, axis=0, value=value))) == expected
    assert list(pad.keys(joy(pygame.JOYAXISMOTION, axis=1, value=1.0))) == [("down", True)]
    assert list(pad.keys(joy(pygame.JOYAXISMOTION, axis=4, value=1.0))) == []  # a trigger at rest


def test_a_cross_is_the_arrows_too():
    pad = Gamepad()
    assert list(pad.keys(joy(pygame.JOYHATMOTION, value=(-1, 1)))) == [("left", True), ("up", True)]
    assert list(pad.keys(joy(pygame.JOYHATMOTION, value=(0, 1)))) == [("left", False)]


def test_buttons_play_and_command():
    keys = Keys(["space", "left"])
    assert list(keys.handle(joy(pygame.JOYBUTTONDOWN, button=0))) == ["space"]
    assert list(keys.handle(joy(pygame.JOYBUTTONDOWN, button=7))) == [Press(Command.PAUSE)]
    list(keys.handle(joy(pygame.JOYAXISMOTION, axis=0, value=-1.0)))
    assert keys.take() == ["space", "left"]
    list(keys.handle(joy(pygame.JOYDEVICEREMOVED)))
    assert keys.take() == []
