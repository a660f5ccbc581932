"""One shard of stored episodes: a folder of plain .npy files, written once and memory-mapped ever after."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from dreamplay.envs.card import EnvCard
from dreamplay.errors import UserError


class Field(NamedTuple):
    """One array of an episode: its type and the shape of one entry."""

    dtype: np.dtype
    shape: tuple[int, ...]


def fields(card: EnvCard) -> dict[str, Field]:
    """The arrays of an episode of this environment, in the order of `Episode`'s fields.

    `observations` has one entry more than there are transitions, every other array one per transition.
    """
    box = isinstance(card.action_space, gym.spaces.Box)
    return {
        "observations": Field(np.dtype(np.uint8), card.observation_space.shape),
        "actions": Field(np.dtype(np.float32 if box else np.int64), card.action_space.shape or ()),
        "rewards": Field(np.dtype(np.float32), ()),
        "terminated": Field(np.dtype(bool), ()),
        "truncated": Field(np.dtype(bool), ()),
        "chance": Field(np.dtype(bool), ()),
    }


def bytes_per_step(card: EnvCard) -> int:
    """What one transition takes on disk, its frame included, in bytes."""
    return sum(field.dtype.itemsize * int(np.prod(field.shape)) for field in fields(card).values())


def write_shard(folder: Path, card: EnvCard, episodes: Sequence[dict[str, np.ndarray]]) -> dict[str, str]:
    """Write episodes as the shard `folder`, under a temporary name that is renamed once everything is on disk.

    Args:
        folder: the shard's final name; must not exist.
        card: says which arrays there are, see `fields`.
        episodes: each a dict of those arrays.

    Returns:
        The SHA-256 of each file by its name.

    Raises:
        OSError: the disk is full or not writable; the shard then does not exist.
    """
    temporary = folder.with_name(folder.name + ".tmp")
    temporary.mkdir()
    lengths = np.array([len(episode["rewards"]) for episode in episodes], np.int64)
    columns = {name: (field, [episode[name] for episode in episodes]) for name, field in fields(card).items()}
    columns["lengths"] = Field(lengths.dtype, ()), [lengths]
    try:
        hashes = {f"{name}.npy": _write_array(temporary / f"{name}.npy", *column) for name, column in columns.items()}
        temporary.rename(folder)
    except BaseException:  # Ctrl-C too: whoever catches it may try again
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return hashes


def file_hash(path: Path) -> str:
    """The SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _write_array(path: Path, field: Field, parts: list[np.ndarray]) -> str:
    # Part by part: no second copy in memory. Not through a memory map: a full disk would be a SIGBUS, not an OSError.
    shape = (sum(len(part) for part in parts), *field.shape)
    header = {"descr": np.lib.format.dtype_to_descr(field.dtype), "fortran_order": False, "shape": shape}
    start = BytesIO()
    np.lib.format.write_array_header_1_0(start, header)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        blocks: list[Any] = [np.ascontiguousarray(part, field.dtype).data for part in parts]
        for block in (start.getvalue(), *blocks):
            file.write(block)
            digest.update(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def read_shard(folder: Path, card: EnvCard, steps: int, episodes: int) -> list[dict[str, np.ndarray]]:
    """Memory-map a shard: the arrays of its episodes, nothing but the lengths read.

    Args:
        folder: the shard.
        card: says which arrays there must be, see `fields`.
        steps: how many transitions it must hold.
        episodes: how many episodes it must hold.

    Raises:
        UserError: an array is missing, cut short, or does not fit the card or the lengths.
    """
    lengths = _map_array(folder / "lengths.npy", Field(np.dtype(np.int64), ()), episodes)
    if lengths.min(initial=1) < 1 or lengths.sum() != steps:
        raise UserError(f"{folder / 'lengths.npy'} does not add up to {steps} steps; collect the data again")
    ends = np.cumsum(lengths)
    starts = ends - lengths
    arrays = {}
    for name, field in fields(card).items():
        extra = 1 if name == "observations" else 0
        array = _map_array(folder / f"{name}.npy", field, steps + extra * episodes)
        arrays[name] = [
            array[start + extra * i : end + extra * (i + 1)]
            for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True))
        ]
    return [{name: parts[i] for name, parts in arrays.items()} for i in range(episodes)]


def _map_array(path: Path, field: Field, entries: int) -> np.ndarray:
    if not path.is_file():
        raise UserError(f"{path} is missing; collect the data again")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, TypeError):
        raise UserError(f"{path} is cut short or not a .npy file; collect the data again") from None
    wanted = (entries, *field.shape)
    if array.dtype != field.dtype or array.shape != wanted or not array.flags.c_contiguous:
        raise UserError(
            f"{path} holds {array.dtype} {array.shape} where data.json asks for {field.dtype} {wanted}; "
            "collect the data again"
        )
    return array.view(np.ndarray)  # slices of the memmap subclass cost ten times as much
