"""Pictures of the player for the README, from a run: screenshots and a GIF of a short performance.

    python scripts/picture_player.py runs/ALE-Pong-v5 --out docs

Writes player.gif and player-fan.png. No display is needed: the window is drawn to memory, keys are pressed as events.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"

import pygame
import torch
from PIL import Image

from dreamplay.envs.dream import DreamEnv
from dreamplay.play.background import Background
from dreamplay.play.controls import controls_for
from dreamplay.play.display import open_display
from dreamplay.play.pilot import pilot_for
from dreamplay.play.player import Player
from dreamplay.play.reality import open_reality
from dreamplay.play.scancodes import scancode
from dreamplay.play.screen import Screen
from dreamplay.play.session import Session
from dreamplay.play.setup import Setup
from dreamplay.play.trust import Trust
from dreamplay.simulator import load
from dreamplay.video import write_video

WINDOW = (960, 520)
HELD = "right"  # the key held in the second future


class AtOnce(Executor):
    """No thread: the pictures do not depend on how fast the machine is."""

    def submit(self, job: Any, /, *arguments: Any, **named: Any) -> Future:
        future: Future = Future()
        future.set_result(job(*arguments, **named))
        return future


class Performance:
    """A player whose keys are pressed by a script, and the pictures that are taken of it."""

    def __init__(self, run: str, seed: int, folder: Path) -> None:
        simulator = load(run, "cpu")
        card = simulator.card
        controls = controls_for(card.keys_to_action, card.action_space)
        reality, _ = open_reality(run, controls.idle)
        session = Session(DreamEnv(simulator, horizon=10**9), reality, seed=seed)
        pilot = pilot_for("cem", card.action_space, simulator)
        setup = Setup(controls, pilot, card.fps, folder, "", Trust.of(simulator))
        open_display()
        screen = Screen(f"Dreamplay: {card.id}", session.frame_size, 3, controls.keys)
        pygame.display.set_mode(WINDOW)
        self.player = Player(session, setup, screen, partial(Background, executor=AtOnce()))
        self.folder, self.fps = folder, card.fps

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        self.hold(key)
        self.release(key)

    def hold(self, key: str) -> None:
        """Press a key."""
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=0, scancode=scancode(key)))

    def release(self, key: str) -> None:
        """Let a key go."""
        pygame.event.post(pygame.event.Event(pygame.KEYUP, key=0, scancode=scancode(key)))

    def film(self, frames: int) -> Iterator[np.ndarray]:
        """Let some frames pass, and yield the picture of each."""
        for _ in range(frames):
            self.player.tick()
            yield self.player.screen.capture()

    def photograph(self, name: str) -> None:
        """Save what the window shows."""
        Image.fromarray(self.player.screen.capture()).save(self.folder / name, optimize=True)

    def perform(self, steps: int) -> Iterator[np.ndarray]:
        """The planner plays, then time goes back, a second future branches off, and a fan opens over it."""
        self.press("m")
        yield from self.film(steps)
        self.press("m")
        self.hold("backspace")
        yield from self.film(steps // 2)
        self.release("backspace")
        self.press("b")
        self.hold(HELD)
        yield from self.film(steps // 4)
        self.press("f")
        yield from self.film(steps // 8)
        self.release(HELD)
        self.press("p")
        yield from self.film(max(2, 2 * self.fps))
        self.photograph("player-fan.png")


def main() -> None:
    """Perform and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="run folder")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder for the pictures; they are replaced")
    parser.add_argument("--seed", type=int, default=0, help="of the game")
    parser.add_argument("--steps", type=int, default=30, help="that the planner plays")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    performance = Performance(options.run, options.seed, options.out)
    write_video(options.out / "player.gif", performance.perform(options.steps), performance.fps)
    performance.player.close()
    pygame.quit()
    for path in sorted(options.out.glob("player*")):
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
