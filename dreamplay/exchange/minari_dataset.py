"""Minari datasets on this machine, in and out."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from dreamplay.envs.card import EnvCard
from dreamplay.envs.images import is_image
from dreamplay.episodes import Episode, Episodes
from dreamplay.errors import UserError
from dreamplay.exchange.recording import KnownEnv, RawEpisode, as_bytes

if TYPE_CHECKING:
    from minari import MinariDataset

CARD = "dreamplay_environment"  # in the dataset's metadata


class MinariRecording:
    """The episodes of a Minari dataset, see `dreamplay.exchange.recording.Recording`.

    Args:
        folder: of the dataset; holds `data/`.
        source: which key of Dict observations holds the frames; None takes the only image there is.
        env: the environment, if the user knows better than the dataset.

    Raises:
        UserError: the package is missing, the dataset is damaged, or it holds no images.
    """

    def __init__(self, folder: Path, source: str | None = None, env: KnownEnv | None = None) -> None:
        minari = check_installed()
        try:
            self._dataset: MinariDataset = minari.MinariDataset(str(folder / "data"))
        except (ValueError, KeyError, AssertionError, OSError) as error:
            raise UserError(f"{folder} is no readable Minari dataset ({error}); check it with minari") from None
        self._folder = folder
        self.name = str(self._dataset.spec.dataset_id)
        self.action_space: gym.Space[Any] | None = self._dataset.spec.action_space
        self._source = _image_key(self._dataset.spec.observation_space, source, self.name)
        self._metadata: dict[str, Any] = self._dataset.storage.metadata
        stored = self._metadata.get(CARD)
        self.card = EnvCard.from_json(json.loads(stored)) if stored else None
        self.env = env or (None if stored else self._verified())
        self.fps = 15

    def __len__(self) -> int:
        return int(self._dataset.total_episodes)

    def place(self, index: int) -> str:
        """Dataset and episode."""
        return f"{self.name}, episode {index},"

    def actions(self, index: int) -> np.ndarray:
        """The actions of an episode."""
        return np.asarray(self._dataset[index].actions)

    def load(self, index: int) -> Iterator[RawEpisode]:
        """One episode."""
        episode = self._dataset[index]
        if isinstance(episode.actions, dict | tuple):
            raise UserError(f"{self.name} holds actions {self.action_space}; flatten them first, to a Box say")
        chance = (episode.infos or {}).get("chance")
        yield RawEpisode(
            self._frames(episode.observations),
            np.asarray(episode.actions),
            episode.rewards,
            episode.terminations,
            episode.truncations,
            None if chance is None or len(chance) != len(episode) + 1 else chance[1:],  # the first is of the reset
        )

    def _frames(self, observations: Any) -> np.ndarray:
        return np.asarray(observations if self._source is None else observations[self._source])

    def _verified(self) -> KnownEnv | None:
        """The environment that the dataset names, if made and reset here it shows the very first frame recorded."""
        from dreamplay.envs.real import make_env

        spec = self._dataset.spec.env_spec
        seed = next(iter(self._dataset.storage.get_episode_metadata([0]))).get("seed")
        if spec is None or seed is None or spec.additional_wrappers:
            return None
        settings = {name: value for name, value in spec.kwargs.items() if name != "render_mode"}
        first = as_bytes(self._frames(self._dataset[0].observations)[:1], self.name)[0]
        try:
            env = make_env(spec.id, source=self._source, env_args=settings, size=first.shape[:2])
        except UserError:
            return None
        same = env.action_space == self.action_space and np.array_equal(env.reset(seed=seed)[0], first)
        env.close()
        return KnownEnv(spec.id, self._source, settings) if same else None


def find_dataset(name: str) -> Path | None:
    """The folder of a dataset on this machine by its id or its path; None if it is neither."""
    for folder in (Path(name), Path(name).parent if Path(name).name == "data" else None):
        if folder is not None and (folder / "data" / "metadata.json").is_file():
            return folder
    if Path(name).exists() or not re.fullmatch(r"[\w/-]+-v\d+", name):
        return None
    from os import PathLike

    from minari.storage.datasets_root_dir import get_dataset_path

    folder_of_id: str | PathLike[str] = get_dataset_path(name)
    return Path(folder_of_id) if (Path(folder_of_id) / "data" / "metadata.json").is_file() else None


def write_minari(episodes: Episodes, folder: Path) -> Iterator[Episode]:
    """Write a Minari dataset, raw and so without loss; yields each episode once it is on its way to the disk.

    Args:
        episodes: to write.
        folder: new or empty; its name, which must end in a version such as -v0, is the dataset's id.
    """
    check_installed()
    import minari
    from minari.data_collector import EpisodeBuffer
    from minari.dataset.minari_storage import MinariStorage

    card = episodes.card
    data = folder / "data"
    data.mkdir()
    storage = MinariStorage.new(
        data, observation_space=card.observation_space, action_space=card.action_space, jpeg_encoding=False
    )
    storage.update_metadata(
        {
            "dataset_id": folder.name,
            "minari_version": minari.__version__,
            "description": f"Frames of {card.id}, recorded by Dreamplay.",
            CARD: json.dumps(card.to_json()),
        }
    )
    for number, episode in enumerate(episodes):
        chance = np.concatenate([[False], episode.chance])
        buffer = EpisodeBuffer(
            id=number,
            observations=np.asarray(episode.observations),
            actions=np.asarray(episode.actions),
            rewards=np.asarray(episode.rewards),
            terminations=np.asarray(episode.terminated),
            truncations=np.asarray(episode.truncated),
            infos={"chance": chance},
        )
        storage.update_episodes([buffer])
        yield episode


def check_installed() -> Any:
    """The package, if it is there.

    Raises:
        UserError: it is not; the line says how to get it.
    """
    try:
        import h5py  # noqa: F401, where Minari keeps data
        import minari
    except ImportError as error:
        raise UserError(f"Minari datasets need {error.name}, not installed: pip install 'dreamplay[minari]'") from error
    warnings.filterwarnings("ignore", category=UserWarning, module="minari")
    return minari


def _image_key(space: gym.Space[Any], source: str | None, name: str) -> str | None:
    if not isinstance(space, gym.spaces.Dict):
        if not is_image(space):
            raise UserError(
                f"{name} observes {' '.join(str(space).split())}, no images; record it again with what the environment "
                "renders (gymnasium.wrappers.AddRenderObservation)"
            )
        return None
    images = [key for key, part in space.spaces.items() if is_image(part)]
    if source is not None and source not in images:
        raise UserError(f"{name} has no images under {source!r}; choose --source among {', '.join(images) or 'none'}")
    if source is None and len(images) != 1:
        raise UserError(f"{name} observes {', '.join(space.spaces)}; name the images among them with --source")
    return source or images[0]
