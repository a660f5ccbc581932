"""Where outputs go, and the promise that nothing already there is written over."""

from pathlib import Path

from dreamplay.errors import UserError


def slug(env_id: str) -> str:
    """The id of an environment as a folder name: `ALE/Pong-v5` becomes `ALE-Pong-v5`."""
    return env_id.replace("/", "-").replace(":", "-")


def data_folder(env_id: str) -> Path:
    """Where `dreamplay collect` puts episodes unless told otherwise."""
    return Path("data") / slug(env_id)


def run_folder(env_id: str) -> Path:
    """Where `dreamplay train` puts a checkpoint unless told otherwise."""
    return Path("runs") / slug(env_id)


def claim(folder: str | Path) -> Path:
    """Make an output folder, or take an empty one.

    Raises:
        UserError: the path is a file, lies below one, or is a folder that already holds something.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty; choose another folder with --out, or remove it first")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"{folder} cannot be a folder: a file is in its way; choose another with --out") from None
    return folder
