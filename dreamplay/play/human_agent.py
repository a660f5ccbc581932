"""A person at the keyboard as an agent: shows each frame in a window, and answers with the keys that are held."""

from __future__ import annotations

from typing import Any

import numpy as np

from dreamplay.agents.agent import Enough
from dreamplay.envs.card import EnvCard
from dreamplay.play.controls import controls_for
from dreamplay.play.display import open_display

SIDE = 640  # pixels of the window's longer side


class HumanAgent:
    """Plays the real game, at its own pace. Space for what the game asks, P to pause, Esc to stop.

    Args:
        card: the environment's, for its keys and pace.

    Raises:
        UserError: there is no display.
    """

    def __init__(self, card: EnvCard) -> None:
        open_display()
        import pygame

        from dreamplay.play.keys import Keys

        self._fps = card.fps
        self._controls = controls_for(card.keys_to_action, card.action_space)
        self._keys = Keys()
        self._clock = pygame.time.Clock()
        height, width, _ = card.observation_space.shape
        self._scale = max(1, SIDE // max(height, width))
        self._window = pygame.display.set_mode((width * self._scale, height * self._scale))
        pygame.display.set_caption(f"{card.id}: {' '.join(self._controls.keys)}, p pause, escape stop")

    def reset(self, seed: int | None = None) -> None:
        """A new game: no key is held."""
        self._keys.clear()

    def act(self, observation: np.ndarray) -> Any:
        """Show a frame, uint8 (H, W, C), wait for the game's pace, and take the keys.

        Raises:
            Enough: the person has closed the window.
        """
        self._draw(observation)
        self._clock.tick(self._fps)
        paused = False
        while True:
            paused = self._take_events(paused)
            if not paused:
                action = self._controls.action(self._keys.take())
                return action if np.ndim(action) == 0 else np.array(action)

    def _take_events(self, paused: bool) -> bool:
        import pygame

        from dreamplay.play.keys import Command

        for event in [pygame.event.wait()] if paused else pygame.event.get():
            command = self._keys.handle(event)
            if event.type == pygame.QUIT or command is Command.QUIT:
                pygame.quit()
                raise Enough
            paused ^= command is Command.PAUSE
        return paused

    def _draw(self, frame: np.ndarray) -> None:
        import pygame

        coloured = np.broadcast_to(frame, (*frame.shape[:2], 3)).repeat(self._scale, 0).repeat(self._scale, 1)
        self._window.blit(pygame.surfarray.make_surface(coloured.swapaxes(0, 1)), (0, 0))
        pygame.display.flip()
