"""Recall: a colour shown at the start decides, fifty steps later, which door was right."""

from __future__ import annotations

from dreamplay.envs.grid_game import LEFT_KEYS, RIGHT_KEYS, GridGame

SIZE = 10
STEPS = 52
CUE_FRAMES = 2  # frames, the first included, that show the cue
DOORS = 4
DOOR_WIDTH = 2
DOOR_ROW, AVATAR_ROW, CUE_ROW = 9, 8, 6
FIRST_DOOR = (SIZE - DOORS * DOOR_WIDTH) // 2  # column

MARKER, AVATAR, FIRST_COLOR = 1, 2, 3
CUE_CELLS = tuple(row * SIZE + column for row in (CUE_ROW, CUE_ROW + 1) for column in (4, 5))


def _clock_path() -> list[int]:
    """The marker's cell at each time: to and fro down the upper rows, one cell a step, ending at a row's end."""
    rows = -(-(STEPS + 1) // SIZE)
    path = [
        row * SIZE + (column if row % 2 == 0 else SIZE - 1 - column) for row in range(rows) for column in range(SIZE)
    ]
    return path[-(STEPS + 1) :]


CLOCK = _clock_path()


class Recall(GridGame):
    """Remember the colour of the square and stand at its door when time is up: +1 there, -1 elsewhere, 0 until then.

    Actions: 0 stay, 1 left, 2 right; the avatar moves one door. The square is shown in the first two frames only. A
    marker wanders down the upper rows, one cell a step; the episode ends when it arrives, after 52 steps. Chance
    decides the start only: the cue and the avatar's door.
    """

    height = width = SIZE
    colors = (
        (0, 0, 0),
        (120, 120, 120),
        (255, 255, 255),
        (220, 70, 70),
        (80, 190, 90),
        (80, 120, 240),
        (230, 200, 60),
    )
    keys = ((), LEFT_KEYS, RIGHT_KEYS)

    def _start(self) -> None:
        self._cue = int(self.np_random.integers(DOORS))
        self._door = int(self.np_random.integers(DOORS))  # where the avatar stands
        self._time = 0

    def _advance(self, action: int) -> tuple[float, bool, bool]:
        if action:
            self._door = max(0, self._door - 1) if action == 1 else min(DOORS - 1, self._door + 1)
        self._time += 1
        if self._time < STEPS:
            return 0.0, False, False
        return (1.0 if self._door == self._cue else -1.0), True, False

    def _draw(self) -> bytearray:
        cells = bytearray(SIZE * SIZE)
        for door in range(DOORS):
            start = DOOR_ROW * SIZE + FIRST_DOOR + door * DOOR_WIDTH
            cells[start : start + DOOR_WIDTH] = bytes([FIRST_COLOR + door] * DOOR_WIDTH)
        start = AVATAR_ROW * SIZE + FIRST_DOOR + self._door * DOOR_WIDTH
        cells[start : start + DOOR_WIDTH] = bytes([AVATAR] * DOOR_WIDTH)
        cells[CLOCK[self._time]] = MARKER
        if self._time < CUE_FRAMES:
            for cell in CUE_CELLS:
                cells[cell] = FIRST_COLOR + self._cue
        return cells
