"""`dreamplay export RUN --onnx FILE`: the file dreams as the run does, outside of Dreamplay too."""

from pathlib import Path

import numpy as np
import pytest

import dreamplay
from dreamplay.cli import main

onnxruntime = pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("sampled", [False, True])
def test_the_file_takes_the_run_s_steps(run: Path, tmp_path: Path, sampled: bool) -> None:
    file = tmp_path / "step.onnx"
    assert main(["export", str(run), "--onnx", str(file), *(["--sampled"] if sampled else [])]) == 0
    session = onnxruntime.InferenceSession(file)
    one = dreamplay.load(run, "cpu", "torch")
    start = one.contexts[0]
    state = one.start(start.observations[None].repeat(3, 0), start.actions[None].repeat(3, 0))
    drawn = np.random.default_rng(0).random((3, one.draws), np.float32)
    feed = {name: value.numpy() for name, value in state.items()} | {"action": np.eye(3, dtype=np.float32)}
    if sampled:
        feed |= {"uniforms": drawn, "temperature": np.array(0.5, np.float32)}
    names = [output.name for output in session.get_outputs()]
    answer = dict(zip(names, session.run(None, feed), strict=True))
    after, step = one.step(state, np.arange(3), temperature=0.5 * sampled, uniforms=drawn)
    np.testing.assert_array_equal(answer["next_frame"], after["frame"].numpy())
    np.testing.assert_array_equal(answer["rewards"], step.rewards)
    np.testing.assert_allclose(answer["next_memory"], after["memory"].numpy(), atol=1e-5)
    np.testing.assert_allclose(answer["termination_probability"], step.termination_probability, atol=1e-5)


def test_what_stands_in_the_way_is_named(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept.onnx"
    kept.write_text("mine")
    for words, says in (
        ([str(run), "--onnx", str(kept)], "exists already; name a new file, nothing is overwritten"),
        ([str(run), "--onnx", str(tmp_path / "step.bin")], "is no model name; let it end in .onnx"),
        ([str(run), "--onnx", str(tmp_path / "no" / "step.onnx")], "there is no folder"),
        ([str(run), "--onnx", str(tmp_path / "a.onnx"), "--out", "b"], "--out and --to are for data"),
        ([str(run), "--sampled"], "--sampled is for a run; name the file to write with --onnx"),
        ([str(run)], "name the data folder it was trained on, or a file with --onnx"),
        ([str(tmp_path), "--onnx", str(tmp_path / "a.onnx")], "is not a run folder"),
    ):
        assert main(["export", *words]) == 2
        error = capsys.readouterr().err
        assert says in error and len(error.splitlines()) == 1, words
    assert kept.read_text() == "mine" and sorted(p.name for p in tmp_path.iterdir()) == ["kept.onnx", "run"]


def test_a_model_that_dreams_something_else_is_not_written(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dreamplay.onnx_backend import OnnxBackend

    honest = OnnxBackend.__call__

    def lying(self, *arguments):
        state, events = honest(self, *arguments)
        return state, events._replace(termination_probability=events.termination_probability + 0.5)

    monkeypatch.setattr(OnnxBackend, "__call__", lying)
    assert main(["export", str(run), "--onnx", str(tmp_path / "step.onnx")]) == 2
    assert "does not dream as" in capsys.readouterr().err
    assert not (tmp_path / "step.onnx").exists()
