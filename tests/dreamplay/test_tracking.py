"""Curves and a film in Weights & Biases, without a network."""

import json
from pathlib import Path

import pytest

from dreamplay.checkpoint import MANIFEST
from dreamplay.commands.train import Train
from dreamplay.simulator import load


@pytest.fixture
def offline(tmp_path, monkeypatch) -> Path:
    """No settings, no login and no server of the person who runs the tests."""
    for name in ("WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "HOME"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_SILENT", "true")
    return tmp_path


@pytest.mark.slow
def test_offline_leaves_curves_and_a_film(offline, bricks):
    wandb = pytest.importorskip("wandb")
    run = offline / "run"
    Train(data=bricks.folder, updates=21, batch_steps=32, out=run, device="cpu", wandb="offline").run()
    wandb.teardown()  # as when the command ends: its service writes the rest
    [folder] = (run / "wandb").glob("offline-run-*")
    log = next(folder.glob("*.wandb")).read_bytes()
    for word in (b"gradient_norm", b"predicted", b"truth beside dream", b"Dreamplay/Bricks-v0"):
        assert word in log
    films = list(folder.rglob("*.mp4"))
    assert len(films) == 1 and films[0].read_bytes() == (run / "dream.mp4").read_bytes()
    assert load(run, "cpu") and json.loads((run / MANIFEST).read_text())["progress"] == 1


@pytest.mark.slow
def test_a_training_that_fails_still_closes_its_wandb_run(offline, bricks, monkeypatch):
    wandb = pytest.importorskip("wandb")

    def fail(*_, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("dreamplay.training.train", fail)
    with pytest.raises(KeyboardInterrupt):
        Train(data=bricks.folder, updates=1, out=offline / "run", device="cpu", wandb="offline").run()
    assert wandb.run is None
