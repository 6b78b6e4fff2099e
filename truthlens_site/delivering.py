"""The threads in ``up`` and ``housekeeping`` that send webhooks.

A slow receiver holds up one of them and nothing else.
"""

import logging
import threading

from django.db import connection

from analyses.webhooks.couriers import deliver_next

COURIERS = 3
LOOK_EVERY_S = 2.0

logger = logging.getLogger(__name__)


def deliver_until(stop: threading.Event) -> None:
    """One courier's life."""
    while not stop.is_set():
        if not _tried():
            connection.close()
            stop.wait(LOOK_EVERY_S)


def _tried() -> bool:
    """Whether there was something to send. A database that is away for a moment must not end a courier."""
    try:
        return deliver_next()
    except Exception:
        logger.exception("A webhook could not be sent; trying again in a moment.")
        return False


def start_delivering(stop: threading.Event) -> None:
    for number in range(COURIERS):
        threading.Thread(target=deliver_until, args=(stop,), name=f"courier-{number}", daemon=True).start()
