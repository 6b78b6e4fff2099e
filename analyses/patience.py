"""Writes that outlast a database that is away for a moment, as when it is restarted."""

import logging
from collections.abc import Callable
from time import sleep
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

DATABASE_AWAY = (OperationalError, InterfaceError)
MACHINE_FAULTS = (*DATABASE_AWAY, OSError)
"""A database that is away, a disk that is full or can't be written to, no process to be had."""
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0)


def is_in_doubt(error: BaseException) -> bool:
    """Whether a transaction that ended so may have been written all the same: the server was lost over it.

    A file that belongs to it stays then. The sweep removes it where there is no row of it.
    """
    return isinstance(error, DATABASE_AWAY) and connection.vendor != "sqlite"


def patiently(write: Callable[[], Answer]) -> Answer:
    """What ``write`` answers, tried again with growing pauses while the database is away.

    It must do no harm twice: where the connection breaks at the very end, it may have been done already.
    """
    for pause_s in PAUSES_S:
        try:
            return write()
        except DATABASE_AWAY as error:
            logger.warning("The database is away, trying again in %g s: %s", pause_s, error)
            connection.close()
            sleep(pause_s)
    return write()
