"""Puts right what a lost worker, broker or machine left behind. Safe to run at any time, by anyone."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone
from redis.exceptions import RedisError

from analyses import services
from analyses.models import Analysis, Video
from analyses.queue import enqueue, queued_uuids

logger = logging.getLogger(__name__)

STRAY_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many analyses went back to the queue's rows, and how many of those rows onto the queue."""

    requeued: int
    enqueued: int


def reconcile() -> Reconciled:
    """Take back what dead workers claimed, then enqueue every waiting row that the queue doesn't hold."""
    found = Reconciled(requeue_stuck(), enqueue_missing())
    if found.requeued or found.enqueued:
        logger.info("Took back %d analyses, enqueued %d.", found.requeued, found.enqueued)
    return found


def requeue_stuck() -> int:
    stuck = list(Analysis.objects.stuck())
    for analysis in stuck:
        services.requeue_lost(analysis=analysis, if_silent=True)
    return len(stuck)


def enqueue_missing() -> int:
    try:
        on_queue = queued_uuids()
    except RedisError as error:
        logger.warning("The broker can't be reached: %s", error)
        return 0
    waiting = Analysis.objects.queued().order_by("created_at").values_list("uuid", flat=True)
    return sum(enqueue(uuid) for uuid in waiting if uuid not in on_queue)


def remove_strays() -> int:
    """Remove uploads that no row knows, as a crash between storing file and row leaves them."""
    if not default_storage.exists("videos"):
        return 0
    known = {path for pair in Video.objects.values_list("file", "proxy") for path in pair}
    limit = timezone.now() - STRAY_AFTER
    paths = [f"videos/{name}" for name in default_storage.listdir("videos")[1]]
    strays = [p for p in paths if p not in known and default_storage.get_modified_time(p) < limit]
    for path in strays:
        default_storage.delete(path)
    return len(strays)
