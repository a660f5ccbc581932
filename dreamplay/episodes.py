"""Episodes: what a real environment did, as arrays in memory and as memory-mapped files on disk."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, overload

import numpy as np

from dreamplay.envs.card import EnvCard
from dreamplay.errors import UserError
from dreamplay.folders import claim
from dreamplay.json_files import write_json
from dreamplay.shards import fields as card_fields
from dreamplay.shards import read_shard, write_shard
from dreamplay.statistics import Statistics

FORMAT = 1
SHARD_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Episode:
    """T transitions and the T + 1 observations around them.

    `observations[t], actions[t] -> rewards[t], terminated[t], truncated[t], observations[t + 1]`. An episode cut by a
    budget of steps is neither terminated nor truncated.

    Attributes:
        observations: uint8 (T+1, H, W, C), a view of a memory map when read from disk.
        actions: (T, *action_shape), int64 for the discrete kinds of spaces, float32 for Box.
        rewards: float32 (T,).
        terminated: bool (T,), only the last may be True.
        truncated: bool (T,), only the last may be True.
        chance: bool (T,), the step drew on randomness; False where the environment does not say.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    chance: np.ndarray

    def __len__(self) -> int:
        return len(self.rewards)

    def cut(self, start: int, stop: int) -> "Episode":
        """The transitions start <= t < stop as an episode of its own; a view, nothing is copied."""
        arrays = {field.name: getattr(self, field.name)[start:stop] for field in fields(self)}
        return Episode(**arrays | {"observations": self.observations[start : stop + 1]})


class Episodes(Sequence[Episode]):
    """Stored episodes, memory-mapped: opening a hundred gigabytes takes no memory to speak of.

    Example:
        >>> import tempfile
        >>> import dreamplay
        >>> from dreamplay.agents.random_agent import RandomAgent
        >>> from dreamplay.collect import collect
        >>> from dreamplay.envs.real import card_of
        >>> env = dreamplay.make_env("Dreamplay/Catch-v0")
        >>> folder = tempfile.mkdtemp()
        >>> with EpisodeWriter(folder, card_of(env)) as writer:
        ...     summary = collect(env, RandomAgent(env.action_space), 100, writer, seed=0)
        >>> Episodes.open(folder).steps
        100
    """

    def __init__(self, folder: Path, card: EnvCard, episodes: list[Episode]) -> None:
        self.folder = folder
        self.card = card
        self.steps = sum(len(episode) for episode in episodes)
        self._episodes = episodes

    @classmethod
    def open(cls, folder: str | Path) -> "Episodes":
        """Open what an `EpisodeWriter` wrote.

        Raises:
            UserError: the folder is missing, empty, of another format, cut short, or does not fit its own description.
        """
        folder = Path(folder)
        card, shards = read_index(folder)
        episodes = [
            Episode(**arrays)
            for shard in shards
            for arrays in read_shard(folder / shard["name"], card, shard["steps"], shard["episodes"])
        ]
        if not episodes:
            raise UserError(f"{folder} holds no episodes; collect some with `dreamplay collect`")
        return cls(folder, card, episodes)

    def __len__(self) -> int:
        return len(self._episodes)

    @overload
    def __getitem__(self, index: int) -> Episode: ...
    @overload
    def __getitem__(self, index: slice) -> list[Episode]: ...
    def __getitem__(self, index: int | slice) -> Episode | list[Episode]:
        return self._episodes[index]

    def split(self, held_out: float = 0.1) -> tuple[list[Episode], list[Episode]]:
        """Divide into (training, held-out) episodes, the same way every time.

        Every tenth episode (for 0.1) is held out. With fewer than that, it is the last one that came to its own end;
        a single episode is cut in time and its last tenth held out.

        Args:
            held_out: the fraction held out, 0 < held_out <= 0.5.

        Raises:
            UserError: there is a single episode of a single step.
        """
        if not 0 < held_out <= 0.5:
            raise ValueError(f"held_out is {held_out}; it must lie in (0, 0.5]")
        if len(self) == 1:
            return self._cut_in_time(held_out)
        every = round(1 / held_out)
        chosen = set(range(every - 1, len(self), every))
        if not chosen:
            ended = [i for i, episode in enumerate(self) if episode.terminated[-1] or episode.truncated[-1]]
            chosen = {ended[-1] if ended else len(self) - 1}
        train = [episode for i, episode in enumerate(self) if i not in chosen]
        return train, [self[i] for i in sorted(chosen)]

    def _cut_in_time(self, held_out: float) -> tuple[list[Episode], list[Episode]]:
        whole = self[0]
        if len(whole) < 2:
            raise UserError(f"{self.folder} holds a single step, nothing can be held out; collect more")
        at = len(whole) - max(1, round(held_out * len(whole)))
        return [whole.cut(0, at)], [whole.cut(at, len(whole))]


