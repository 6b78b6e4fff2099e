"""The loop in ``up`` that brings lost work back: rows whose worker died, rows that no job stands for."""

import logging
import threading

from django.db import connection

from analyses.reconciler import reconcile

EVERY_S = 10.0

logger = logging.getLogger(__name__)


def reconcile_until(stop: threading.Event) -> None:
    """Runs in a thread of its own: neither a slow database nor a dead broker holds up the supervisor."""
    while not stop.is_set():
        try:
            reconcile()
        except Exception:
            # A database or broker that is away for a moment must not end the loop for good.
            logger.exception("Reconciling failed; trying again in %.0f s", EVERY_S)
        finally:
            connection.close()
        stop.wait(EVERY_S)


def start_reconciling(stop: threading.Event) -> None:
    threading.Thread(target=reconcile_until, args=(stop,), name="reconcile", daemon=True).start()
