"""JSON files: strict, whole or not at all, refused early."""

import json
from pathlib import Path

import numpy as np
import pytest

from dreamplay.errors import UserError
from dreamplay.json_files import check_json, write_json


def test_json_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    write_json(tmp_path / "a.json", {"n": 1})
    write_json(tmp_path / "a.json", {"n": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dreamplay.whole_files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(tmp_path / "a.json", {"n": 3})
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert json.loads((tmp_path / "a.json").read_text()) == {"n": 2}


def test_what_json_has_no_word_for_becomes_one_it_has(tmp_path):
    value = {
        3: (1, np.float32(0.5), np.int64(7), np.bool_(True)),
        "array": np.array([[1.0, np.nan], [np.inf, 2.0]]),
        "path": Path("runs/x"),
        "text": "±",
    }
    write_json(tmp_path / "a.json", value)
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {
        "3": [1, 0.5, 7, True],
        "array": [[1.0, None], [None, 2.0]],
        "path": "runs/x",
        "text": "±",
    }


def test_what_cannot_be_said_in_json_leaves_no_file(tmp_path):
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"thing": object()})
    assert list(tmp_path.iterdir()) == []


def test_a_place_is_refused_before_the_work(tmp_path):
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    check_json(tmp_path / "new.json")
    for place, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "taken", "exists already"),
        (tmp_path / "dangling", "exists already"),
        (tmp_path / "none" / "new.json", "there is no folder"),
    ):
        with pytest.raises(UserError, match=message):
            check_json(place)
