"""Every size of the default simulator trains and dreams, at every size of frame."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from dreamplay import cli
from dreamplay.checkpoint import read_manifest
from dreamplay.envs.card import EnvCard, Preparation
from dreamplay.episodes import Episode, Episodes, EpisodeWriter
from dreamplay.errors import UserError
from dreamplay.network import Network, NetworkConfig
from dreamplay.network_sizes import SIZES, network_config
from dreamplay.simulator import load
from dreamplay.starting import resume_training, start_training
from dreamplay.training import TrainConfig, train

FRAMES = ((64, 64), (84, 84), (210, 160))
ACTIONS = 6


@pytest.fixture(scope="module", params=FRAMES, ids="{0[0]}x{0[1]}".format)
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Episodes:
    """A block of one of four colours goes to the right."""
    height, width = request.param
    folder, rng, steps = tmp_path_factory.mktemp("data"), np.random.default_rng(0), 12
    space = gym.spaces.Box(0, 255, (height, width, 3), np.uint8)
    no = np.zeros(steps, bool)
    with EpisodeWriter(
        folder / "data", EnvCard("block", {}, Preparation(), space, gym.spaces.Discrete(ACTIONS), [], 15)
    ) as writer:
        for colour in (40, 90, 140, 200):
            frames = np.zeros((steps + 1, height, width, 3), np.uint8)
            for t in range(steps + 1):
                frames[t, 10:14, 3 * t : 3 * t + 4] = colour
            writer.add(Episode(frames, rng.integers(0, ACTIONS, steps), np.ones(steps, np.float32), no, no, no))
    return Episodes.open(folder / "data")


@pytest.mark.parametrize("size", SIZES)
def test_every_size_trains_and_dreams(size: str, data: Episodes, tmp_path: Path) -> None:
    config = TrainConfig(updates=2, batch_steps=8, network_size=size)
    training = start_training(config, data, str(data.folder), "cpu")
    before = {name: value.clone() for name, value in training.network.state_dict().items()}
    train(training, data.split()[0], tmp_path, lambda report: None)
    after = training.network.state_dict()
    assert any(not before[name].equal(after[name]) for name in before)

    simulator = load(tmp_path, "cpu", "torch")
    assert isinstance(simulator.network, Network)
    assert simulator.network.config == SIZES[size]
    context = simulator.contexts[0]
    dreamed = simulator.rollout(context.observations[None], context.actions[None], np.array([[0, 5, 1]]))
    assert dreamed.observations.shape == (1, 3, *data.card.observation_space.shape)
    assert np.isfinite(dreamed.rewards).all()


def parameters(size: str) -> int:
    from dreamplay.frames import PaletteFrames, Patches

    frames = PaletteFrames(Patches((64, 64), 4), np.array([[0], [255]], np.uint8))
    return sum(p.numel() for p in Network(frames, ACTIONS, 2, network_config(size)).parameters())


def test_they_grow_and_base_is_the_default() -> None:
    counts = [parameters(size) for size in ("nano", "small", "base", "large")]
    assert list(SIZES) == ["nano", "small", "base", "large"]
    assert counts == sorted(counts)
    assert SIZES["base"] == NetworkConfig()
    assert TrainConfig().network_size == "base"


def test_a_size_nobody_has_is_refused() -> None:
    with pytest.raises(UserError, match="'huge' is unknown; choose one of nano, small, base, large"):
        network_config("huge")


def test_the_command_line_takes_a_size_and_keeps_to_it(bricks, tmp_path, capsys) -> None:
    run = tmp_path / "run"
    words = ["train", "--data", str(bricks.folder), "--batch-steps", "8", "--out", str(run)]
    assert cli.main([*words, "--updates", "1", "--network-size", "nano"]) == 0
    assert read_manifest(run)["training"]["network_size"] == "nano"
    assert resume_training(run, {"network_size": "nano", "updates": 2}, "cpu").config.network_size == "nano"
    capsys.readouterr()
    assert cli.main([*words, "--updates", "2", "--resume", "--network-size", "large"]) == 2
    assert "trains a network of size nano; for another one choose another folder" in capsys.readouterr().err


def test_the_classic_simulator_has_one_size(bricks, capsys) -> None:
    words = ["train", "--data", str(bricks.folder), "--simulator", "classic", "--network-size", "nano"]
    assert cli.main(words) == 2
    assert "leave out --network-size" in capsys.readouterr().err
