"""The queues hold one string a job: a UUID, which is the job's name too, or that with a prefix.

There are three. ``default`` and ``gpu`` hold analyses, the latter those that the site sends to its GPUs;
``chores`` what needs no model. A worker takes from those that its settings name, the first named first.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

import django_rq
from django.conf import settings
from redis.exceptions import RedisError
from rq import Queue

from analyses.log_context import REQUEST, current
from analyses.models import Analysis

logger = logging.getLogger(__name__)

TASK, COPY_TASK = "analyses.tasks.run_analysis", "analyses.tasks.run_copy"
EXPORT_TASK, NOTICE_TASK = "analyses.tasks.run_export", "analyses.tasks.run_notice"
COPY, EXPORT, NOTICE = "copy-", "export-", "notice-"
DEFAULT, GPU, CHORES = "default", "gpu", "chores"
QUEUES = (CHORES, GPU, DEFAULT)
ALL, STABILITY = "all", "stability"
SPARE_S = 600
"""Beyond two attempts: warming up, the result, a proxy. The supervisor's own limits come first."""


def analysis_queue(name: str = DEFAULT) -> Queue:
    """Enqueues at once: whoever calls it has left the transaction already."""
    default: Queue = django_rq.get_queue("default", commit_mode="auto")
    if name == DEFAULT:
        return default
    return Queue(
        name, connection=default.connection, job_class=default.job_class, serializer=default.serializer
    )


def worker_queues() -> list[Queue]:
    """Those that a worker with these settings takes from, in order."""
    return [analysis_queue(name) for name in settings.WORKER_QUEUES]


def enqueue(uuid: UUID) -> bool:
    """Put the analysis on the queue. Without a broker it only waits: the reconciler enqueues it later."""
    return _enqueue(TASK, uuid, str(uuid), queue_of(uuid))


def enqueue_copy(uuid: UUID) -> bool:
    """Have the playable copy of an analysis' video made that its own worker did not live to make."""
    return _enqueue(COPY_TASK, uuid, f"{COPY}{uuid}", CHORES)


def enqueue_export(uuid: UUID) -> bool:
    """Have an export written."""
    return _enqueue(EXPORT_TASK, uuid, f"{EXPORT}{uuid}", CHORES)


def enqueue_notice(uuid: UUID) -> bool:
    """Have a letter sent to whom a decision concerns."""
    return _enqueue(NOTICE_TASK, uuid, f"{NOTICE}{uuid}", CHORES)


def queue_of(uuid: UUID) -> str:
    """Where an analysis waits: by what it was asked for, and what the settings send to the GPUs."""
    wanted = set(settings.GPU_ANALYSES)
    if not wanted:
        return DEFAULT
    row = Analysis.objects.filter(uuid=uuid).values_list("backbone", "stability").first()
    backbone, stability = row or ("", False)
    traits = {ALL, backbone or settings.DETECTOR.backbone} | ({STABILITY} if stability else set())
    return GPU if wanted & traits else DEFAULT


def _enqueue(task: str, uuid: UUID, job_id: str, queue: str = DEFAULT) -> bool:
    try:
        analysis_queue(queue).enqueue(
            task,
            str(uuid),
            job_id=job_id,
            job_timeout=2 * settings.ANALYSIS_TIMEOUT_S + SPARE_S,
            result_ttl=0,
            failure_ttl=24 * 3600,
            meta={REQUEST: current().get(REQUEST, "")},
        )
    except RedisError as error:
        logger.warning("Job %s waits for the broker: %s", job_id, error)
        return False
    return True


def queued_uuids() -> set[UUID]:
    """The analyses on the queues. Raises RedisError without a broker."""
    return _uuids(_job_ids(DEFAULT, GPU))


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
    names = _job_ids(CHORES, DEFAULT)  # the latter as earlier versions put them there
    return _uuids(name[len(prefix) :] for name in names if name.startswith(prefix))


def _job_ids(*queues: str) -> list[str]:
    return [job_id for queue in queues for job_id in analysis_queue(queue).job_ids]


def _uuids(names: Iterable[str]) -> set[UUID]:
    found = set()
    for job_id in names:
        with suppress(ValueError):  # other jobs have other names
            found.add(UUID(job_id))
    return found
