"""The first of several processes fails, and looks whether the others still live while it tells why.

Words: a named pipe that each of the others holds open for writing as long as it lives.
"""

import os
import select
import sys

from dreamplay.ranks import joined


def fail() -> None:
    raise ValueError("it failed")


pipe = sys.argv[1]
try:
    with joined() as ranks:
        end = os.open(pipe, os.O_RDONLY if ranks.lead else os.O_WRONLY)
        ranks.in_turn(fail)
except ValueError as error:
    left, _, _ = select.select([end], [], [], 3)  # readable as soon as nobody holds the other end
    print(f"{error}, the others {'left' if left else 'live'}", file=sys.stderr)
    sys.exit(2)
