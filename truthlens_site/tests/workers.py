"""Workers as the broker knows them, without their processes."""

from redis import Redis
from rq import SimpleWorker

from analyses.vitals import Vitals
from analyses.workforce import FIELD, entry_of


def start_worker(broker: str, sha256: str = "", queues: tuple[str, ...] = ("default",)) -> None:
    """A worker's entry, with what its pulse writes of the child."""
    worker = SimpleWorker(list(queues), connection=Redis.from_url(broker))
    worker.register_birth()  # type: ignore[no-untyped-call]
    if sha256:
        worker.connection.hset(worker.key, FIELD, entry_of(Vitals(sha256.encode(), 5, 7)))
