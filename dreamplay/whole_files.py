"""Files that appear whole or not at all, whatever interrupts the writing."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file under a temporary name and renames it: readers see the old file or the new one, never a part.

    Args:
        path: The file; one that exists is replaced.
        content: All of it.

    Raises:
        OSError: The file cannot be written; `filename` names it, and what was there before is unharmed.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:  # Ctrl-C too: the temporary file is of no use to anybody
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # a failing write names no file
        raise
