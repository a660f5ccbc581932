"""The scripts import each other by name, as Python lets them when one is run."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Their folder, on the path."""
    monkeypatch.syspath_prepend(SCRIPTS)
    yield SCRIPTS
    for name in [name for name, module in sys.modules.items() if str(SCRIPTS) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]
