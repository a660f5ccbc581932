"""The `dreamplay` command line: one frozen dataclass per command, filled in by tyro, run, and its answer kept as JSON.

Every mistake of the user ends in one line on stderr that says what was wrong and what to do, and in exit status 2.
"""

import contextlib
import difflib
import importlib
import io
import keyword
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, Protocol, cast

import tyro

from dreamplay.complaints import explain
from dreamplay.errors import UserError
from dreamplay.json_files import check_json, write_json

# In the order in which a newcomer meets them.
COMMANDS = (
    "demo",
    "models",
    "check",
    "collect",
    "import",
    "export",
    "train",
    "evaluate",
    "play",
    "act",
    "learn",
    "improve",
    "bench",
)


class Command(Protocol):
    """What a module of `dreamplay.commands` defines: a frozen dataclass whose fields are the command's options."""

    @property
    def json(self) -> Path | None:
        """File that receives the answer, if any."""

    def run(self) -> dict[str, Any] | None:
        """Does the work; the dictionary is what `--json` writes. "ok": False in it makes an exit status of 1."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit status.

    Args:
        argv: The words after `dreamplay`; None takes them from `sys.argv`.

    Returns:
        0 for success, 1 for an answer whose "ok" is False, 2 for a mistake of the user or a disk that refuses, 130 for
        Ctrl-C, 141 for a closed pipe.
    """
    command: Command | None = None
    try:
        command = parse(sys.argv[1:] if argv is None else argv)
        status = 0 if command is None else run(command)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _complain("stopped from the keyboard", 130)
    except BrokenPipeError:
        # Whoever read our output has left. Python flushes stdout once more at exit: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        message = explain(error, _output(command))
        if message is None:
            raise
        return _complain(message, 2)


def run(command: Command) -> int:
    """Runs a parsed command and writes its answer where `--json` says; a place that cannot take it is refused first.

    Returns:
        1 if the answer says "ok": False, as that of a check may; else 0.
    """
    if command.json is not None:
        check_json(command.json)
    answer = command.run()
    if command.json is not None:
        write_json(command.json, answer)
    return int(answer is not None and answer.get("ok") is False)


def parse(argv: Sequence[str]) -> Command | None:
    """Turns the words after `dreamplay` into a command, without running it.

    Returns:
        The command, or None when the words only asked for help or for the version, which has then been printed.

    Raises:
        UserError: An unknown command or option, or a value that does not fit.
    """
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview())
        return None
    if argv[0] == "--version":
        print(f"dreamplay {metadata('dreamplay')['Version']}")
        return None
    name = argv[0]
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        advice = f"did you mean '{close[0]}'?" if close else f"choose one of {', '.join(COMMANDS)}"
        raise UserError(f"no command '{name}'; {advice} (see: dreamplay --help)")
    boxed = io.StringIO()
    try:
        with contextlib.redirect_stderr(boxed):
            return cast(Command, tyro.cli(_dataclass(name), prog=f"dreamplay {name}", args=argv[1:]))
    except SystemExit as stop:
        if not stop.code:
            return None
        raise UserError(f"{_unbox(boxed.getvalue())} (see: dreamplay {name} --help)") from None


def _dataclass(name: str) -> type[Any]:
    # Only the module of the command that was asked for is imported: starting up costs the same however many there are.
    module = f"{name}_" if keyword.iskeyword(name) else name
    return cast(type[Any], getattr(importlib.import_module(f"dreamplay.commands.{module}"), name.capitalize()))


def _overview() -> str:
    lines = [f"  {name:<10}{(_dataclass(name).__doc__ or '').strip().splitlines()[0]}" for name in COMMANDS]
    return "\n".join(
        [
            "usage: dreamplay COMMAND [OPTIONS] | --help | --version",
            "",
            metadata("dreamplay")["Summary"],
            "",
            "commands:",
            *lines,
            "",
            "dreamplay COMMAND --help explains one of them, with units and defaults.",
        ]
    )


def _unbox(boxed: str) -> str:
    """Takes tyro's drawn error box apart: its first section is the mistake, a further one may name a likely cure."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", boxed)
    lines = [line.strip("│ ") for line in text.splitlines() if not line.startswith(("╭", "╰"))]
    sections = [section.strip() for section in re.split(r"^─+$", "\n".join(lines), flags=re.MULTILINE)]
    mistake = sections[0].split("\n\n")[0]
    cure = [section.splitlines()[1].split()[0] for section in sections[1:] if section.startswith("Perhaps you meant")]
    return " ".join(mistake.split()).rstrip(".") + "".join(f"; perhaps you meant {option}" for option in cure)


def _output(command: Command | None) -> Path | None:
    """Where a command writes to, as far as its options say."""
    return next(filter(None, (getattr(command, name, None) for name in ("out", "record", "video"))), None)


def _complain(message: str, status: int) -> int:
    print(f"dreamplay: {' '.join(message.split())}", file=sys.stderr, flush=True)
    if "TORCHELASTIC_RUN_ID" in os.environ:
        # One of several processes (`dreamplay.ranks`) that torchrun watches: while Python takes this one down, threads
        # of gloo abort it or its companions now and then, and the exit status would be lost.
        sys.stdout.flush()
        os._exit(status)
    return status
