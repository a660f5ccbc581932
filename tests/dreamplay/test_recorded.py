"""Recorded updates learn as others do: on the CPU with a recorder that plays back by hand, on a GPU with its own."""

from functools import partial

import pytest
import torch

from dreamplay import training as module
from dreamplay.acceleration import PLAIN, Acceleration
from dreamplay.batches import Batch
from dreamplay.curriculum import window
from dreamplay.recorded import BY_HAND, MOST, Recorded
from dreamplay.starting import start_training
from dreamplay.training import TrainConfig, train

UPDATES = 120


def by_hand(update, batch):
    """Like a recording: nothing is done until it is played, and then with what the batch's tensors hold."""
    results = [None, None]

    def replay():
        results[:] = update(batch)

    return replay, results


def trained(bricks, run, acceleration, device="cpu", **settings):
    config = TrainConfig(**{"updates": UPDATES, "batch_steps": 64, **settings})
    training, losses = start_training(config, bricks, "data", device), []
    run.mkdir()
    train(training, bricks.split()[0], run, lambda r: losses.append(r.losses.total.item()), acceleration=acceleration)
    return training, losses


def test_a_recorded_training_learns_what_another_one_does(bricks, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(module, "Recorded", lambda update: made.append(Recorded(update, by_hand)) or made[-1])
    plain, losses = trained(bricks, tmp_path / "plain", PLAIN)
    recorded, same = trained(bricks, tmp_path / "recorded", Acceleration(recorded=True))
    assert len(made) == 1 and len(made[0]._recordings) >= 3  # teacher forcing and dreams of several lengths
    assert same == losses
    for one, other in zip(plain.network.parameters(), recorded.network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert all(torch.equal(one, other) for one, other in zip(plain.rehearsed, recorded.rehearsed, strict=True))


CANNOT = [{"simulator": "classic", "curriculum": "pdt-33"}, {"checkpoint_gradients": True}, {"curriculum": "carried"}]


@pytest.mark.parametrize("settings", CANNOT)
def test_what_cannot_be_recorded_is_not(settings, bricks, tmp_path, monkeypatch):
    def refuse(update, batch):
        pytest.fail("this was to be done by hand")

    monkeypatch.setattr(module, "Recorded", partial(Recorded, record=refuse))
    trained(bricks, tmp_path / "run", Acceleration(recorded=True), updates=10 * BY_HAND, **settings)


def test_there_is_an_end_to_recordings():
    """Scheduled sampling makes another shape at almost every update, and each recording keeps memory."""
    done, recorded = [], Recorded(lambda batch: done.append(batch) or (None, None), by_hand)
    for length in range(1, MOST + 4):
        for _ in range(BY_HAND + 2):
            recorded(Batch(None, window(length), 0, (torch.zeros(length),), None, None, None, 0, None))
    assert len(done) == (MOST + 3) * (BY_HAND + 2)
    assert len(recorded._recordings) == MOST


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_learns_from_recordings_what_it_learns_by_hand(bricks, tmp_path):
    _, losses = trained(bricks, tmp_path / "plain", Acceleration(resident=True), "cuda")
    _, same = trained(bricks, tmp_path / "recorded", Acceleration(resident=True, recorded=True), "cuda")
    assert same == pytest.approx(losses, rel=0.02)
