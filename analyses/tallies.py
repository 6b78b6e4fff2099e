"""What the workers did, counted in the broker: by all of them, and for as long as it keeps its data.

Rows are deleted, so they can't be counted for this. A count that finds no broker is lost, and nothing else.
"""

import logging
from collections.abc import Mapping

from redis.exceptions import RedisError

from analyses.detection import Failure, Verdict
from analyses.workforce import impatient_broker

logger = logging.getLogger(__name__)

KEY = "truthlens:tallies"
VERDICTS, FAILURES, LOSSES = "verdicts", "failures", "losses"
SECONDS, RUNS, WITHIN = "seconds", "runs", "within"
BOUNDS_S = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Upper ends of the classes that stages are counted in by their time."""


def count_result(verdict: Verdict, timing: Mapping[str, float]) -> None:
    """``timing``: seconds by stage, such as ``decode_s``, as the result document has them."""
    additions: dict[str, float] = {f"{VERDICTS}|{verdict}": 1}
    for name, seconds in timing.items():
        stage = name.removesuffix("_s")
        additions |= {f"{SECONDS}|{stage}": seconds, f"{RUNS}|{stage}": 1}
        additions |= {f"{WITHIN}|{stage}|{bound}": 1 for bound in BOUNDS_S if seconds <= bound}
    _add(additions)


def count_failure(code: Failure) -> None:
    _add({f"{FAILURES}|{code}": 1})


def count_loss() -> None:
    """A worker was lost with an analysis in its hands."""
    _add({LOSSES: 1})


def tallies() -> dict[tuple[str, ...], float]:
    """All counts, by kind and what is counted: ``("failures", "unreadable")``. Raises RedisError."""
    with impatient_broker() as broker:
        found: dict[bytes, bytes] = broker.hgetall(KEY)
    return {tuple(name.decode().split("|")): float(value) for name, value in found.items()}


def _add(additions: Mapping[str, float]) -> None:
    try:
        with impatient_broker() as broker, broker.pipeline() as pipeline:
            for name, amount in additions.items():
                pipeline.hincrbyfloat(KEY, name, amount)
            pipeline.execute()
    except RedisError as error:
        logger.debug("A count was lost: %s", error)
