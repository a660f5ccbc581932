"""One thing that a check found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes:
        level: "error" when training would fail or learn nothing, "warning" when it will be worse than it could be,
            "note" for what is good to know.
        what: in one line.
        cure: what to do, in one line; empty for most notes.
    """

    level: Literal["error", "warning", "note"]
    what: str
    cure: str = ""

    def lines(self) -> str:
        """For people."""
        first = f"{self.level + ':':9}{self.what}"
        return f"{first}\n{'':9}-> {self.cure}" if self.cure else first


def error(what: str, cure: str) -> Finding:
    """Training would fail, or learn nothing."""
    return Finding("error", what, cure)


def warning(what: str, cure: str) -> Finding:
    """Training will be worse than it could be."""
    return Finding("warning", what, cure)


def note(what: str, cure: str = "") -> Finding:
    """Good to know."""
    return Finding("note", what, cure)


def of_message(message: str) -> Finding:
    """An error out of a one-line message "what; cure" as `UserError` has it."""
    what, _, cure = " ".join(message.split()).rpartition("; ")
    return error(what, cure) if what else error(cure, "mend it and check again")
