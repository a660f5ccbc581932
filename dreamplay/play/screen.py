"""The player's window: draws what it is given, and knows nothing of what changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pygame

from dreamplay.play.hud import SPARKLINE, Reading
from dreamplay.play.keys import HELP
from dreamplay.play.layout import Layout, arrange, first_size
from dreamplay.play.views import Picture

Color = tuple[int, int, int]
BACKGROUND: Color = (20, 21, 26)
EMPTY: Color = (32, 34, 41)
TEXT: Color = (226, 228, 233)
FAINT: Color = (140, 146, 158)
WARN: Color = (255, 190, 92)
LIVE: Color = (255, 84, 60)
BORDER = 4  # pixels


@dataclass(frozen=True)
class Scene:
    """All that a window shows.

    Attributes:
        pictures: The panes.
        readings: The head-up display.
        divergence: Wrong pixels of the last moments, oldest first; NaN where unknown.
        moments: How many moments there are, and at which of them the player stands.
        marks: Moments at which branches begin, by index.
        status: Who plays, and how.
        news: What the player should know now, and whether it is urgent.
        warning: Why the dream is not to be trusted, or nothing.
        recording: Whether a recording runs.
        help: Whether to explain the keys.
    """

    pictures: Sequence[Picture]
    readings: Sequence[Reading]
    divergence: np.ndarray
    moments: tuple[int, int] = (1, 0)
    marks: Sequence[int] = field(default=())
    status: str = ""
    news: tuple[str, bool] = ("", False)
    warning: str = ""
    recording: bool = False
    help: bool = False


class Screen:
    """A resizable window with one labelled pane per picture, a head-up display, a bar of moments and a line of news.

    Args:
        caption: The window's title.
        frame: (height, width) of a frame.
        panes: How many panes there will be at first.
        game_keys: Names of the keys that the game itself uses, for the help.
    """

    def __init__(self, caption: str, frame: tuple[int, int], panes: int, game_keys: Sequence[str]) -> None:
        self._frame = frame
        self._help_lines = [("game", "  ".join(game_keys)), *HELP]
        desktop = pygame.display.get_desktop_sizes()[0]
        pygame.display.set_caption(caption)
        pygame.display.set_mode(first_size(frame, panes, desktop), pygame.RESIZABLE)
        pygame.font.init()
        self._large, self._small = (pygame.font.Font(None, size) for size in (24, 20))

    def draw(self, scene: Scene) -> Layout:
        """Draw a scene, and return where everything was put."""
        surface = pygame.display.get_surface()
        layout = arrange(surface.get_size(), self._frame, len(scene.pictures))
        surface.fill(BACKGROUND)
        for picture, area in zip(scene.pictures, layout.panes, strict=True):
            self._pane(surface, picture, pygame.Rect(area), layout.down, scene.warning)
        self._readings(surface, scene, pygame.Rect(layout.footer))
        self._bar(surface, scene, layout)
        self._news(surface, scene, pygame.Rect(layout.footer))
        if scene.help:
            self._help(surface)
        pygame.display.flip()
        return layout

    def capture(self) -> np.ndarray:
        """What the window shows, uint8 (H, W, 3)."""
        return pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)

    def _pane(self, surface: pygame.Surface, picture: Picture, pane: pygame.Rect, down: int, warning: str) -> None:
        if picture.frame is None:
            surface.fill(EMPTY, pane)
        else:
            frame = picture.frame[::down, ::down]
            small = pygame.image.frombuffer(frame.tobytes(), frame.shape[1::-1], "RGB")
            surface.blit(pygame.transform.scale(small, pane.size), pane)
        if picture.dream and warning:
            pygame.draw.rect(surface, WARN, pane.inflate(2 * BORDER, 2 * BORDER), BORDER)
        self._label(surface, picture, pane)
        if picture.banner:
            self._banner(surface, picture.banner, pane)

    def _label(self, surface: pygame.Surface, picture: Picture, pane: pygame.Rect) -> None:
        font = self._large if self._large.size(picture.label)[0] <= pane.width else self._small
        name = font.render(picture.label, True, TEXT)
        surface.blit(name, name.get_rect(bottomleft=(pane.left, pane.top - 7)), (0, 0, pane.width, name.get_height()))
        number = self._small.render(picture.value, True, FAINT)
        place = number.get_rect(topright=(pane.right, pane.top - 8 - self._small.get_height()))
        if place.left > pane.left + name.get_width() + 8:
            surface.blit(number, place)

    def _banner(self, surface: pygame.Surface, text: str, pane: pygame.Rect) -> None:
        longest = max(self._large.size(line)[0] for line in text.split("\n"))
        font = self._large if longest < pane.width else self._small
        lines = [font.render(line, True, WARN) for line in text.split("\n")]
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

    def _readings(self, surface: pygame.Surface, scene: Scene, area: pygame.Rect) -> None:
        left, top = area.left, area.top + 8
        for reading in scene.readings:
            surface.blit(self._small.render(reading.name, True, FAINT), (left, top))
            surface.blit(self._large.render(reading.value, True, WARN if reading.warn else TEXT), (left, top + 17))
            left += reading.width
        room = pygame.Rect(left, top, area.right - left, 36)
        if room.width > 1 and not np.isnan(scene.divergence).all():
            surface.fill(EMPTY, room)
            self._sparkline(surface, scene.divergence[-room.width :], room)

    def _sparkline(self, surface: pygame.Surface, values: np.ndarray, room: pygame.Rect) -> None:
        scale = (room.height - 1) / max(np.nan_to_num(values).max(), 1)
        wide = max(1, room.width // SPARKLINE)  # pixels for each moment
        for x, value in enumerate(values):
            if not np.isnan(value):
                height = max(1, round(value * scale))
                surface.fill(LIVE, (room.left + x * wide, room.bottom - height, wide, height))

    def _bar(self, surface: pygame.Surface, scene: Scene, layout: Layout) -> None:
        count, at = scene.moments
        bar = pygame.Rect(layout.bar)
        surface.fill(EMPTY, bar)
        place = layout.place_of(at, count) if count > 1 else bar.right - 1
        surface.fill((70, 76, 90), pygame.Rect(bar.left, bar.top, place - bar.left, bar.height))
        for mark in scene.marks:
            surface.fill(WARN, pygame.Rect(layout.place_of(mark, count), bar.top, 2, bar.height))
        surface.fill(TEXT, pygame.Rect(place - 2, bar.top - 3, 4, bar.height + 6))

    def _news(self, surface: pygame.Surface, scene: Scene, area: pygame.Rect) -> None:
        top = area.top + 84
        status = self._small.render(scene.status, True, TEXT)
        place = status.get_rect(topright=(area.right, top))
        surface.blit(status, place)
        if scene.recording:
            dot = pygame.Rect(place.left - 20, top + 1, 12, 12)
            pygame.draw.circle(surface, LIVE, dot.center, 6)
            place.left -= 24
        news, urgent = scene.news
        surface.set_clip(pygame.Rect(area.left, top, max(0, place.left - area.left - 12), 24))
        surface.blit(self._small.render(news, True, WARN if urgent else FAINT), (area.left, top))
        surface.set_clip(None)

    def _help(self, surface: pygame.Surface) -> None:
        keys = [self._small.render(key, True, WARN) for key, _ in self._help_lines]
        texts = [self._small.render(text, True, TEXT) for _, text in self._help_lines]
        rows = -(-len(keys) // 2)
        first = 20 + max(key.get_width() for key in keys)
        column = first + 24 + max(text.get_width() for text in texts)
        line = min(26, max(15, (surface.get_height() - 40) // (rows + 1)))
        panel = pygame.Surface((2 * column + 24, line * rows + 32))
        panel.fill(EMPTY)
        for number, (key, text) in enumerate(zip(keys, texts, strict=True)):
            x, y = 24 + column * (number // rows), 18 + line * (number % rows)
            panel.blit(key, (x, y))
            panel.blit(text, (x + first, y))
        place = panel.get_rect(center=surface.get_rect().center)
        place.left = max(0, place.left)
        surface.blit(panel, place)
