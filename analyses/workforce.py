"""The workers as the broker knows them, wherever they run: what they take, what they have loaded."""

import json
from dataclasses import dataclass

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Worker
from rq.worker import BaseWorker

from analyses.vitals import Vitals

FIELD = "truthlens"
"""Beside RQ's own fields of a worker's entry, which disappears when its pulse stops."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """``model_sha256`` is empty until a model is loaded; sizes are bytes, 0 without a GPU."""

    name: str
    queues: tuple[str, ...]
    busy: bool
    model_sha256: str = ""
    gpu_used: int = 0
    gpu_total: int = 0


def impatient_broker() -> Redis:
    """For whoever would rather go without than wait."""
    return Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 0)
    )


def entry_of(vitals: Vitals) -> str:
    """What a worker writes of its child."""
    return json.dumps(
        {
            "model_sha256": vitals.model_sha256.decode(),
            "gpu_used": vitals.gpu_used,
            "gpu_total": vitals.gpu_total,
        }
    )


def workers() -> list[WorkerState]:
    """Those that live. Raises RedisError without a broker."""
    with impatient_broker() as broker:
        return [_state(worker, broker.hget(worker.key, FIELD)) for worker in Worker.all(connection=broker)]


def _state(worker: BaseWorker, entry: object) -> WorkerState:
    """A worker that has just started has written nothing yet."""
    told = json.loads(entry) if isinstance(entry, bytes) else {}
    return WorkerState(
        name=worker.name,
        queues=tuple(worker.queue_names()),
        busy=worker.get_state() == "busy",
        **told,
    )
