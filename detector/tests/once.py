"""What takes long to make and always comes out the same: made once for all processes of a test run."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

SHARED = "TRUTHLENS_TEST_SHARED"
"""Names the folder; outside of a run of the tests it is not set."""


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """What the first process that wants it makes. Nobody changes it: whoever would takes a copy."""
    target = Path(os.environ[SHARED]) / name
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                make(Path(folder) / name)
                (Path(folder) / name).rename(target)
    return target
