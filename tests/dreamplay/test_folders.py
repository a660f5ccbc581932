"""Output folders: named after the environment, and never one that is used."""

from pathlib import Path

import pytest

from dreamplay.errors import UserError
from dreamplay.folders import claim, data_folder, run_folder, slug


def test_folders_are_named_after_the_environment():
    assert slug("ALE/Pong-v5") == "ALE-Pong-v5"
    assert slug("CartPole-v1") == "CartPole-v1"
    assert slug("package:Name/Game-v0") == "package-Name-Game-v0"
    assert data_folder("Dreamplay/Bricks-v0") == Path("data/Dreamplay-Bricks-v0")
    assert run_folder("ALE/Pong-v5") == Path("runs/ALE-Pong-v5")


def test_a_new_or_empty_folder_is_taken(tmp_path):
    assert claim(tmp_path / "a" / "b").is_dir()
    assert claim(str(tmp_path / "a" / "b")) == tmp_path / "a" / "b"


def test_a_used_folder_is_refused(tmp_path):
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        claim(tmp_path)
    assert (tmp_path / "kept").read_text() == "mine"


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match="a file is in its way"):
            claim(path)
    assert (tmp_path / "file").read_text() == "mine"
