"""A window that shows small frames large: used by the games and by dreams in render mode "human"."""

from __future__ import annotations

from typing import Any

import numpy as np

TARGET = 500  # pixels: the longer side of the window, roughly


class Window:
    """A pygame window that scales frames up by a whole number and keeps pace.

    Args:
        caption: the window's title.
        fps: frames per second; `show` waits so long that this is not exceeded.
    """

    def __init__(self, caption: str, fps: int) -> None:
        self._caption = caption
        self._fps = fps
        self._screen: Any = None
        self._clock: Any = None

    def show(self, frame: np.ndarray) -> None:
        """Show a frame, uint8 (H, W, 1) or (H, W, 3), and wait for the rest of its time."""
        import pygame

        height, width = frame.shape[:2]
        factor = max(1, round(TARGET / max(height, width)))
        if self._screen is None:
            pygame.display.init()
            pygame.display.set_caption(self._caption)
            self._screen = pygame.display.set_mode((width * factor, height * factor))
            self._clock = pygame.time.Clock()
        if frame.shape[2] == 1:
            frame = frame.repeat(3, axis=2)
        enlarged = frame.repeat(factor, axis=0).repeat(factor, axis=1).swapaxes(0, 1)  # pygame counts columns first
        pygame.surfarray.blit_array(self._screen, enlarged)
        pygame.event.pump()  # else the desktop takes the window for dead
        pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        """Close the window; showing another frame opens it again."""
        if self._screen is not None:
            import pygame

            pygame.display.quit()
            self._screen = None
