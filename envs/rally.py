"""Rally: two paddles, one ball, and an opponent whose attention wanders."""

from __future__ import annotations

from dreamplay.envs.grid_game import DOWN_KEYS, UP_KEYS, GridGame

HEIGHT, WIDTH = 12, 14
TOP, BOTTOM = 1, HEIGHT - 1  # rows of the court; row 0 shows the score
PADDLE_HEIGHT = 3
LEFT_WALL, RIGHT_WALL = 0, WIDTH - 1  # the opponent's and the player's columns
WINNING_SCORE = 3
ATTENTION = 0.8  # probability with which the opponent follows the ball

BALL, PLAYER, OPPONENT = 1, 2, 3


class Rally(GridGame):
    """Play the ball past the opponent; +1 for each point won, -1 for each lost, three points end the episode.

    Actions: 0 stay, 1 up, 2 down; the paddle, on the right, moves one row. The ball moves one cell diagonally. At top
    and bottom it keeps its row for a step and turns; a paddle's end cells send it to their side, the middle cell keeps
    its direction up or down. The opponent, on the left, moves a row towards the ball with probability 0.8 and stays
    otherwise: `info["chance"]` is True on the steps where it had somewhere to go. After a point the ball comes back in
    the middle, in the row where it was lost, away from who lost it. The start draws the ball's row and side; it heads
    for the middle row, and for the player if it starts left of the middle. The top row shows the score.
    """

    height, width = HEIGHT, WIDTH
    colors = ((0, 0, 0), (255, 255, 255), (80, 200, 120), (220, 130, 70))
    keys = ((), UP_KEYS, DOWN_KEYS)

    def _start(self) -> None:
        middle = (TOP + BOTTOM) // 2
        self._row = int(self.np_random.integers(TOP + 1, BOTTOM))
        self._dy = 1 if self._row < middle else -1
        self._serve(towards_player=bool(self.np_random.integers(2)))
        self._player = self._opponent = middle - 1  # top cells
        self._won = self._lost = 0

    def _serve(self, towards_player: bool) -> None:
        self._dx = 1 if towards_player else -1
        self._column = WIDTH // 2 - 1 if towards_player else WIDTH // 2

    def _advance(self, action: int) -> tuple[float, bool, bool]:
        chance = self._move_opponent()
        if action:
            self._player = _moved(self._player, -1 if action == 1 else 1)
        row, column = self._turn_at_edges(), self._column + self._dx
        if column not in (LEFT_WALL, RIGHT_WALL):
            self._row, self._column = row, column
            return 0.0, False, chance
        hit = row - (self._player if column == RIGHT_WALL else self._opponent)
        if 0 <= hit < PADDLE_HEIGHT:
            if hit != PADDLE_HEIGHT // 2:
                self._dy = -1 if hit == 0 else 1
                row = self._turn_at_edges()
            self._dx = -self._dx
            self._row, self._column = row, self._column + self._dx
            return 0.0, False, chance
        return self._score(row, column), WINNING_SCORE in (self._won, self._lost), chance

    def _move_opponent(self) -> bool:
        """Let the opponent follow the ball, or not; returns whether that was a matter of chance."""
        offset = self._row - (self._opponent + PADDLE_HEIGHT // 2)
        target = _moved(self._opponent, (offset > 0) - (offset < 0))
        if target == self._opponent:
            return False
        if self.np_random.random() < ATTENTION:
            self._opponent = target
        return True

    def _turn_at_edges(self) -> int:
        """The ball's next row; a turn at the top or bottom takes a step."""
        row = self._row + self._dy
        if TOP <= row <= BOTTOM:
            return row
        self._dy = -self._dy
        return self._row

    def _score(self, row: int, column: int) -> float:
        won = column == LEFT_WALL
        if won:
            self._won += 1
        else:
            self._lost += 1
        self._row = row
        if WINNING_SCORE in (self._won, self._lost):
            self._column = column  # the last frame shows the ball behind the paddle
        else:
            self._serve(towards_player=won)
        return 1.0 if won else -1.0

    def _draw(self) -> bytearray:
        cells = bytearray(HEIGHT * WIDTH)
        cells[: self._lost] = bytes([OPPONENT]) * self._lost
        cells[WIDTH - self._won : WIDTH] = bytes([PLAYER]) * self._won
        for top, column, color in ((self._opponent, LEFT_WALL, OPPONENT), (self._player, RIGHT_WALL, PLAYER)):
            for row in range(top, top + PADDLE_HEIGHT):
                cells[row * WIDTH + column] = color
        cells[self._row * WIDTH + self._column] = BALL
        return cells


def _moved(top: int, rows: int) -> int:
    """A paddle's top cell after a move, kept inside the court."""
    return min(max(top + rows, TOP), BOTTOM - PADDLE_HEIGHT + 1)