class EpisodeWriter:
    """Stores episodes in a folder, shard by shard; a context manager.

    A shard appears whole or not at all, and `data.json` names it only then: whatever interrupts the writing, the folder
    opens with what was stored before. Leaving the `with` block stores what is buffered, after an exception too.

    Args:
        folder: where; new or empty unless `append`.
        card: the environment the episodes come from.
        append: continue a folder of the same environment, or start it if there is none.

    Raises:
        UserError: the folder is used and `append` is False, or it holds another environment's episodes.
    """

    def __init__(self, folder: str | Path, card: EnvCard, append: bool = False) -> None:
        self.folder = Path(folder)
        self.card = card
        self._shards: list[dict[str, Any]] = []
        self._buffer: list[dict[str, np.ndarray]] = []
        self._buffered_bytes = 0
        if append and (self.folder / "data.json").exists():
            stored, self._shards = read_index(self.folder)
            if stored.to_json() != card.to_json():
                raise UserError(
                    f"{self.folder} holds episodes of another environment, {stored.id}; choose another folder"
                )
        else:
            claim(self.folder)

    @property
    def steps(self) -> int:
        """Transitions taken so far, with those found by `append`."""
        return sum(shard["steps"] for shard in self._shards) + sum(len(arrays["rewards"]) for arrays in self._buffer)

    @property
    def episodes(self) -> int:
        """Episodes taken so far, with those found by `append`."""
        return sum(shard["episodes"] for shard in self._shards) + len(self._buffer)

    def add(self, episode: Episode) -> None:
        """Take one episode of at least one step; it reaches the disk with its shard.

        Raises:
            UserError: the arrays do not fit the card.
            OSError: a shard was due and could not be written.
        """
        arrays = {name: np.asarray(getattr(episode, name)) for name in card_fields(self.card)}
        self._check(arrays)
        self._buffer.append(arrays)
        self._buffered_bytes += sum(array.nbytes for array in arrays.values())
        if self._buffered_bytes > SHARD_BYTES:
            self._flush()

    def _check(self, arrays: dict[str, np.ndarray]) -> None:
        steps = len(arrays["rewards"])
        if steps < 1:
            raise UserError("an episode without a step cannot be stored; leave it out")
        for name, field in card_fields(self.card).items():
            wanted = (steps + (name == "observations"), *field.shape)
            if arrays[name].shape != wanted or arrays[name].dtype != field.dtype:
                got = f"{arrays[name].dtype} {arrays[name].shape}"
                raise UserError(f"the episode's {name} are {got}, {self.card.id} needs {field.dtype} {wanted}")
        if arrays["terminated"][:-1].any() or arrays["truncated"][:-1].any():
            raise UserError("an episode goes on after its end; split it where terminated or truncated is True")

    def _flush(self) -> None:
        if not self._buffer:
            return
        number = len(self._shards)
        while any((self.folder / f"shard-{number:05d}{end}").exists() for end in ("", ".tmp")):
            number += 1  # left by a killed writer, named in no data.json
        name = f"shard-{number:05d}"
        hashes = write_shard(self.folder / name, self.card, self._buffer)
        steps = sum(len(arrays["rewards"]) for arrays in self._buffer)
        statistics = Statistics.of(self._buffer).to_json()
        self._shards.append(
            {"name": name, "steps": steps, "episodes": len(self._buffer), "sha256": hashes, "statistics": statistics}
        )
        self._buffer, self._buffered_bytes = [], 0
        write_json(
            self.folder / "data.json",
            {
                "format": FORMAT,
                "env": self.card.to_json(),
                "steps": sum(shard["steps"] for shard in self._shards),
                "episodes": sum(shard["episodes"] for shard in self._shards),
                "statistics": total_statistics(self._shards),
                "shards": self._shards,
            },
        )

    def close(self) -> None:
        """Store what is buffered."""
        self._flush()

    def __enter__(self) -> "EpisodeWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def total_statistics(shards: list[dict[str, Any]]) -> dict[str, Any] | None:
    """`Statistics` of all shards together as JSON values; None where an old shard has none."""
    parts = [Statistics.from_json(shard["statistics"]) for shard in shards if shard["statistics"]]
    return Statistics.total(parts).to_json() if len(parts) == len(shards) else None


def read_index(folder: Path) -> tuple[EnvCard, list[dict[str, Any]]]:
    """What data.json says: the environment, and of each shard name, steps, episodes, sha256 and statistics.

    The latter two are empty for shards from before there were any.
    """
    path = folder / "data.json"
    if not folder.is_dir():
        raise UserError(f"there is no data folder {folder}; make one with `dreamplay collect`")
    if not path.is_file():
        raise UserError(f"{folder} is not a data folder: it has no data.json; make one with `dreamplay collect`")
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise UserError(f"{path} is not JSON; collect the data again") from None
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise UserError(f"{path} is not of format {FORMAT}; collect the data again with this version")
    try:
        card = EnvCard.from_json(index["env"])
        shards: list[dict[str, Any]] = [
            {
                "name": str(s["name"]),
                "steps": int(s["steps"]),
                "episodes": int(s["episodes"]),
                "sha256": dict(s.get("sha256", {})),
                "statistics": s.get("statistics"),
            }
            for s in index["shards"]
        ]
        total_statistics(shards)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path} is incomplete ({error!r}); collect the data again") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if not all(re.fullmatch(r"shard-\d{5,}", shard["name"]) for shard in shards):
        raise UserError(f"{path} names a shard outside its folder; collect the data again")
    return card, shards
