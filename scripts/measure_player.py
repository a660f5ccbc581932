"""How smoothly the player runs: time to the first frame, pace, time per frame, and what a paused window costs.

    python scripts/measure_player.py runs/ALE-Pong-v5

Needs a display (Xvfb will do); with SDL_VIDEODRIVER=dummy it draws to memory. Other programs on the machine count.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHILD = """
import json, sys, threading, time
import numpy as np
run, seconds, agent = sys.argv[1], float(sys.argv[2]), sys.argv[3]
from dreamplay import cli
from dreamplay.play import player
from dreamplay.play.session import Session

drawn, busy, stepped, state = [], [], [], {}
tick, step = player.Player.tick, Session.step

def timed(self):
    began = time.perf_counter()
    tick(self)
    busy.append(time.perf_counter() - began)

def counted(self, action):
    stepped.append(action)
    return step(self, action)

draw = player.Player.draw

def noted(self):
    draw(self)
    drawn.append(time.perf_counter())
    if len(drawn) == 1:
        state.update(first=time.time(), cpu=time.process_time(), fps=self.setup.fps)
        threading.Thread(target=direct, daemon=True).start()

def press(name):
    from dreamplay.play.scancodes import scancode
    import pygame
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=0, scancode=scancode(name)))

def direct():
    time.sleep(1)
    start, steps, cpu, wall = len(drawn), len(stepped), time.process_time(), time.perf_counter()
    time.sleep(seconds)
    gaps = np.diff(drawn[start:])
    played = time.perf_counter() - wall
    result = {
        "first": state["first"],
        "first_cpu": state["cpu"],
        "game_fps": state["fps"],
        "steps_per_second": (len(stepped) - steps) / played,
        "gap_p99_ms": float(np.percentile(gaps, 99) * 1e3),
        "work_per_frame_ms": float(np.median(busy[start:]) * 1e3),
        "playing_core": (time.process_time() - cpu) / played,
    }
    press("p")
    time.sleep(1)
    cpu, wall = time.process_time(), time.perf_counter()
    time.sleep(seconds)
    result["paused_core"] = (time.process_time() - cpu) / (time.perf_counter() - wall)
    print(json.dumps(result), flush=True)
    press("escape")

player.Player.tick, player.Player.draw, Session.step = timed, noted, counted
sys.exit(cli.main(["play", run, "--agent", agent]))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="run folder, or the id of an environment")
    parser.add_argument("--seconds", type=float, default=10, help="of play, and of pause")
    parser.add_argument("--agent", default="human", choices=("human", "random", "cem"))
    options = parser.parse_args()
    run = str(Path(options.run).resolve()) if Path(options.run).exists() else options.run
    command = [sys.executable, "-c", CHILD, run, str(options.seconds), options.agent]
    with tempfile.TemporaryDirectory() as folder:  # playing an environment keeps what is played
        began = time.time()
        child = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    if child.returncode:
        sys.exit(child.returncode)  # the player has said why
    seen = json.loads(next(line for line in child.stdout.splitlines() if line.startswith("{")))
    print(f"first frame after {seen['first'] - began:.2f} s, of which {seen['first_cpu']:.2f} s of work")
    print(f"{seen['steps_per_second']:.2f} steps a second, the game's own pace is {seen['game_fps']:.2f}")
    print(f"{seen['work_per_frame_ms']:.1f} ms of work a frame; 99 % of the gaps are below {seen['gap_p99_ms']:.1f} ms")
    print(f"playing takes {seen['playing_core']:.1%} of a core, paused {seen['paused_core']:.1%}")


if __name__ == "__main__":
    main()
