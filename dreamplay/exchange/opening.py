"""Which kind of recording a path or a name is."""

from __future__ import annotations

from pathlib import Path

from dreamplay.errors import UserError
from dreamplay.exchange.minari_dataset import MinariRecording, find_dataset
from dreamplay.exchange.npz_folder import NpzFolder
from dreamplay.exchange.recording import KnownEnv, Recording
from dreamplay.exchange.video_folder import SUFFIXES, VideoFolder


def open_recording(name: str, source: str | None = None, env: str | None = None) -> Recording:
    """The recording in a file, in a folder, or of the id of a Minari dataset.

    Args:
        name: path or id.
        source: which key of Dict observations holds the frames, in a Minari dataset.
        env: the environment that they are of, if the user says so.

    Raises:
        UserError: there is no such thing, or nothing in it that can be read.
    """
    known = None if env is None else KnownEnv(env, source)
    if (dataset := find_dataset(name)) is not None:
        return MinariRecording(dataset, source, known)
    path = Path(name)
    if not path.exists():
        raise UserError(f"there is no {name}; name a folder, a file, or the id of a Minari dataset on this machine")
    if source is not None:
        raise UserError(f"--source chooses among the observations of a Minari dataset; {name} is none, leave it out")
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    title = path.resolve().stem if path.is_file() else path.resolve().name
    videos = [file for file in files if file.suffix.lower() in SUFFIXES]
    if videos:
        return VideoFolder(videos, title, known)
    archives = [file for file in files if file.suffix == ".npz"]
    if archives:
        return NpzFolder(archives, title, known)
    raise UserError(f"{name} holds neither .npz files, nor videos ({', '.join(SUFFIXES)}), nor a Minari dataset")
