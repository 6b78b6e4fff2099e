"""Whether the site can do its work, for monitors: no secrets, nothing about people."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from rq import Worker

from analyses.detection import check_weights

log = logging.getLogger(__name__)


def database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def broker_answers() -> bool:
    with _broker() as broker:
        return bool(broker.ping())


def worker_lives() -> bool:
    """A worker that died without a word disappears from the broker when its heartbeat runs out."""
    with _broker() as broker:
        return len(Worker.all(connection=broker)) > 0


def weights_present() -> bool:
    check_weights()
    return True


def _broker() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)


CHECKS: dict[str, Callable[[], bool]] = {
    "database": database_answers,
    "broker": broker_answers,
    "worker": worker_lives,
    "weights": weights_present,
}


def _passes(name: str) -> bool:
    try:
        return CHECKS[name]()
    except Exception as error:  # whatever went wrong, the answer to a monitor is the same
        log.warning("Health check %s failed: %s", name, error)
        return False


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 where all parts work, 503 where one does not; the body says which."""
    results = {name: _passes(name) for name in CHECKS}
    healthy = all(results.values())
    return JsonResponse({"healthy": healthy, **results}, status=200 if healthy else 503)
