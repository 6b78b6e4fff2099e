"""Freed memory is kept for the next picture, where the C library can."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from detector.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
np.ones(64 << 20, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(64 << 20, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], stdout=subprocess.PIPE, text=True, check=True, timeout=60
    )
    return int(run.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone gives large blocks back")
def test_a_large_block_is_used_again_without_asking_the_system() -> None:
    assert page_faults("keep") * 20 < page_faults("leave")
