"""Waiting for an analysis within a request. Each who waits keeps a thread of the web server."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.conf import settings

from analyses.models import UNFINISHED, Analysis

USUAL_S, LONGEST_S = 25, 60
LOOK_EVERY_S = 0.2
_PREFER = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=[,;]|$)", re.ASCII | re.IGNORECASE)


class Places:
    """How many wait in this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.taken = 0

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Whether there was a place to wait in."""
        with self.lock:
            free = self.taken < settings.DETECT_WAITERS
            self.taken += free
        try:
            yield free
        finally:
            with self.lock:
                self.taken -= free


PLACES = Places()


def seconds_asked(prefer: str) -> int:
    """Of the header ``Prefer: wait=N`` (RFC 7240)."""
    match = _PREFER.search(prefer)
    return min(LONGEST_S, int(match[1])) if match else USUAL_S


def wait_for(analysis: Analysis, seconds: float) -> Analysis:
    """The analysis once it has ended, or as it is after so many seconds, or at once where too many wait."""
    with PLACES.place() as free:
        deadline = time.monotonic() + (seconds if free else 0)
        same = Analysis.objects.filter(pk=analysis.pk)
        while same.filter(state__in=UNFINISHED).exists() and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
    return same.with_video().get()
