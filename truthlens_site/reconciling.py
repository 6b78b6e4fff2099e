"""The loop in ``up`` and ``housekeeping`` that brings lost work back and clears away what nobody owns."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

from django.db import connection

from analyses.reconciler import reconcile, take_back
from analyses.retention import purge
from analyses.strays import remove_strays
from analyses.table_statistics import refresh_table_statistics
from analyses.webhooks.couriers import forget_old

DUTIES: dict[Callable[[], object], float] = {
    take_back: 2.0,
    reconcile: 10.0,
    purge: 600.0,
    remove_strays: 3600.0,
    forget_old: 3600.0,
    refresh_table_statistics: 3600.0,
}
"""What is done, each every so many seconds."""
LOOK_EVERY_S = 2.0

logger = logging.getLogger(__name__)


def reconcile_until(stop: threading.Event) -> None:
    """Runs in a thread of its own: neither a slow database nor a dead broker holds up the supervisor."""
    due = dict.fromkeys(DUTIES, 0.0)
    while not stop.is_set():
        for duty, every_s in DUTIES.items():
            if monotonic() >= due[duty] and not stop.is_set():
                due[duty] = monotonic() + every_s
                _do(duty)
        connection.close()
        stop.wait(LOOK_EVERY_S)


def _do(duty: Callable[[], object]) -> None:
    """A database or broker that is away for a moment must not end the loop for good."""
    try:
        duty()
    except Exception:
        logger.exception("Reconciling failed; trying again in a moment.")
        connection.close()


def start_reconciling(stop: threading.Event) -> None:
    threading.Thread(target=reconcile_until, args=(stop,), name="reconcile", daemon=True).start()
