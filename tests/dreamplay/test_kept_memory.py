"""Freed memory stays with the process, and is not cleared by the kernel again."""

import subprocess
import sys

import pytest

CHURN = """
import resource, sys
import numpy as np
from dreamplay.kept_memory import keep_memory

if sys.argv[1] == "kept":
    assert keep_memory()
np.ones(2**23)  # 64 MB, freed at once
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    np.ones(2**23)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    return int(subprocess.run([sys.executable, "-c", CHURN, how], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc keeps memory when it is asked to")
def test_freed_memory_is_used_again():
    assert faults("kept") < 100 < faults("as usual")
