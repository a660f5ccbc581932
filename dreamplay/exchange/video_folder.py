"""Episodes as videos, each with a file of actions beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.envs.card import EnvCard
from dreamplay.errors import UserError
from dreamplay.exchange.npz_folder import NAMES, read_arrays
from dreamplay.exchange.recording import KnownEnv, RawEpisode

SUFFIXES = (".mp4", ".gif", ".avi", ".mov", ".mkv", ".webm")
ACTIONS = (".npz", ".npy", ".csv")


class VideoFolder:
    """Recorded episodes as videos, see `dreamplay.exchange.recording.Recording`.

    Beside `NAME.mp4` lies `NAME.npz` (an episode without its frames), `NAME.npy` (actions alone) or `NAME.csv` with a
    line of names: action, or action_0, action_1 and so on, and if known reward, terminated, truncated.

    Args:
        files: the videos, at least one.
        name: what to call the environment.
        env: the environment, if the user knows it.
    """

    def __init__(self, files: Sequence[Path], name: str, env: KnownEnv | None = None) -> None:
        self._files = list(files)
        self.name = name
        self.env = env
        self.action_space: gym.Space[Any] | None = None
        self.card: EnvCard | None = None
        self.fps = max(1, round(_frames_per_second(self._files[0])))

    def __len__(self) -> int:
        return len(self._files)

    def place(self, index: int) -> str:
        """The video."""
        return str(self._files[index])

    def actions(self, index: int) -> np.ndarray:
        """The actions of a video."""
        return self._columns(index)["actions"]

    def load(self, index: int) -> Iterator[RawEpisode]:
        """The one episode of a video."""
        yield RawEpisode(read_video(self._files[index]), **self._columns(index))

    def _columns(self, index: int) -> dict[str, np.ndarray]:
        video = self._files[index]
        beside = next(filter(Path.is_file, map(video.with_suffix, ACTIONS)), None)
        if beside is None:
            raise UserError(f"{video} has no actions beside it; put them in {video.with_suffix('.csv').name} or .npy")
        if beside.suffix == ".npz":
            return {name: array for name, array in read_arrays(beside, ("actions",)).items() if name != "observations"}
        if beside.suffix == ".csv":
            return read_csv(beside)
        try:
            return {"actions": np.load(beside, allow_pickle=False)}
        except (ValueError, EOFError) as error:
            raise UserError(f"{beside} is no .npy file of a plain array ({error}); save it with np.save") from None


def read_csv(path: Path) -> dict[str, np.ndarray]:
    """Columns of a table with a line of names, by the names of an episode's arrays.

    Raises:
        UserError: there are no actions, or something is no number.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    names, entries = [name.strip() for name in rows[0]] if rows else [], rows[1:]
    numbered = takewhile(names.__contains__, (f"action_{i}" for i in count()))
    single = [alias for alias in NAMES["actions"] if alias in names][:1]
    parts = [names.index(name) for name in single or numbered]
    if not parts:
        raise UserError(f"{path} names no actions in its first line; call the column action, or action_0, action_1 ...")
    try:
        columns = {
            name: np.array([_number(row[names.index(alias)]) for row in entries])
            for name in ("rewards", "terminated", "truncated")
            for alias in NAMES[name]
            if alias in names
        }
        actions = np.array([[_number(row[i]) for i in parts] for row in entries])
    except (ValueError, IndexError) as error:
        raise UserError(f"{path} is no table of numbers ({error}); mend it") from None
    return {"actions": actions[:, 0] if single else actions, **columns}


def read_video(path: Path) -> np.ndarray:
    """All frames, uint8 (T, H, W, 3).

    Raises:
        UserError: it is no video.
    """
    import imageio.v2 as imageio

    try:
        reader: Any
        with imageio.get_reader(path) as reader:
            return np.stack([np.asarray(frame)[..., :3] for frame in reader])
    except (OSError, ValueError, IndexError, RuntimeError) as error:
        raise UserError(
            f"{path} is no readable video ({' '.join(str(error).split())[:100]}); convert it to .mp4"
        ) from None


def _frames_per_second(path: Path) -> float:
    import imageio.v2 as imageio

    try:
        reader: Any
        with imageio.get_reader(path) as reader:
            meta: dict[str, Any] = reader.get_meta_data()
    except (OSError, ValueError, IndexError, RuntimeError):
        return 15.0  # what is wrong with it is told when its frames are read
    return float(meta.get("fps") or 1000 / (meta.get("duration") or 1000 / 15))


def _number(text: str) -> float | int:
    text = text.strip()
    if text.lower() in ("true", "false"):
        return int(text.lower() == "true")
    return int(text) if text.lstrip("+-").isdigit() else float(text)
