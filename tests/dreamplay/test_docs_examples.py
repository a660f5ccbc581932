"""Every example in docs/ runs as it is written, and is short."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.py"))
# Gymnasium's player goes on until its window is closed: here it is, after some frames.
CLOSING = """
import runpy, sys, pygame
calls, get = [], pygame.event.get
def closing():
    calls.append(1)
    return [pygame.event.Event(pygame.QUIT)] if len(calls) > 5 else get()
pygame.event.get = closing
runpy.run_path(sys.argv[1], run_name="__main__")
"""
EXPECTED = {
    "own_env": "(8, 8, 3)",
    "own_data": "saved in runs/mine after 20 updates",
    "own_agent": "[",
    "sb3_in_dream": "",
    "sb3_many_dreams": "[",
    "gymnasium_play": "",
    "record_video": "",
    "vector_wrappers": "(16, 300) mean return",
}


def test_the_examples_are_those_that_are_expected():
    assert {path.stem for path in EXAMPLES} == set(EXPECTED)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_at_most_15_lines_below_its_first(path):
    code = [line for line in path.read_text().splitlines()[1:] if line.strip()]
    assert len(code) <= 15


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path, tmp_path, run):
    shutil.copytree(run, tmp_path / "runs" / "Dreamplay-Bricks-v0")
    start = ["-c", CLOSING] if path.stem == "gymnasium_play" else []
    quiet = {"SDL_VIDEODRIVER": "dummy", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, *start, str(path)],
        cwd=tmp_path,
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert EXPECTED[path.stem] in done.stdout
    if path.stem == "record_video":
        assert list((tmp_path / "videos").glob("*.mp4"))


def test_the_environment_of_the_example_goes_by_its_name(tmp_path):
    shutil.copy(next(path for path in EXAMPLES if path.stem == "own_env"), tmp_path)
    words = ["-m", "dreamplay", "collect", "own_env:Lamp", "--steps", "60", "--env-args", "max_episode_steps=50"]
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "60 steps, 2 episodes" in done.stdout
