"""Bricks: a ball, a paddle and a wall of bricks that comes back when it is gone."""

from __future__ import annotations

from dreamplay.envs.grid_game import LEFT_KEYS, RIGHT_KEYS, GridGame

SIZE = 10
LIVES = 3
WALL_TOP, WALL_BOTTOM = 1, 3
PADDLE_WIDTH = 3
FLOOR = SIZE - 1  # the paddle's row

PIP, BALL, PADDLE, TOP_BRICK = 1, 2, 3, 4
WALL = bytes(TOP_BRICK + row for row in range(WALL_BOTTOM - WALL_TOP + 1) for _ in range(SIZE))
PADDLE_CELLS = bytes([PADDLE] * PADDLE_WIDTH)


class Bricks(GridGame):
    """Knock bricks out of a wall; +1 for each, three lives, a new wall whenever one is cleared.

    Actions: 0 stay, 1 left, 2 right; the paddle moves one column. The ball moves one cell diagonally. At a side wall it
    keeps its column for a step and turns; at the ceiling, a brick or the paddle it turns and moves away in the same
    step (between two bricks it stays for a step). The paddle's edge cells send it to their side, the middle cell keeps
    its sideways direction. A lost ball costs a life and comes back below the wall, in the column where it was lost,
    heading down the same way. Chance decides the start only: the ball's column, its direction (the ball starts a row
    lower when it heads left, so that one frame tells), and the paddle's column.
    """

    height = width = SIZE
    colors = (
        (0, 0, 0),
        (230, 80, 120),
        (255, 255, 255),
        (80, 200, 255),
        (200, 70, 70),
        (220, 160, 60),
        (90, 180, 90),
    )
    keys = ((), LEFT_KEYS, RIGHT_KEYS)

    def _start(self) -> None:
        draw = self.np_random.integers
        self._column = int(draw(SIZE))
        self._dx = 1 if draw(2) else -1
        self._row = WALL_BOTTOM + (1 if self._dx > 0 else 2)
        self._dy = 1
        self._paddle = 3 + int(draw(2))  # left edge; from the middle every first ball can be reached
        self._lives = LIVES
        self._bricks = len(WALL)
        self._board = bytearray(SIZE * SIZE)
        self._board[:LIVES] = bytes([PIP] * LIVES)
        self._build_wall()

    def _build_wall(self) -> None:
        self._board[WALL_TOP * SIZE : (WALL_BOTTOM + 1) * SIZE] = WALL
        self._bricks = len(WALL)

    def _advance(self, action: int) -> tuple[float, bool, bool]:
        if action:
            self._paddle = max(0, self._paddle - 1) if action == 1 else min(SIZE - PADDLE_WIDTH, self._paddle + 1)
        column = self._turn_at_sides()
        row = self._row + self._dy
        if row < WALL_TOP:
            self._dy = 1
            row = self._row + 1
        if row == FLOOR:
            return self._meet_floor(column)
        reward = 0.0
        if self._board[row * SIZE + column]:
            self._board[row * SIZE + column] = 0
            self._bricks -= 1
            reward = 1.0
            self._dy = -self._dy
            row = self._row + self._dy
            if row < WALL_TOP or self._board[row * SIZE + column]:  # no room to move away: wait a step
                return reward, False, False
        self._row, self._column = row, column
        return reward, False, False

    def _turn_at_sides(self) -> int:
        """The ball's next column. A turn costs a step's sideways motion: else it would only see every second cell."""
        column = self._column + self._dx
        if 0 <= column < SIZE:
            return column
        self._dx = -self._dx
        return self._column

    def _meet_floor(self, column: int) -> tuple[float, bool, bool]:
        if not self._bricks:  # only now, when the ball is sure to be outside the new wall
            self._build_wall()
        hit = column - self._paddle
        if 0 <= hit < PADDLE_WIDTH:
            self._dy = -1
            if hit != PADDLE_WIDTH // 2:
                self._dx = -1 if hit == 0 else 1
                column = self._turn_at_sides()
            self._row, self._column = FLOOR - 2, column
            return 0.0, False, False
        self._lives -= 1
        self._board[self._lives] = 0
        self._column = column
        self._row = WALL_BOTTOM + 1 if self._lives else FLOOR
        return 0.0, self._lives == 0, False

    def _draw(self) -> bytearray:
        cells = bytearray(self._board)
        start = FLOOR * SIZE + self._paddle
        cells[start : start + PADDLE_WIDTH] = PADDLE_CELLS
        cells[self._row * SIZE + self._column] = BALL
        return cells
