"""A file is whole or as it was, whatever happens while it is written."""

import errno

import pytest

from dreamplay.whole_files import write_whole


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_it_is_made_and_replaced(tmp_path):
    write_whole(tmp_path / "file", b"one")
    write_whole(tmp_path / "file", b"two")
    assert (tmp_path / "file").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("place", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("fault", [full_disk, interrupted])
def test_a_fault_leaves_what_was_there_and_nothing_else(place, fault, tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(place, fault)
    with pytest.raises((OSError, KeyboardInterrupt)) as caught:
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    if isinstance(caught.value, OSError):
        assert caught.value.filename == str(path)
