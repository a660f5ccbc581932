"""The player's window: draws a session, and knows nothing of what changes it."""

from collections.abc import Sequence

import pygame

from dreamplay.play.keys import HELP
from dreamplay.play.layout import Layout, arrange, first_size
from dreamplay.play.pictures import pictures
from dreamplay.play.session import Moment, Session

Color = tuple[int, int, int]
BACKGROUND: Color = (20, 21, 26)
EMPTY: Color = (32, 34, 41)
TEXT: Color = (226, 228, 233)
FAINT: Color = (140, 146, 158)
WARN: Color = (255, 190, 92)


class Screen:
    """A resizable window with one labelled pane per picture, a head-up display and a line of news.

    Args:
        caption: The window's title.
        frame: (height, width) of a frame.
        panes: How many panes there will be.
        game_keys: Names of the keys that the game itself uses, for the help.
    """

    def __init__(self, caption: str, frame: tuple[int, int], panes: int, game_keys: Sequence[str]) -> None:
        self._frame = frame
        self._help_lines = [("Game", "  ".join(game_keys)), *HELP]
        desktop = pygame.display.get_desktop_sizes()[0]
        pygame.display.set_caption(caption)
        pygame.display.set_mode(first_size(frame, panes, desktop), pygame.RESIZABLE)
        pygame.font.init()
        self._large, self._small = (pygame.font.Font(None, size) for size in (24, 20))

    def draw(self, session: Session, *, focused: bool = True, show_help: bool = False) -> Layout:
        """Draw where the session stands, and return where each pane was put."""
        surface = pygame.display.get_surface()
        shown = pictures(session.moment, beside_reality=session.reality is not None)
        layout = arrange(surface.get_size(), self._frame, len(shown))
        surface.fill(BACKGROUND)
        for picture, area in zip(shown, layout.panes, strict=True):
            rectangle = pygame.Rect(area)
            if picture.frame is None:
                surface.fill(EMPTY, rectangle)
            else:
                frame = picture.frame[:: layout.down, :: layout.down]
                small = pygame.image.frombuffer(frame.tobytes(), frame.shape[1::-1], "RGB")
                surface.blit(pygame.transform.scale(small, rectangle.size), rectangle)
            self._label(surface, picture.label, picture.value, rectangle)
            if picture.banner:
                self._banner(surface, picture.banner, rectangle)
        self._footer(surface, session, pygame.Rect(layout.footer), focused)
        if show_help:
            self._help(surface)
        pygame.display.flip()
        return layout

    def _label(self, surface: pygame.Surface, label: str, value: str, pane: pygame.Rect) -> None:
        name = self._large.render(label, True, TEXT)
        surface.blit(name, name.get_rect(bottomleft=(pane.left, pane.top - 6)))
        number = self._small.render(value, True, FAINT)
        place = number.get_rect(topright=(pane.right, pane.top - 7 - self._small.get_height()))
        if place.left > pane.left + name.get_width() + 8:
            surface.blit(number, place)

    def _banner(self, surface: pygame.Surface, text: str, pane: pygame.Rect) -> None:
        lines = [self._large.render(line, True, WARN) for line in text.split("\n")]
        strip = pygame.Surface((pane.width, sum(line.get_height() + 4 for line in lines) + 12))
        strip.fill(BACKGROUND)
        strip.set_alpha(215)
        place = strip.get_rect(center=pane.center)
        surface.set_clip(pane)
        surface.blit(strip, place)
        top = place.top + 8
        for line in lines:
            surface.blit(line, line.get_rect(midtop=(pane.centerx, top)))
            top += line.get_height() + 4
        surface.set_clip(None)

    def _footer(self, surface: pygame.Surface, session: Session, area: pygame.Rect, focused: bool) -> None:
        left, top = area.left, area.top + 8
        for name, value, width in readings(session.moment):
            surface.blit(self._small.render(name, True, FAINT), (left, top))
            surface.blit(self._large.render(value, True, TEXT), (left, top + 17))
            left += width
        state = self._large.render(mode(session), True, WARN if session.paused else TEXT)
        surface.blit(state, state.get_rect(topright=(area.right, top + 17)))
        if not focused:
            news, color = "keys go to another window: click here to play", WARN
        elif session.notice:
            news, color = session.notice, WARN
        else:
            news, color = "H help", FAINT
        surface.blit(self._small.render(news, True, color), (area.left, top + 47))

    def _help(self, surface: pygame.Surface) -> None:
        keys = [self._large.render(key, True, WARN) for key, _ in self._help_lines]
        texts = [self._large.render(text, True, TEXT) for _, text in self._help_lines]
        column = 48 + max(key.get_width() for key in keys)
        panel = pygame.Surface((column + max(text.get_width() for text in texts) + 24, 30 * len(keys) + 34))
        panel.fill(EMPTY)
        for row, (key, text) in enumerate(zip(keys, texts, strict=True)):
            panel.blit(key, (24, 22 + 30 * row))
            panel.blit(text, (column, 22 + 30 * row))
        surface.blit(panel, panel.get_rect(center=surface.get_rect().center))


def readings(moment: Moment) -> list[tuple[str, str, int]]:
    """The head-up display: (name, value, width in pixels). Fixed widths keep the numbers from dancing."""
    return [
        ("step", str(moment.step), 70),
        ("horizon", str(moment.horizon), 80),
        ("reward", f"{moment.reward:+.2f}", 84),
        ("return", f"{moment.total:+.2f}", 100),
        ("chance of ending", f"{moment.termination_probability:.1%}", 130),
    ]


def mode(session: Session) -> str:
    """Who plays, and whether the game stands still."""
    player = "agent plays" if session.agent_plays else "you play"
    return f"paused  |  {player}" if session.paused else player
