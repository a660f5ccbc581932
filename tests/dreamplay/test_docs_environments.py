"""What docs/environments.md promises: its commands parse, its files, extras and marks are there."""

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dreamplay import cli

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
LINES = [
    shlex.split(line, comments=True)
    for block in re.findall(r"^```sh\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
COMMANDS = [line[1:] for line in LINES if line and line[0] == "dreamplay"]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_parses(words):
    assert type(cli.parse(words)).__name__.lower() == words[0]


def test_every_file_and_extra_exists():
    files = re.findall(r"\]\(([\w/.]+)\)", TEXT) + re.findall(r"scripts/\w+\.py", TEXT)
    assert len(files) > 8
    for file in files:
        assert (ROOT / "docs" / file).is_file() or (ROOT / file).is_file(), file
    extras = set(re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE))
    for named in re.findall(r"dreamplay\[([\w,]+)\]", TEXT):
        assert set(named.split(",")) <= extras


def test_every_extra_that_a_message_names_exists():
    extras = set(re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE))
    for folder in ("dreamplay", "envs", "agents"):
        for path in (ROOT / folder).rglob("*.py"):
            assert set(re.findall(r"dreamplay\[(\w+)\]", path.read_text())) <= extras, path


def test_the_script_replaces_its_table_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))  # as Python does for a script that is run
    spec = importlib.util.spec_from_file_location("try_environments", ROOT / "scripts" / "try_environments.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = tmp_path / "page.md"
    page.write_text(TEXT)
    script.write_table(page, "| new |")
    before, _, rest = page.read_text().partition(script.MARKS[0])
    assert before == TEXT.partition(script.MARKS[0])[0] and before
    assert rest.startswith("\n| new |\n" + script.MARKS[1])
    assert rest.partition(script.MARKS[1])[2] == TEXT.partition(script.MARKS[1])[2]
    page.write_text("no marks")
    with pytest.raises(SystemExit, match="lacks the marks"):
        script.write_table(page, "| new |")


@pytest.mark.slow
def test_the_script_tries_an_environment_and_writes_its_line(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(TEXT)
    words = ["--minutes", "0.02", "--steps", "200", "--act-steps", "3", "--environments", "own_env:Lamp"]
    command = [sys.executable, str(ROOT / "scripts" / "try_environments.py"), *words, "--out", str(tmp_path / "out")]
    subprocess.run([*command, "--write", str(page)], check=True, timeout=600, cwd=tmp_path)
    (line,) = re.findall(r"^\| own_env:Lamp .*$", page.read_text(), flags=re.MULTILINE)
    cells = line.strip("| ").split(" | ")
    assert cells[1:3] == ["8 x 8 x 3", "2 colours"] and len(cells) == 9 and int(cells[4]) > 0
    assert "200 random steps and 0.02 minutes of training each" in page.read_text()
    assert (tmp_path / "out" / "own_env-Lamp" / "dream.mp4").stat().st_size > 1000


@pytest.mark.slow
def test_the_script_compares_collectors(tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / "compare_collectors.py"), "--steps", "400", "--envs", "1", "2"]
    done = subprocess.run(command, check=True, timeout=600, cwd=tmp_path, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[-4:-2]] == [f"dreamplay collect --envs {n}" for n in (1, 2)]
    assert all(re.search(r"env of \d: \d+ steps/s; \d+ steps differ, \d+ episodes ended", line) for line in lines[-2:])
