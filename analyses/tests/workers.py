"""A worker that analyses nothing: it takes what waits and ends it as a test wants."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import connection

from analyses import claims
from analyses.models import Analysis
from analyses.tests.factories import make_result


def finish(analysis: Analysis) -> None:
    claims.record_result(analysis=analysis, result=make_result(analysis.video))


@contextmanager
def worker(end: Callable[[Analysis], object] = finish) -> Iterator[None]:
    """Another thread that takes what waits and ends it, while the block runs."""
    stop = Event()

    def work() -> None:
        try:
            while not stop.wait(0.05):
                for waiting in Analysis.objects.queued():
                    claimed = claims.claim(uuid=waiting.uuid, worker="w")
                    assert claimed is not None
                    end(claimed)
        finally:
            connection.close()

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
