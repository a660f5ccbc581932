"""A real window on a virtual X display, driven by real key presses, and what is then to be seen on the screen."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from play_toys import StubGame, stub_session

from dreamplay.play.views import View, pictures

TOOLS = ("Xvfb", "xdotool", "setxkbmap")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed")

# The window tells what it has drawn, so that the test never has to guess how long to wait.
PROGRAM = """
import signal, sys
from pathlib import Path
import pygame
signal.alarm(60)  # ends a window that nobody closes
sys.path.insert(0, sys.argv[1])
from play_toys import KEYS, ScriptedAgent, StubGame, stub_session
from dreamplay.play.controls import controls_for
from dreamplay.play.display import open_display
from dreamplay.play.pilot import Pilot
from dreamplay.play.player import open_player
from dreamplay.play.setup import Setup

open_display()
session = stub_session(StubGame())
controls = controls_for(KEYS, session.dream.action_space)
setup = Setup(controls, Pilot(ScriptedAgent(), "agent"), 20, Path(sys.argv[2]))
with open_player(session, setup, "dreamplay test window") as player:
    draw, handle, focus = player.screen.draw, player.handle, []
    def telling(scene):
        layout = draw(scene)
        if focus:  # before, keys would be lost
            print(session.moment.step, len(session.branches), layout.up, *sum(layout.panes, ()), flush=True)
        return layout
    def watching(event):
        focus.extend([event] * (event.type == pygame.WINDOWFOCUSGAINED))
        return handle(event)
    player.screen.draw, player.handle = telling, watching
    player.pause(True)
    player.run()
"""


@pytest.fixture
def display(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a fresh virtual display whose picture lies in `tmp_path`."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1400x800x24", "-nolisten", "tcp", "-fbdir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            number = server.stdout.readline().strip()
            assert number, "Xvfb did not start"
            yield os.environ | {"DISPLAY": f":{number}", "SDL_VIDEODRIVER": "x11", "SDL_VIDEO_WINDOW_POS": "0,0"}
        finally:
            server.terminate()


def screenshot(folder: Path) -> np.ndarray:
    """What Xvfb shows, uint8 (H, W, 3), from its XWD file."""
    data = (folder / "Xvfb_screen0").read_bytes()
    header = np.frombuffer(data, ">u4", 25)
    size, width, height, line, colors = (int(header[i]) for i in (0, 4, 5, 12, 19))
    pixels = np.frombuffer(data, np.uint8, line * height, size + 12 * colors)
    return pixels.reshape(height, line // 4, 4)[:, :width, 2::-1]  # stored as blue, green, red, padding


# X numbers keys by their place. On a French keyboard the one in the place of A is printed Q, and the full stop needs
# Shift.
KEYS = {"escape": "Escape", "a": "38", "d": "40", "b": "56", ".": "60", "left": "113"}


@pytest.mark.parametrize("keyboard", ["us", "fr"])
def test_real_keys_move_a_real_window(display: dict[str, str], tmp_path: Path, keyboard: str):
    def run(*words: str) -> None:
        subprocess.run(words, env=display, check=True, timeout=30, stdout=subprocess.DEVNULL)

    def press(*names: str) -> None:
        run("xdotool", *(word for name in names for word in ("key", KEYS[name])))

    run("setxkbmap", keyboard)
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parents[1]), str(tmp_path / "kept")]
    expected = stub_session(StubGame())
    with subprocess.Popen(command, env=display, stdout=subprocess.PIPE, text=True) as window:
        try:
            assert window.stdout is not None

            def wait_for(step: int, branches: int = 1) -> tuple[int, np.ndarray]:
                for line in window.stdout:
                    reached, courses, up, *panes = map(int, line.split())
                    if (reached, courses) == (step, branches):
                        return up, np.reshape(panes, (3, 4))
                raise AssertionError(f"the window closed before step {step}")

            def shows(up: int, panes: np.ndarray, view: View) -> None:
                wanted = [p.frame.repeat(up, 0).repeat(up, 1) for p in pictures(expected, view)]
                for _ in range(20):  # the display may still be at work on what the window has drawn
                    seen = screenshot(tmp_path)
                    shown = [seen[top : top + height, left : left + width] for left, top, width, height in panes]
                    if all(map(np.array_equal, shown, wanted)):
                        return
                    run("xdotool", "getmouselocation")
                raise AssertionError(f"the panes of {view} do not show the expected frames")

            wait_for(0)
            run("xdotool", "keydown", KEYS["d"], "key", KEYS["."], "keyup", KEYS["d"])
            press("a", ".")
            expected.step(2)
            expected.step(1)
            shows(*wait_for(2), View.BESIDE)
            press("left", "b", ".")
            expected.seek(-1)
            expected.branch()
            expected.step(0)
            shows(*wait_for(2, branches=2), View.BRANCHES)
            press("escape")
            assert window.wait(timeout=30) == 0
        finally:
            window.kill()
