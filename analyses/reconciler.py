"""Puts right what a lost worker, broker or machine left behind. Safe to run at any time, by anyone."""

import logging
from dataclasses import dataclass

from redis.exceptions import RedisError

from analyses import services
from analyses.models import Analysis
from analyses.presence import is_gone
from analyses.queue import enqueue, queued_uuids

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many analyses went back to the queue's rows, and how many of those rows onto the queue."""

    requeued: int
    enqueued: int


def reconcile() -> Reconciled:
    """Take back what dead workers claimed, then enqueue every waiting row that the queue doesn't hold."""
    found = Reconciled(requeue_gone() + requeue_stuck(), enqueue_missing())
    if found.requeued or found.enqueued:
        logger.info("Took back %d analyses, enqueued %d.", found.requeued, found.enqueued)
    return found


def take_back() -> None:
    """The part of ``reconcile`` that is worth doing every few seconds: workers here that are gone."""
    if any(is_gone(analysis.claimed_by) for analysis in Analysis.objects.running()):
        reconcile()


def requeue_gone() -> int:
    gone = [analysis for analysis in Analysis.objects.running() if is_gone(analysis.claimed_by)]
    for analysis in gone:
        services.requeue_lost(analysis=analysis)
    return len(gone)


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
