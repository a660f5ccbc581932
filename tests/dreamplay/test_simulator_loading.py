"""Loading a simulator: everything that was trained comes back, and nothing in the folder is run."""

import pickle

import numpy as np
import pytest
import torch

from dreamplay.checkpoint import MANIFEST, read_contexts, read_manifest
from dreamplay.errors import UserError
from dreamplay.simulator import choose_device, load


def test_load_gives_back_what_was_trained(run, bricks):
    sim = load(run, "cpu")
    assert sim.card.to_json() == bricks.card.to_json()
    assert sim.data_folder == str(bricks.folder) and sim.horizon is None
    rewards = np.concatenate([episode.rewards for episode in bricks.split()[0]])
    assert sim.mean_reward == pytest.approx(rewards.mean())
    assert len(sim.contexts) == 32
    assert sim.contexts[0].observations.shape == (10, *bricks.card.observation_space.shape)
    assert sim.contexts[0].actions.shape == (9,)
    assert not sim.network.training
    context = sim.contexts[3]
    state = sim.start(context.observations[None], context.actions[None])
    assert sim.step(state, np.array([0]))[1].observations.shape == (1, *bricks.card.observation_space.shape)


def test_a_measured_horizon_comes_along_if_it_can_be_read(run):
    (run / "evaluation").mkdir()
    for content, expected in (('{"horizons": {}}', {"horizons": {}}), ("[1]", None), ("{", None)):
        (run / "evaluation" / "horizon.json").write_text(content)
        assert load(run, "cpu").horizon == expected


class Trap:
    """Unpickling it leaves a file behind."""

    def __init__(self, sprung) -> None:
        self.sprung = str(sprung)

    def __reduce__(self):
        return open, (self.sprung, "w")


def test_loading_runs_no_code_from_the_folder(run, tmp_path, monkeypatch):
    sprung = tmp_path / "sprung"
    for name in ("weights.pt", "training.pkl", "weights-0.pkl", "__init__.pkl"):
        (run / name).write_bytes(pickle.dumps(Trap(sprung)))
    for name in ("__init__.py", "dreamplay.py", "torch.py", "conftest.py"):
        (run / name).write_text(f"open({str(sprung)!r}, 'w')")
    monkeypatch.chdir(run)
    load(run, "cpu")
    # Not even where a pickle stands in for an array, with the right checksum.
    monkeypatch.setattr("dreamplay.checkpoint._read", lambda *_: pickle.dumps(Trap(sprung)))
    with pytest.raises(UserError, match="not in safetensors format"):
        load(run, "cpu")
    with pytest.raises(UserError, match="no plain arrays"):
        read_contexts(run, read_manifest(run))
    assert not sprung.exists()


def test_what_cannot_be_read_is_a_users_error(run, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "nowhere", tmp_path / "file", tmp_path / "empty"):
        with pytest.raises(UserError, match="not a run folder"):
            load(place, "cpu")
    for path in sorted(run.iterdir()):
        good = path.read_bytes()
        if path.suffix == ".jsonl" or path.name.startswith("training-"):
            continue  # not needed to dream
        for bad in (b"", good[: len(good) // 2], good[:40] + bytes([good[40] ^ 1]) + good[41:]):
            path.write_bytes(bad)
            with pytest.raises(UserError, match=r"damaged|cannot be read"):
                load(run, "cpu")
        path.write_bytes(good)
    assert (run / MANIFEST).is_file() and load(run, "cpu")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "", "meta", "cpu:x", "mps:7", "xpu"])
def test_an_unknown_device_is_a_users_error(device, run):
    with pytest.raises(UserError, match="not available here; use --device cpu"):
        load(run, device)


def test_auto_takes_what_there_is():
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == torch.device("cpu")
