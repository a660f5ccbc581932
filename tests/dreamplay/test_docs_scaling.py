"""What docs/scaling.md promises: its commands parse, its scripts are there and have the options it names."""

import re
import shlex
from pathlib import Path

import pytest

from dreamplay import cli

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
LINES = [
    shlex.split(line, comments=True)
    for block in re.findall(r"^```sh\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
COMMANDS = [line[line.index("dreamplay") + 1 :] for line in LINES if "dreamplay" in line]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_parses(words):
    assert type(cli.parse(words)).__name__ == "Train"


def test_there_is_one_for_every_case():
    assert len(COMMANDS) == 4


def test_torchrun_knows_the_options():
    from torch.distributed.run import get_args_parser

    for line in LINES:
        if "torchrun" in line:
            told = get_args_parser().parse_args(line[line.index("torchrun") + 1 :])
            assert (told.module, told.training_script, told.training_script_args[0]) == (True, "dreamplay", "train")


def test_the_script_has_the_options():
    source = (ROOT / "scripts" / "benchmark_scaling.py").read_text(encoding="utf-8")
    for option in ("data", "device", "compile", "processes", "sizes"):
        assert re.search(rf"^    {option}: ", source, flags=re.MULTILINE) and f"--{option}" in TEXT
    assert (ROOT / "tests" / "dreamplay" / "test_ranks.py").is_file()
