"""The command line as a user meets it: help, exit statuses, one line per mistake, answers as JSON."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamplay import cli
from dreamplay.complaints import explain
from dreamplay.errors import UserError

HEAVY = ("torch", "pygame", "wandb", "matplotlib", "imageio", "PIL", "cv2", "ale_py", "onnxruntime", "safetensors")


@dataclass(frozen=True)
class Stub:
    """A command that notes that it ran, then answers or fails."""

    ran: list[bool]
    json: Path | None = None
    out: Path | None = None
    answer: dict[str, Any] | None = None
    error: BaseException | None = None

    def run(self) -> dict[str, Any] | None:
        self.ran.append(True)
        if self.error is not None:
            raise self.error
        return self.answer


@pytest.fixture
def main(monkeypatch):
    """`dreamplay.cli.main` on a stub command with the given fields; returns (exit status, whether it ran)."""

    def run(**fields):
        stub = Stub(ran=[], **fields)
        monkeypatch.setattr(cli, "parse", lambda argv: stub)
        return cli.main(["stub"]), stub.ran == [True]

    return run


def the_line(capsys) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("dreamplay: ")
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1
    return captured.err


def dreamplay(*words: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "dreamplay", *words], text=True, timeout=120, **options)


@pytest.mark.parametrize("words", [["--help"], ["-h"], []])
def test_help_names_every_command_in_one_line_each(words, capsys):
    assert cli.main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = lines[lines.index("commands:") + 1 :]
    for name, line in zip(cli.COMMANDS, listed, strict=False):
        assert line.startswith(f"  {name} ")
        assert len(line.split()) > 3


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself_and_takes_seed_and_json(name, capsys):
    assert cli.main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"usage: dreamplay {name} " in text
    assert "--seed INT" in text
    assert "--json" in text


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    name, number = capsys.readouterr().out.split()
    assert name == "dreamplay"
    assert number[0].isdigit()


@pytest.mark.parametrize(
    "statement",
    ["import dreamplay, dreamplay.envs, dreamplay.agents", "from dreamplay.cli import main; main(['--help'])"],
)
def test_import_and_help_load_nothing_heavy(statement):
    code = f"{statement}\nimport sys\nprint(*(m for m in {HEAVY!r} if m in sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_module_and_command_are_the_same_program():
    assert "commands:" in dreamplay("--help", capture_output=True).stdout


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["colect"], ["'colect'", "'collect'"]),
        (["dance"], ["'dance'", "demo, models, check"]),
        (["--steps", "3"], ["'--steps'"]),
        (["collect"], ["ENV", "dreamplay collect --help"]),
        (["collect", "Dreamplay/Bricks-v0", "--stesp", "3"], ["--stesp", "--steps"]),
        (["collect", "Dreamplay/Bricks-v0", "--steps", "three"], ["--steps", "three"]),
        (["collect", "Dreamplay/Bricks-v0", "--steps"], ["--steps"]),
        (["collect", "Dreamplay/Bricks-v0", "--agent", "me"], ["'me'", "--agent", "random"]),
        (["collect", "Dreamplay/Bricks-v0", "again"], ["again"]),
    ],
)
def test_a_wrong_word_ends_in_one_line_that_names_it(words, named, capsys):
    assert cli.main(words) == 2
    line = the_line(capsys)
    for part in named:
        assert part in line
    assert not any(mark in line for mark in "│╭─\x1b")


def test_a_mistake_of_the_user_is_one_line_and_status_2(main, capsys):
    assert main(error=UserError("no data in data/x;\n  collect some first")) == (2, True)
    assert the_line(capsys) == "dreamplay: no data in data/x; collect some first\n"


def test_ctrl_c_is_130_in_one_line(main, capsys):
    assert main(error=KeyboardInterrupt()) == (130, True)
    the_line(capsys)


def test_a_fault_of_our_own_keeps_its_traceback(main):
    with pytest.raises(ValueError, match="ours"):
        main(error=ValueError("ours"))


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST]
)
def test_a_refusing_disk_is_one_line_naming_the_path(number, main, capsys):
    assert main(error=OSError(number, os.strerror(number), "runs/x/weights"), out=Path("elsewhere"))[0] == 2
    line = the_line(capsys)
    assert "runs/x/weights: " in line
    assert "; " in line
    assert "elsewhere" not in line


def test_a_rename_names_the_file_the_user_knows():
    error = PermissionError(errno.EACCES, "denied", "x.part", None, "x.json")
    assert (explain(error) or "").startswith("x.json: permission denied")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_is_recognised_however_the_library_words_it(main, capsys):
    with pytest.raises(OSError) as plain, open("/dev/full", "w") as file:
        file.write("x")
        file.flush()
    with pytest.raises(OSError) as counted, open("/dev/full", "wb", buffering=0) as raw:
        np.ones(100000).tofile(raw)
    quoted = RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")
    for error in (plain.value, counted.value, quoted):
        assert main(error=error, out=Path("runs/x"))[0] == 2
        assert the_line(capsys).startswith("dreamplay: runs/x: the disk is full")


def test_a_reader_that_left_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    done = dreamplay("--help", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_json_holds_the_answer_in_strict_json(main, tmp_path):
    answer = {
        "horizons": {10: {"exact": np.float32(0.5), "psnr": float("inf"), "windows": np.int64(7)}},
        "returns": np.array([1.0, np.nan]),
        "folder": Path("runs/x"),
        "pair": (1, True),
    }
    file = tmp_path / "answer.json"
    assert main(answer=answer, json=file) == (0, True)
    assert json.loads(file.read_text()) == {
        "horizons": {"10": {"exact": 0.5, "psnr": None, "windows": 7}},
        "returns": [1.0, None],
        "folder": "runs/x",
        "pair": [1, True],
    }
    assert list(tmp_path.iterdir()) == [file]


def test_json_on_a_full_disk_names_the_file_and_leaves_nothing(main, tmp_path, capsys, monkeypatch):
    def no_space_left(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space_left)
    file = tmp_path / "answer.json"
    assert main(answer={}, json=file, out=Path("runs/x")) == (2, True)
    assert the_line(capsys).startswith(f"dreamplay: {file}: the disk is full")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["taken.json", "folder", "missing/answer.json", "taken.json/answer.json"])
def test_json_that_cannot_be_kept_is_refused_before_the_work(name, main, tmp_path, capsys):
    (tmp_path / "taken.json").write_text("mine")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert main(answer={}, json=tmp_path / name) == (2, False)
    assert name in the_line(capsys)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "taken.json").read_text() == "mine"


def test_no_json_is_left_by_a_run_that_failed(main, tmp_path):
    assert main(error=UserError("no"), json=tmp_path / "answer.json") == (2, True)
    assert list(tmp_path.iterdir()) == []
