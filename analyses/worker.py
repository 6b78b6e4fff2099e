"""The worker: an RQ worker that doesn't fork, and a pulse that tells the broker it lives."""

import logging
import threading
from typing import Any

from django.db import close_old_connections
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker_registration import register

from analyses.inference import supervisor
from analyses.log_context import REQUEST, bound
from analyses.queue import analysis_queue, worker_queues
from analyses.workforce import FIELD, entry_of

logger = logging.getLogger(__name__)

WORKER_TTL_S = 30
PULSE_S = 5.0


class AnalysisWorker(SimpleWorker):
    """Runs each job in its own process, which supervises the detector's child.

    Asked to end, it ends the running job at once: the row goes back to the queue.
    """

    max_connection_wait_time = 5.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pulse = Pulse(self)

    def bootstrap(self, *args: Any, **options: Any) -> None:
        super().bootstrap(*args, **options)
        self._pulse.start()

    def teardown(self) -> None:
        self._pulse.stop()
        try:
            super().teardown()  # type: ignore[no-untyped-call]
        except RedisError as error:
            logger.warning("The broker doesn't know that this worker ends: %s", error)

    def execute_job(self, job: Job, queue: Queue) -> None:
        close_old_connections()
        try:
            with bound({REQUEST: job.get_meta(refresh=False).get(REQUEST)}):
                super().execute_job(job, queue)
        finally:
            close_old_connections()

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ would let the entry of a worker that was killed in a job live as long as the job might."""
        super().heartbeat(WORKER_TTL_S, pipeline)

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        supervisor().interrupt()

    def set_shutdown_requested_date(self) -> None:
        """Called in a signal handler, where a broker that is down must not matter."""
        try:
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]
        except RedisError as error:
            logger.warning("The broker doesn't know of the shutdown: %s", error)


class Pulse:
    """Renews the worker's entry at the broker every few seconds, in a job and between jobs.

    A killed worker's entry is gone after ``WORKER_TTL_S``; one that the broker lost is written again.
    """

    def __init__(self, worker: AnalysisWorker) -> None:
        self._worker = worker
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(PULSE_S)

    def _beat(self) -> None:
        while not self._ended.wait(PULSE_S):
            try:
                self._renew()
            except RedisError as error:
                logger.warning("The broker can't be reached: %s", error)

    def _renew(self) -> None:
        worker = self._worker
        worker.last_heartbeat = now()
        with worker.connection.pipeline() as pipeline:
            pipeline.hset(worker.key, mapping=worker.serialize() | {FIELD: entry_of(supervisor().vitals)})
            register(worker, pipeline)
            pipeline.expire(worker.key, WORKER_TTL_S)
            pipeline.execute()


def make_worker() -> AnalysisWorker:
    """Raises RedisError without a broker."""
    queue = analysis_queue()
    return AnalysisWorker(
        worker_queues(),
        connection=queue.connection,
        queue_class=Queue,
        job_class=queue.job_class,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_S,
        log_job_description=False,
    )
