"""Catch: objects fall one after another, and a paddle has to be under them."""

from __future__ import annotations

from dreamplay.envs.grid_game import LEFT_KEYS, RIGHT_KEYS, GridGame

SIZE = 10
MISSES = 10
PADDLE_WIDTH = 3
FLOOR = SIZE - 1  # the paddle's row
NEXT_COLUMN = 3  # an object appears this many columns right of where the last came down, around the edge

PIP, OBJECT, PADDLE = 1, 2, 3
PADDLE_CELLS = bytes([PADDLE] * PADDLE_WIDTH)


class Catch(GridGame):
    """Catch what falls; +1 for each object caught, -1 for each missed, and ten misses end the episode.

    Actions: 0 stay, 1 left, 2 right; the paddle moves one column. An object falls one row a step and counts when it
    comes down to the paddle's row. A step later the next one appears at the top, three columns further right (around
    the edge): with nine steps from one to the next, each can be caught. The top row shows the misses left. Chance
    decides the start only: the first column and the paddle's.
    """

    height = width = SIZE
    colors = ((0, 0, 0), (230, 80, 120), (250, 220, 80), (80, 200, 255))
    keys = ((), LEFT_KEYS, RIGHT_KEYS)

    def _start(self) -> None:
        self._row = 1
        self._column = int(self.np_random.integers(SIZE))
        self._paddle = int(self.np_random.integers(SIZE - PADDLE_WIDTH + 1))  # left edge
        self._pips = MISSES

    def _advance(self, action: int) -> tuple[float, bool, bool]:
        if action:
            self._paddle = max(0, self._paddle - 1) if action == 1 else min(SIZE - PADDLE_WIDTH, self._paddle + 1)
        if self._row == FLOOR:
            self._row = 1
            self._column = (self._column + NEXT_COLUMN) % SIZE
            return 0.0, False, False
        self._row += 1
        if self._row < FLOOR:
            return 0.0, False, False
        if 0 <= self._column - self._paddle < PADDLE_WIDTH:
            return 1.0, False, False
        self._pips -= 1
        return -1.0, self._pips == 0, False

    def _draw(self) -> bytearray:
        cells = bytearray(SIZE * SIZE)
        cells[: self._pips] = bytes([PIP]) * self._pips
        start = FLOOR * SIZE + self._paddle
        cells[start : start + PADDLE_WIDTH] = PADDLE_CELLS
        cells[self._row * SIZE + self._column] = OBJECT
        return cells
