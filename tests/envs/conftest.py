"""A checkpoint that needs no training."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dreamplay.envs import dream_loading
from toys import StubSimulator


@pytest.fixture
def stub_checkpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A folder that loads as a stub simulator."""
    (tmp_path / "checkpoint.json").write_text("{}")
    monkeypatch.setattr("dreamplay.simulator.load", lambda checkpoint, device, backend: StubSimulator())
    dream_loading._load.cache_clear()
    yield str(tmp_path)
    dream_loading._load.cache_clear()
