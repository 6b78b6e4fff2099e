"""Whether the site lives, and whether it can do its work, for monitors: no secrets, nothing about people."""

import logging
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analyses.detection import NoWeights, WeightsCard, check_weights
from analyses.workforce import impatient_broker, workers

log = logging.getLogger(__name__)


def database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def migrations_applied() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def broker_answers() -> bool:
    with impatient_broker() as broker:
        return bool(broker.ping())


def worker_lives() -> bool:
    """A worker that died without a word disappears from the broker when its heartbeat runs out."""
    return len(workers()) > 0


def weights_present() -> bool:
    check_weights()
    return True


def model_loaded() -> bool:
    """Whether a worker holds the settings' own model, checked against its card."""
    return check_weights().sha256 in {worker.model_sha256 for worker in workers()}


def disk_has_room() -> bool:
    return all(free_bytes(folder) >= settings.DISK_RESERVE_BYTES for folder in disk_folders())


def disk_folders() -> Iterable[Path]:
    """Where files are written here: uploads on their way in, and what is kept, or fetched to be worked on."""
    kept = settings.SCRATCH_FOLDER if settings.S3_BUCKET else settings.MEDIA_ROOT
    return {Path(kept), Path(settings.FILE_UPLOAD_TEMP_DIR)}


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


CHECKS: dict[str, Callable[[], bool]] = {
    "database": database_answers,
    "migrations": migrations_applied,
    "broker": broker_answers,
    "worker": worker_lives,
    "weights": weights_present,
    "model": model_loaded,
    "disk": disk_has_room,
}


def passes(name: str) -> bool:
    try:
        return CHECKS[name]()
    except Exception as error:  # whatever went wrong, the answer to a monitor is the same
        log.warning("Health check %s failed: %s", name, error)
        return False


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 for as long as this process answers, whatever becomes of the others."""
    return JsonResponse({"alive": True})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 where all parts work, 503 where one does not; the body says which, and names the model."""
    results = {name: passes(name) for name in CHECKS}
    ready = all(results.values())
    facts = {"ready": ready, **results, "weights_sha256": _sha256()}
    response = JsonResponse(facts, status=200 if ready else 503)
    response._has_been_logged = True  # type: ignore[attr-defined]  # each check that failed has been
    return response


def _sha256() -> str | None:
    card = installed_card()
    return card.sha256 if card else None


def installed_card() -> WeightsCard | None:
    try:
        return check_weights()
    except NoWeights:
        return None
