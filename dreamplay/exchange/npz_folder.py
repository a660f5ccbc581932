"""Episodes as plain .npz files: one file, or a folder of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from dreamplay.envs.card import EnvCard
from dreamplay.episodes import Episode, Episodes
from dreamplay.errors import UserError
from dreamplay.exchange.recording import KnownEnv, RawEpisode, split_at_ends
from dreamplay.json_files import write_json
from dreamplay.whole_files import write_whole

CARD = "environment.json"
# What people call the arrays; the first name is the one that is written.
NAMES = {
    "observations": ("observations", "obs", "frames", "images"),
    "actions": ("actions", "action"),
    "rewards": ("rewards", "reward"),
    "terminated": ("terminated", "terminations", "terminals", "dones", "done"),
    "truncated": ("truncated", "truncations", "timeouts"),
    "chance": ("chance",),
}


class NpzFolder:
    """Recorded episodes in .npz files, see `dreamplay.exchange.recording.Recording`.

    A file holds one episode, or several one after another with `terminated` or `truncated` where they end.

    Args:
        files: at least one.
        name: what to call the environment.
        env: the environment, if the user knows it.
    """

    fps = 15

    def __init__(self, files: Sequence[Path], name: str, env: KnownEnv | None = None) -> None:
        self._files = list(files)
        self.name = name
        self.env = env
        self.action_space: gym.Space[Any] | None = None
        self.card: EnvCard | None = None
        described = self._files[0].parent / CARD
        if described.is_file():
            try:
                self.card = EnvCard.from_json(json.loads(described.read_text(encoding="utf-8")))
            except (ValueError, UserError) as error:
                raise UserError(f"{described} is not readable ({error}); remove it to import without it") from None

    def __len__(self) -> int:
        return len(self._files)

    def place(self, index: int) -> str:
        """The file."""
        return str(self._files[index])

    def actions(self, index: int) -> np.ndarray:
        """The actions of a file."""
        return read_arrays(self._files[index], ("actions",), others=False)["actions"]

    def load(self, index: int) -> Iterator[RawEpisode]:
        """The episodes of a file."""
        path = self._files[index]
        yield from split_at_ends(RawEpisode(**read_arrays(path, ("observations", "actions"))))


def read_arrays(path: Path, needed: Sequence[str], others: bool = True) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by the names of `NAMES`: those needed, and if asked for all others there are.

    Raises:
        UserError: it is no such file, or a needed array is not in it.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {
                name: next(alias for alias in aliases if alias in archive)
                for name, aliases in NAMES.items()
                if any(alias in archive for alias in aliases)
            }
            for name in needed:
                if name not in found:
                    there = ", ".join(archive.files)
                    raise UserError(f"{path} holds no {name}, only {there}; call them {' or '.join(NAMES[name])}")
            return {name: archive[alias] for name, alias in found.items() if others or name in needed}
    except (ValueError, zipfile.BadZipFile, EOFError, AttributeError) as error:
        raise UserError(f"{path} is no readable .npz file of plain arrays ({error}); save it with np.savez") from None


def write_npz(episodes: Episodes, folder: Path) -> Iterator[Episode]:
    """Write a file for each episode, and the card beside them; yields each episode once its file is there.

    Args:
        episodes: to write.
        folder: new or empty.
    """
    from io import BytesIO

    digits = max(5, len(str(len(episodes))))
    write_json(folder / CARD, episodes.card.to_json())
    for number, episode in enumerate(episodes):
        buffer = BytesIO()
        np.savez_compressed(buffer, **{name: getattr(episode, name) for name in NAMES})
        write_whole(folder / f"episode-{number:0{digits}d}.npz", buffer.getvalue())
        yield episode
