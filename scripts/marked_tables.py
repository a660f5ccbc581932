"""Tables in documents: what a script measured stands between two marks, and is replaced when it measures anew."""

from pathlib import Path

from dreamplay.errors import UserError


def require_marks(path: Path, marks: tuple[str, str]) -> None:
    """Refuses a document that has no place for the table; best asked before hours are spent.

    Raises:
        UserError: it is no file, or lacks a mark.
    """
    if not (path.is_file() and all(mark in path.read_text(encoding="utf-8") for mark in marks)):
        raise UserError(f"{path} lacks the marks {marks[0]} and {marks[1]}; put them where the table belongs")


def write_between(path: Path, marks: tuple[str, str], text: str) -> None:
    """Replaces what stands between the two marks.

    Raises:
        UserError: see `require_marks`; nothing is written.
    """
    require_marks(path, marks)
    before, begin, rest = path.read_text(encoding="utf-8").partition(marks[0])
    after = rest.partition(marks[1])[2]
    path.write_text(f"{before}{begin}\n{text}\n{marks[1]}{after}", encoding="utf-8")
