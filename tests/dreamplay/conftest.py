"""A little real data, and a run that has learned a little from it."""

import shutil
from pathlib import Path

import pytest

from dreamplay.agents.random_agent import RandomAgent
from dreamplay.collect import collect
from dreamplay.envs.real import card_of, make_env
from dreamplay.episodes import Episodes, EpisodeWriter


@pytest.fixture(scope="session")
def bricks(tmp_path_factory: pytest.TempPathFactory) -> Episodes:
    """600 random steps of Bricks on disk; not to be written to."""
    folder = tmp_path_factory.mktemp("bricks") / "data"
    env = make_env("Dreamplay/Bricks-v0")
    with EpisodeWriter(folder, card_of(env)) as writer:
        collect(env, RandomAgent(env.action_space), 600, writer, seed=0)
    return Episodes.open(folder)


@pytest.fixture(scope="session")
def _trained(bricks: Episodes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dreamplay.starting import start_training
    from dreamplay.training import TrainConfig, train

    run = tmp_path_factory.mktemp("trained") / "run"
    run.mkdir()
    training = start_training(TrainConfig(updates=4, batch_steps=32), bricks, str(bricks.folder), "cpu")
    train(training, bricks.split()[0], run, lambda report: None)
    return run


@pytest.fixture
def run(_trained: Path, tmp_path: Path) -> Path:
    """A run folder of four updates on `bricks`, a copy for every test."""
    return Path(shutil.copytree(_trained, tmp_path / "run"))
