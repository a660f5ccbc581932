"""Memory that stays with the process: glibc gives large blocks back when they are freed, and to get them anew is slow.

The kernel clears every page that it hands out. A training frees and asks for the same tens of megabytes at each update;
kept, they save a tenth to a third of its time (`scripts/benchmark_training.py`). The price: the process stays as large
as it was at its largest.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of mallopt(3)
MOST = 2**31 - 1


def keep_memory() -> bool:
    """Ask the C library to keep what is freed, from now on; whether it could be asked."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return mallopt is not None and bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, MOST))
