"""Finding out whether there is a display before anything is loaded."""

import os
import sys

from dreamplay.errors import UserError

NO_DISPLAY = "there is no display to open a window on; record a video instead: dreamplay play RUN --record FILE.mp4"


def open_display() -> None:
    """Start pygame's display, without a window yet.

    Raises:
        UserError: There is no display. SDL itself would quietly draw to memory and look as if it worked. An
            SDL_VIDEODRIVER in the environment is taken at its word.
    """
    chosen = os.environ.get("SDL_VIDEODRIVER")
    displays = (os.environ.get("DISPLAY"), os.environ.get("WAYLAND_DISPLAY"))
    if sys.platform.startswith("linux") and not chosen and not any(displays):
        raise UserError(NO_DISPLAY)
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    try:
        pygame.display.init()
        silent = not chosen and pygame.display.get_driver() in ("offscreen", "dummy")
    except pygame.error as error:
        raise UserError(f"{NO_DISPLAY} ({error})") from None
    if silent:
        pygame.display.quit()
        raise UserError(NO_DISPLAY)
