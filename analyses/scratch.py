"""The worker's own folder for copies of files that lie in an object store.

Each worker has one of its own within ``SCRATCH_FOLDER``, so that what a killed worker leaves is known to be
nobody's. A copy is there for as long as its analysis runs.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from analyses.presence import WORKER, is_gone


class StorageAway(OSError):
    """The storage can't be used for now, through no fault of the file or of whoever asked."""


class NoRoom(StorageAway):
    """There is no room for the copy."""


class FetchStopped(Exception):
    """Whoever wanted the copy doesn't any more."""


@contextmanager
def scratch_copy(blocks: Iterable[bytes], size: int, should_stop: Callable[[], bool]) -> Iterator[Path]:
    """A copy of what comes in ``blocks``, ``size`` bytes in all, readable by this user alone.

    Raises :class:`NoRoom`, before anything is fetched where that can be told, and :class:`FetchStopped`.
    """
    folder = own_folder()
    check_room(folder, size)
    path = folder / f"{uuid4().hex}.bin"
    try:
        _fetch(blocks, path, should_stop)
        yield path
    finally:
        path.unlink(missing_ok=True)


def own_folder() -> Path:
    folder = Path(settings.SCRATCH_FOLDER) / WORKER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def check_room(folder: Path, size: int) -> None:
    """Against the limit on all that this worker keeps, and against what the disk has."""
    kept = sum(path.stat().st_size for path in folder.iterdir())
    if settings.SCRATCH_LIMIT_BYTES and kept + size > settings.SCRATCH_LIMIT_BYTES:
        raise NoRoom(f"{size} bytes more would be over SCRATCH_LIMIT")
    if shutil.disk_usage(folder).free - size < settings.DISK_RESERVE_BYTES:
        raise NoRoom(f"{size} bytes more would leave less than DISK_RESERVE")


def remove_gone_folders() -> int:
    """Folders of this machine's workers that ended without a word. How many it were."""
    gone = [folder for folder in Path(settings.SCRATCH_FOLDER).glob("*") if is_gone(folder.name)]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return len(gone)


def remove_own_folder() -> None:
    shutil.rmtree(Path(settings.SCRATCH_FOLDER) / WORKER, ignore_errors=True)


def _fetch(blocks: Iterable[bytes], path: Path, should_stop: Callable[[], bool]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for block in blocks:
                if should_stop():
                    raise FetchStopped
                file.write(block)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoRoom("the disk is full") from error
        raise
