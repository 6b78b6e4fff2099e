"""Which workers of this machine live.

Each holds a lock on a file of its own, and the kernel lets go of it however the worker ends. A lock that can
be taken is therefore proof that its worker is gone, within moments. Of workers on other machines nothing is
known here: their analyses go by the heartbeat.
"""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from django.conf import settings

HOST = socket.gethostname()[:60]
WORKER = f"{HOST}:{os.getpid()}:{uuid4().hex[:8]}"
"""This process, as a worker signs what it claims."""


@contextmanager
def present() -> Iterator[None]:
    """This worker can be seen to live for as long as the block lasts."""
    path = _lock_of(WORKER)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("wb") as file:  # not inherited by child processes, which could outlive the worker
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def is_gone(worker: str) -> bool:
    """Whether that worker is known to have ended without a word. False where nothing is known of it."""
    return worker.startswith(f"{HOST}:") and _can_be_taken(_lock_of(worker))


def was_here(worker: str) -> bool:
    """Whether that worker ran on this machine and has ended, with a word or without."""
    if not worker.startswith(f"{HOST}:"):
        return False
    return not _lock_of(worker).exists() or is_gone(worker)


def forget_gone() -> None:
    """Remove the files of workers that ended without a word, once nobody asks for them any more."""
    for path in _folder().glob("*.lock"):
        if _can_be_taken(path):
            path.unlink(missing_ok=True)


def _can_be_taken(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return False
    return True


def _lock_of(worker: str) -> Path:
    return _folder() / f"{worker.replace('/', '_')}.lock"


def _folder() -> Path:
    return Path(settings.STATE) / "workers"
