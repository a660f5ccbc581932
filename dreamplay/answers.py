"""The answer of a command as a JSON file: refused early where it cannot be kept, strict JSON where it can."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dreamplay import folders
from dreamplay.errors import UserError


def check_json(path: Path) -> None:
    """Refuses a place that cannot take the answer, before any work is done for it.

    Raises:
        UserError: The file exists, is a folder, or lies in a folder that is missing or cannot be written to.
    """
    if path.is_dir():
        raise UserError(f"--json {path} is a folder; name a file in it")
    if path.exists() or path.is_symlink():
        raise UserError(f"--json {path} exists already; name a new file, nothing is overwritten")
    if not path.parent.is_dir():
        raise UserError(f"--json {path}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise UserError(f"--json {path}: the folder {path.parent} cannot be written to; name another place")


def write_json(path: Path, answer: Any) -> None:
    """Writes the answer of a command, whole or not at all.

    Args:
        path: The file.
        answer: Dictionaries, sequences, NumPy arrays and scalars, paths, numbers, text. What is not a finite number
            becomes null: JSON has no word for it.

    Raises:
        OSError: The file cannot be written; `filename` names it.
    """
    try:
        folders.write_json(path, _plain(answer))
    except OSError as error:
        error.filename = str(path)  # a failing write names no file, and the temporary one is of no interest
        raise


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
