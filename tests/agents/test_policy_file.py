"""A policy comes back from its file as it was; what is wrong with a file is said in one line."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from networks import palette_network
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from simulators import small_episode, small_simulator

from dreamplay.agents.action_heads import head_for
from dreamplay.agents.dream_starts import dream_starts
from dreamplay.agents.dreams import Dreams
from dreamplay.agents.learning import LearnConfig, learn, new_learner
from dreamplay.agents.policy_agent import load_agent
from dreamplay.agents.policy_file import read_policy, save_policy, weights_of
from dreamplay.agents.senses import Senses
from dreamplay.errors import UserError


@pytest.fixture
def simulator():
    return small_simulator(palette_network)


@pytest.fixture
def learner(simulator):
    config = LearnConfig(dreams=4, steps=4, width=8, minibatch=8)
    senses, head = Senses(simulator), head_for(simulator.card.action_space)
    new = new_learner(config, senses.size, head, simulator.rewards.values, 0)
    starts = dream_starts(simulator, [small_episode(9)], np.random.default_rng(0))
    learn(new, Dreams(simulator, senses, head, starts, 4, 10, 0), seed=0, steps=32)
    return new


@pytest.fixture
def path(tmp_path, learner, simulator):
    (tmp_path / "run").mkdir()
    save_policy(tmp_path / "policy", learner, tmp_path / "run", simulator)
    return tmp_path / "policy"


def test_everything_comes_back(path, learner, simulator):
    read, said = read_policy(path)
    assert (read.config, read.steps, read.minutes, read.least) == (
        learner.config, learner.steps, learner.minutes, learner.least
    )  # fmt: skip
    assert said["run"] == (path.parent / "run").resolve()
    assert said["simulator"] == weights_of(simulator) and said["action_space"] == simulator.card.action_space
    for name, value in learner.policy.state_dict().items():
        assert torch.equal(read.policy.state_dict()[name], value)
    before, after = learner.optimiser.state_dict()["state"], read.optimiser.state_dict()["state"]
    assert before and all(torch.equal(before[i][k], after[i][k]) for i in before for k in before[i])


def test_one_from_before_there_were_temperatures_learned_in_sampled_dreams(path, tmp_path):
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["dreamplay policy"])
    del header["config"]["temperature"]
    save_file(load_file(path), tmp_path / "older", {"dreamplay policy": json.dumps(header)})
    assert read_policy(tmp_path / "older")[0].config.temperature == 1.0


def test_folder_and_file_can_be_moved_together(path, tmp_path):
    os.rename(tmp_path, tmp_path.with_name("moved"))
    moved = tmp_path.with_name("moved")
    assert read_policy(moved / "policy")[1]["run"] == (moved / "run").resolve()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (Path.unlink, "there is no policy"),
        (lambda path: path.write_bytes(b"nonsense"), "no policy or a damaged one"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "no policy or a damaged one"),
        (lambda path: save_file({"a": torch.zeros(1)}, path), "no policy of Dreamplay"),
        (lambda path: save_file({"a": torch.zeros(1)}, path, {"dreamplay policy": "{}"}), "does not fit"),
        (flip, "checksum"),
    ],
)
def test_a_wrong_file_is_refused(path, spoil, words):
    spoil(path)
    with pytest.raises(UserError, match=words):
        read_policy(path)


def test_an_interrupted_save_leaves_the_file_before(path, learner, simulator, monkeypatch):
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError):
        save_policy(path, learner, path.parent / "run", simulator)
    assert path.read_bytes() == before and sorted(p.name for p in path.parent.iterdir()) == ["policy", "run"]


def test_a_policy_is_lost_in_a_simulator_that_was_trained_on(path, simulator):
    load_agent(path, simulator)
    with torch.no_grad():
        simulator.network.gates.bias.add_(0.01)
    with pytest.raises(UserError, match="--resume"):
        load_agent(path, simulator)
