"""The queue holds one string an analysis: its UUID, which is the job's name too, or that with a prefix."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

import django_rq
from django.conf import settings
from redis.exceptions import RedisError
from rq import Queue

logger = logging.getLogger(__name__)

TASK, COPY_TASK = "analyses.tasks.run_analysis", "analyses.tasks.run_copy"
EXPORT_TASK, NOTICE_TASK = "analyses.tasks.run_export", "analyses.tasks.run_notice"
COPY, EXPORT, NOTICE = "copy-", "export-", "notice-"
SPARE_S = 600
"""Beyond two attempts: warming up, the result, a proxy. The supervisor's own limits come first."""


def analysis_queue() -> Queue:
    """Enqueues at once: whoever calls it has left the transaction already."""
    queue: Queue = django_rq.get_queue("default", commit_mode="auto")
    return queue


def enqueue(uuid: UUID) -> bool:
    """Put the analysis on the queue. Without a broker it only waits: the reconciler enqueues it later."""
    return _enqueue(TASK, uuid, str(uuid))


def enqueue_copy(uuid: UUID) -> bool:
    """Have the playable copy of an analysis' video made that its own worker did not live to make."""
    return _enqueue(COPY_TASK, uuid, f"{COPY}{uuid}")


def enqueue_export(uuid: UUID) -> bool:
    """Have an export written."""
    return _enqueue(EXPORT_TASK, uuid, f"{EXPORT}{uuid}")


def enqueue_notice(uuid: UUID) -> bool:
    """Have a letter sent to whom a decision concerns."""
    return _enqueue(NOTICE_TASK, uuid, f"{NOTICE}{uuid}")


def _enqueue(task: str, uuid: UUID, job_id: str) -> bool:
    try:
        analysis_queue().enqueue(
            task,
            str(uuid),
            job_id=job_id,
            job_timeout=2 * settings.ANALYSIS_TIMEOUT_S + SPARE_S,
            result_ttl=0,
            failure_ttl=24 * 3600,
        )
    except RedisError as error:
        logger.warning("Job %s waits for the broker: %s", job_id, error)
        return False
    return True


def queued_uuids() -> set[UUID]:
    """The analyses on the queue. Raises RedisError without a broker."""
    return _uuids(job_id for job_id in analysis_queue().job_ids if not job_id.startswith(COPY))


def queued_copies() -> set[UUID]:
    """The analyses whose video's playable copy is on the queue. Raises RedisError without a broker."""
    return _prefixed(COPY)


def queued_exports() -> set[UUID]:
    """The exports on the queue. Raises RedisError without a broker."""
    return _prefixed(EXPORT)


def queued_notices() -> set[UUID]:
    """The notices on the queue. Raises RedisError without a broker."""
    return _prefixed(NOTICE)


def _prefixed(prefix: str) -> set[UUID]:
    return _uuids(job_id[len(prefix) :] for job_id in analysis_queue().job_ids if job_id.startswith(prefix))


def _uuids(names: Iterable[str]) -> set[UUID]:
    found = set()
    for job_id in names:
        with suppress(ValueError):  # other jobs have other names
            found.add(UUID(job_id))
    return found
