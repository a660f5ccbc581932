"""Where things lie in the window: panes in a grid, each scaled by a whole number. Pure arithmetic."""

from dataclasses import dataclass
from math import ceil

MARGIN = 16  # pixels around and between panes
LABEL = 34  # pixels above each pane
FOOTER = 116  # pixels below the panes: readings, the bar, and a line of text
BAR = (58, 14)  # pixels: where in the footer the bar of moments begins, and its height
MIN_WIDTH = 760  # pixels: below this the head-up display no longer fits on a line
PANE = 400  # pixels: the longer side of a pane in a new window, roughly


@dataclass(frozen=True)
class Layout:
    """A window's layout.

    Attributes:
        up, down: Frames are enlarged `up` times; in a window too small for that only every `down`-th pixel is shown.
        panes: (left, top, width, height) of each pane's picture, in pixels.
        footer: (left, top, width, height) of what is below.
        bar: (left, top, width, height) of the bar of moments, within the footer.
    """

    up: int
    down: int
    panes: tuple[tuple[int, int, int, int], ...]
    footer: tuple[int, int, int, int]
    bar: tuple[int, int, int, int]

    def moment_at(self, x: int, count: int) -> int:
        """Which of so many moments the bar shows at a horizontal place, in pixels; the nearest one beyond its ends."""
        left, _, width, _ = self.bar
        return min(max(round((x - left) / max(width - 1, 1) * (count - 1)), 0), count - 1)

    def place_of(self, index: int, count: int) -> int:
        """The horizontal place of a moment on the bar, in pixels."""
        left, _, width, _ = self.bar
        return left + round((width - 1) * index / max(count - 1, 1))


def arrange(window: tuple[int, int], frame: tuple[int, int], count: int) -> Layout:
    """Fit panes into a window: the grid with the largest frames, then without a gap, then with most room to spare.

    Args:
        window: (width, height) in pixels.
        frame: (height, width) of a frame.
        count: How many panes.
    """
    width, height = window
    fits = []
    for columns in range(count, 0, -1):
        rows = ceil(count / columns)
        room_x = (width - MARGIN * (columns + 1)) // columns
        room_y = (height - FOOTER - MARGIN - (LABEL + MARGIN) * rows) // rows
        up = min(room_x // frame[1], room_y // frame[0])
        down = 1 if up > 0 else max(ceil(frame[1] / max(room_x, 1)), ceil(frame[0] / max(room_y, 1)))
        empty, spare = columns * rows - count, min(room_x / frame[1], room_y / frame[0])
        fits.append(((up, -down, -empty, spare), columns, rows))
    (up, down, *_), columns, rows = max(fits)
    up, down = max(up, 1), -down
    wide, high = ceil(frame[1] / down) * up, ceil(frame[0] / down) * up
    left = (width - columns * wide - (columns - 1) * MARGIN) // 2
    top = max(0, (height - FOOTER - rows * (LABEL + high) - (rows - 1) * MARGIN) // 2)
    panes = tuple(
        (left + column * (wide + MARGIN), top + row * (LABEL + high + MARGIN) + LABEL, wide, high)
        for row in range(rows)
        for column in range(columns)
    )
    footer = MARGIN, height - FOOTER, width - 2 * MARGIN, FOOTER
    return Layout(up, down, panes[:count], footer, (MARGIN, footer[1] + BAR[0], footer[2], BAR[1]))


def first_size(frame: tuple[int, int], count: int, desktop: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) of a new window: panes of a comfortable size, within nine tenths of the desktop."""
    room = desktop[0] * 9 // 10, desktop[1] * 9 // 10
    around = (count + 1) * MARGIN, LABEL + 2 * MARGIN + FOOTER
    fitting = min((room[0] - around[0]) // (count * frame[1]), (room[1] - around[1]) // frame[0])
    scale = max(1, min(fitting, round(PANE / max(frame))))
    width = max(MIN_WIDTH, count * frame[1] * scale + around[0])
    return min(width, room[0]), min(frame[0] * scale + around[1], room[1])
