"""What the README promises exists: its commands parse, its Python names are there, its files and targets too."""

import ast
import builtins
import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from dreamplay import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def shell_lines() -> list[list[str]]:
    words = [shlex.split(line, comments=True) for block in blocks("sh") for line in block.splitlines()]
    return [line for line in words if line]


COMMANDS = [line[1:] for line in shell_lines() if line[0] == "dreamplay"]
# The snippets are read from top to bottom as one program: later ones use names of earlier ones.
PROGRAM = ast.parse("\n".join(blocks("python")))


def test_the_tour_is_there():
    assert {"collect", "train", "evaluate", "play", "act"} <= {words[0] for words in COMMANDS}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_parses(words):
    command = cli.parse(words)
    assert type(command).__name__.lower() == words[0]


def test_every_make_target_exists():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    named = [line[1] for line in shell_lines() if line[0] == "make"]
    assert named
    assert set(named) <= set(targets)


def test_every_extra_exists():
    extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    named = re.findall(r"'\.\[(\w+)\]'", README)
    assert named
    assert set(named) <= set(extras)


def test_the_layout_is_the_tree():
    folders = re.findall(r"^    (\w+)/ ", README, flags=re.MULTILINE)
    assert folders
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_every_name_is_bound_before_it_is_read():
    bound = set(dir(builtins))
    for statement in PROGRAM.body:
        nodes = list(ast.walk(statement))
        inside = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        inside |= {
            (alias.asname or alias.name).split(".")[0]
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        assert read <= bound | inside, ast.unparse(statement)
        bound |= inside


def test_every_attribute_of_an_imported_module_exists():
    modules: dict[str, Any] = {}
    for node in ast.walk(PROGRAM):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name: importlib.import_module(alias.name) for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert all(hasattr(importlib.import_module(str(node.module)), alias.name) for alias in node.names)
    assert "dreamplay" in modules
    for node in ast.walk(PROGRAM):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            assert hasattr(modules[node.value.id], node.attr), ast.unparse(node)
