"""Dreams that come with the package: run folders that have a name, beside those that have a path."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

from dreamplay.errors import UserError

MODELS = Path(__file__).with_name("models")
MANIFEST = "checkpoint.json"  # the last file of a checkpoint to be written
ORIGIN = "origin.json"  # where a shipped dream comes from: data, recipe, licence


def names() -> list[str]:
    """The names of the shipped dreams."""
    return sorted(manifest.parent.name for manifest in MODELS.glob(f"*/{MANIFEST}"))


def find_run(run: str | Path) -> Path:
    """The folder of a run that was given by its path or, if it is a shipped dream, by its name.

    What is there wins: a folder or file of that name in the working directory is meant before the shipped dream. A
    path that is neither comes back as it is, for whoever opens it to complain of.

    Example:
        >>> find_run("runs/pong")
        PosixPath('runs/pong')
    """
    path = Path(run).expanduser()
    return MODELS / str(run) if str(run) in names() and not path.exists() else path


def shipped_name(run: Path) -> str | None:
    """The name of a run folder if it is that of a shipped dream; nothing is to be written there."""
    return run.name if run.resolve().parent == MODELS.resolve() else None


def own_folder(run: Path, kind: str) -> Path:
    """Where what is made of a run goes unless told otherwise: into the run, of a shipped dream to `KIND/NAME` here."""
    name = shipped_name(run)
    return run / kind if name is None else Path(kind) / name


def hint(run: Path) -> str:
    """What else might have been meant where there is no run: the shipped dreams, or the one that sounds alike."""
    known = names()
    close = difflib.get_close_matches(run.name, known, n=1)
    if close:
        return f"did you mean the shipped dream {close[0]}?"
    return "make one with `dreamplay train`" + (f", or take a shipped dream: {', '.join(known)}" if known else "")


def describe(name: str) -> dict[str, Any]:
    """What is known of a shipped dream without loading it.

    Returns:
        {"name", "env", "frame" (H, W, C), "horizons", "bytes", "folder"} and, under "origin", how it was made.
        "horizons" is that of its truth horizon, empty where none was measured.

    Raises:
        UserError: its files cannot be read.
    """
    folder = MODELS / name
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {
            "name": name,
            "env": manifest["env"]["id"],
            "frame": manifest["env"]["observation_space"]["shape"],
            "horizons": _read(folder / "evaluation" / "horizon.json").get("horizons", {}),
            "bytes": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
            "folder": str(folder),
            "origin": _read(folder / ORIGIN),
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"the shipped dream {name} is damaged ({error!r}); install dreamplay again") from None


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}
