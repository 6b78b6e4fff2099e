"""The queue holds one string an analysis: its UUID, which is the job's name too."""

import logging
from contextlib import suppress
from uuid import UUID

import django_rq
from django.conf import settings
from redis.exceptions import RedisError
from rq import Queue

logger = logging.getLogger(__name__)

TASK = "analyses.tasks.run_analysis"
SPARE_S = 600
"""Beyond two attempts: warming up, the result, a proxy. The supervisor's own limits come first."""


def analysis_queue() -> Queue:
    """Enqueues at once: whoever calls it has left the transaction already."""
    queue: Queue = django_rq.get_queue("default", commit_mode="auto")
    return queue


def enqueue(uuid: UUID) -> bool:
    """Put the analysis on the queue. Without a broker it only waits: the reconciler enqueues it later."""
    try:
        analysis_queue().enqueue(
            TASK,
            str(uuid),
            job_id=str(uuid),
            job_timeout=2 * settings.ANALYSIS_TIMEOUT_S + SPARE_S,
            result_ttl=0,
            failure_ttl=24 * 3600,
        )
    except RedisError as error:
        logger.warning("Analysis %s waits for the broker: %s", uuid, error)
        return False
    return True


def queued_uuids() -> set[UUID]:
    """The analyses on the queue. Raises RedisError without a broker."""
    found = set()
    for job_id in analysis_queue().job_ids:
        with suppress(ValueError):  # other jobs have other names
            found.add(UUID(job_id))
    return found
