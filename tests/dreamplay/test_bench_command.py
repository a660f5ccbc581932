"""`dreamplay bench`: every kind of dream beside every kind of real environment, and its mistakes."""

import json
from pathlib import Path

import pytest

from dreamplay.cli import main


def test_dreams_beside_reality(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = tmp_path / "bench.json"
    words = ["bench", str(run), "--batches", "1", "3", "--backends", "torch", "--real-batch", "2"]
    assert main([*words, "--rounds", "2", "--seconds", "0.001", "--json", str(answer)]) == 0
    found = json.loads(answer.read_text())
    assert set(found["dream"]) == {f"torch {batch} {kind}" for batch in (1, 3) for kind in ("frames", "frame-free")}
    assert set(found["real"]) == {"prepared as for the dream", "2 in a SyncVectorEnv"}
    assert {name for name in found["ratios"] if name.startswith("torch 3")} == {
        f"torch 3 {kind} / 2 in a SyncVectorEnv" for kind in ("frames", "frame-free")
    }
    for name, rate in found["dream"].items():
        assert 0 < rate["min"] <= rate["median"] <= rate["max"], name
    assert found["matmul_gflops"]["median"] > 0 and found["machine"]["cores"] >= 1
    assert "torch 3 frame-free" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--batches", "0"], "--batches 0 is not possible; it must be at least 1"),
        (["--rounds", "0"], "--rounds 0 is not possible"),
        (["--real-batch", "0"], "--real-batch 0 is not possible"),
        (["--seconds", "0"], "--seconds 0.0 is out of range"),
        (["--backends", "tensorflow"], "--backends tensorflow is unknown; use torch, onnx or both"),
    ],
)
def test_mistakes(run: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(run), *words]) == 2
    error = capsys.readouterr().err
    assert says in error and len(error.splitlines()) == 1


def test_what_is_no_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(tmp_path)]) == 2
    assert "is not a run folder" in capsys.readouterr().err
