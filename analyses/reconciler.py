"""Puts right what a lost worker, broker or machine left behind. Safe to run at any time, by anyone."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from redis.exceptions import RedisError

from analyses import claims, export_services
from analyses.models import Analysis, Export
from analyses.moderation.models import Notice
from analyses.presence import is_gone, was_here
from analyses.queue import (
    enqueue,
    enqueue_copy,
    enqueue_export,
    enqueue_notice,
    queued_copies,
    queued_exports,
    queued_notices,
    queued_uuids,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many analyses went back to the queue's rows, and how many of those rows onto the queue."""

    requeued: int
    enqueued: int


def reconcile() -> Reconciled:
    """Take back what dead workers claimed, then enqueue every waiting row that the queue doesn't hold."""
    found = Reconciled(requeue_gone() + requeue_stuck(), enqueue_missing())
    enqueue_lost_copies()
    reconcile_exports()
    enqueue_due_letters()
    if found.requeued or found.enqueued:
        logger.info("Took back %d analyses, enqueued %d.", found.requeued, found.enqueued)
    return found


def take_back() -> None:
    """The part of ``reconcile`` that is worth doing every few seconds: workers here that are gone."""
    claims = (*Analysis.objects.running(), *Export.objects.running())
    if any(is_gone(row.claimed_by) for row in claims):
        reconcile()


def requeue_gone() -> int:
    gone = [analysis for analysis in Analysis.objects.running() if is_gone(analysis.claimed_by)]
    for analysis in gone:
        claims.requeue_lost(analysis=analysis)
    return len(gone)


def requeue_stuck() -> int:
    stuck = list(Analysis.objects.stuck())
    for analysis in stuck:
        claims.requeue_lost(analysis=analysis, if_silent=True)
    return len(stuck)


def enqueue_missing() -> int:
    waiting = Analysis.objects.queued().order_by("created_at").values_list("uuid", flat=True)
    return _enqueue_each(list(waiting), queued_uuids, enqueue)


def enqueue_lost_copies() -> int:
    """Workers that ended between a result and the copy of its video that browsers can play."""
    due = Analysis.objects.awaiting_copy().values_list("uuid", "claimed_by")
    lost = [uuid for uuid, worker in due if was_here(worker)]
    return _enqueue_each(lost, queued_copies, enqueue_copy)


def reconcile_exports() -> None:
    """Take back what dead workers were writing, enqueue what waits, remove what has expired."""
    silent = set(Export.objects.silent())
    for export in Export.objects.running():
        if export in silent or is_gone(export.claimed_by):
            export_services.requeue_lost_export(export=export)
    waiting = Export.objects.queued().order_by("created_at").values_list("uuid", flat=True)
    _enqueue_each(list(waiting), queued_exports, enqueue_export)
    export_services.remove_expired_exports()


def enqueue_due_letters() -> None:
    """Those that found no broker, and those that the mail server didn't take."""
    due = Notice.objects.mail_due().order_by("pk").values_list("uuid", flat=True)
    _enqueue_each(list(due), queued_notices, enqueue_notice)


def _enqueue_each(
    uuids: list[UUID], on_queue: Callable[[], set[UUID]], enqueue_one: Callable[[UUID], bool]
) -> int:
    if not uuids:
        return 0
    try:
        there = on_queue()
    except RedisError as error:
        logger.warning("The broker can't be reached: %s", error)
        return 0
    return sum(enqueue_one(uuid) for uuid in uuids if uuid not in there)
