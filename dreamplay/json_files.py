"""JSON files: strict, written whole or not at all, and refused early where they cannot be kept."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dreamplay.errors import UserError
from dreamplay.whole_files import write_whole


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


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file, whole or not at all.

    Args:
        path: The file.
        value: Dictionaries, sequences, NumPy arrays and scalars, paths, numbers, text. What is not a finite number
            becomes null: JSON has no word for it.

    Raises:
        OSError: The file cannot be written; `filename` names it.
    """
    write_whole(path, (json.dumps(plain(value), indent=1, allow_nan=False) + "\n").encode())


def plain(value: Any) -> Any:
    """A value as strict JSON can hold it, see `write_json`."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
