"""`dreamplay import`: recordings of your own, or somebody else's, become a data folder to train on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    import gymnasium as gym

    from dreamplay.envs.card import EnvCard
    from dreamplay.episodes import Episode


@dataclass(frozen=True)
class Import:
    """Make a data folder of recordings: .npz files, videos with actions, a Minari dataset, or another data folder.

    No environment is needed, for training, evaluating and playing neither. An .npz file holds an episode: observations
    (T+1, H, W, C), actions (T, ...), and if known rewards, terminated, truncated (T,). Beside a video lie its actions,
    one for each frame but the last, in a .csv, .npy or .npz file of the same name.
    """

    recordings: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RECORDINGS")]
    """Folder or file, or the id of a Minari dataset on this machine."""

    out: Path | None = None
    """Data folder to make; data/<name> by default."""

    append: bool = False
    """Add to the data folder if it holds episodes of the same kind already."""

    env: str | None = None
    """Environment that the recordings are of, to play and act beside it; its frames have to be of the same shape."""

    source: str | None = None
    """Which key of Dict observations holds the frames, in a Minari dataset."""

    size: tuple[int, int] | None = None
    """Height and width of frames in pixels, picked from the full ones. By default sides above 84 are subsampled."""

    gray: bool = False
    """One gray channel instead of three colours."""

    action_space: str | None = None
    """What the actions are, such as 'Discrete(6)', 'MultiBinary(3)' or 'Box(-1, 1, (2,))'; by default guessed: whole
    numbers are choices from 0 to the largest there is."""

    fps: int | None = None
    """Steps per second at which to play; the video's by default, else 15."""

    seed: int = 0
    """Has no effect: nothing is drawn at random."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Import; returns {"name", "env", "episodes", "steps", "frames", "actions", "folder"}."""
        from dreamplay.episodes import EpisodeWriter
        from dreamplay.folders import data_folder
        from dreamplay.progress import progress

        card, count, incoming, remark = self._open()
        folder = self.out or data_folder(card.id)
        with EpisodeWriter(folder, card, append=self.append) as writer:
            before, steps, left_out = writer.episodes, 0, 0
            with progress(f"import {self.recordings}", count, "files") as bar:
                for place, episode, unseen in incoming:
                    writer.add(episode)
                    steps += len(episode)
                    left_out += unseen
                    bar.advance(place - bar.done, f"{writer.episodes - before} episodes, {steps} steps")
        if left_out:
            remark += (
                f"\n{left_out} last actions are left out with their rewards and ends, for nothing was seen after them: "
                "store T + 1 frames for T actions"
            )
        height, width, channels = card.observation_space.shape
        print(
            f"{writer.episodes - before} episodes, {steps} steps of {height} x {width} x {channels} frames with "
            f"actions {card.action_space} in {folder}\n{remark}\n"
            f"next: dreamplay check {folder}, then: dreamplay train --data {folder}"
        )
        return {
            "name": card.id,
            "env": None if card.preparation.source == "recorded" else card.id,
            "episodes": writer.episodes - before,
            "steps": steps,
            "frames": list(card.observation_space.shape),
            "actions": str(card.action_space),
            "folder": str(folder),
        }

    def _open(self) -> "tuple[EnvCard, int, Iterator[tuple[int, Episode, int]], str]":
        """The card, how many files there are, what comes in, and a remark.

        Each episode comes with the number of files done by then, and how many of its actions are left out.
        """
        from dreamplay.exchange.opening import open_recording
        from dreamplay.exchange.recording import Wishes, card_for, episodes

        if (Path(self.recordings) / "data.json").is_file():
            return self._data_folder()
        recording = open_recording(self.recordings, self.source, self.env)
        card = card_for(recording, Wishes(self.size, self.gray, self._space(), self.fps))
        incoming = ((i + 1, *found) for i in range(len(recording)) for found in episodes(recording, card, i))
        if card.preparation.source == "recorded":
            remark = "no environment is known: the dream plays alone; if there is one, name it with --env"
        else:
            remark = f"the environment is {card.id}: dreamplay play shows it beside the dream"
        return card, len(recording), incoming, remark

    def _data_folder(self) -> "tuple[EnvCard, int, Iterator[tuple[int, Episode, int]], str]":
        from dreamplay.episodes import Episodes
        from dreamplay.errors import UserError

        if self.size or self.gray or self.source or self.action_space or self.fps or self.env:
            raise UserError(f"{self.recordings} is a data folder already; leave out what would change it")
        stored = Episodes.open(self.recordings)
        remark = f"the environment is {stored.card.id}, as in {self.recordings}"
        return stored.card, len(stored), ((i, episode, 0) for i, episode in enumerate(stored, 1)), remark

    def _space(self) -> "gym.Space[Any] | None":
        from dreamplay.exchange.spaces import parse_space

        return None if self.action_space is None else parse_space(self.action_space)
