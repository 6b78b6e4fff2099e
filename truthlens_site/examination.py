"""The questions that ``manage.py doctor`` asks of a deployment, each with what to do about a bad answer."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.core import mail
from django.core.checks import ERROR, run_checks
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from analyses.detection import check_content, check_weights, missing_codecs
from analyses.queue import QUEUES, analysis_queue
from analyses.workforce import impatient_broker, workers
from truthlens_site import health

MOST_SKEW_S = 5.0
"""Heartbeats are compared across machines, and one is taken for dead after 20 s of silence."""
ROUND_TRIP = b"Written and read back by the doctor."


class Sick(Exception):
    """A bad answer. The message is one sentence that says what is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``said`` is what was found. ``advice`` is empty where all is well."""

    name: str
    well: bool
    said: str
    advice: str = ""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Question:
    """``ask`` returns what it found, and raises :class:`Sick`, or anything, where that is bad.

    ``needs``: the questions without whose good answers this one can't be asked.
    """

    ask: Callable[[], str]
    advice: str
    needs: tuple[str, ...] = ()


def check_settings() -> str:
    found = run_checks(include_deployment_checks=settings.PRODUCTION)
    serious = [message for message in found if message.level >= ERROR and not message.is_silenced()]
    if serious:
        raise Sick(" ".join(message.msg for message in serious))
    mode = "production" if settings.PRODUCTION else "development" if settings.DEBUG else "this machine alone"
    return f"The settings are for {mode}."


def check_database() -> str:
    health.database_answers()
    return f"The database ({connection.vendor}) answers."


def check_migrations() -> str:
    if not health.migrations_applied():
        raise Sick("The database is behind the code: migrations wait.")
    return "All migrations are applied."


def check_broker() -> str:
    health.broker_answers()
    return "The broker answers."


def check_workers() -> str:
    living = workers()
    if not living:
        raise Sick("No worker lives.")
    loaded = sum(bool(worker.model_sha256) for worker in living)
    return f"{len(living)} living, {loaded} with the model loaded."


def check_queues() -> str:
    taken = {queue for worker in workers() for queue in worker.queues}
    left = [name for name in QUEUES if analysis_queue(name).count and name not in taken]
    if left:
        raise Sick(f"Jobs wait in a queue that no worker takes from: {', '.join(left)}.")
    return "Every queue with jobs has a worker."


def check_the_weights() -> str:
    card = check_weights()
    check_content(card)
    return f"{card.name} version {card.version}, SHA-256 {card.sha256[:12]} as its card says."


def check_folders() -> str:
    for folder in (settings.STATE, *health.disk_folders()):
        probe = folder / f".doctor-{uuid4().hex}"
        probe.write_bytes(ROUND_TRIP)
        probe.unlink()
        if health.free_bytes(folder) < settings.DISK_RESERVE_BYTES:
            raise Sick(f"There is less room than DISK_RESERVE in {folder}.")
    return "State, media and uploads can be written to and have room."


def check_storage() -> str:
    name = default_storage.save(f"doctor/{uuid4().hex}.bin", ContentFile(ROUND_TRIP))
    try:
        with default_storage.open(name) as file:
            if file.read() != ROUND_TRIP:
                raise Sick("The storage gave back something else than was written.")
    finally:
        default_storage.delete(name)
    return "A file was stored, read back and deleted."


def check_codecs() -> str:
    missing = missing_codecs()
    if missing:
        raise Sick(f"FFmpeg's codecs are missing: {', '.join(missing)}.")
    return "All codecs that clips and their copies need are there."


def check_clock() -> str:
    skews = {name: abs((timezone.now() - told).total_seconds()) for name, told in _clocks()}
    late = [f"{name} by {skew:.0f} s" for name, skew in skews.items() if skew > MOST_SKEW_S]
    if late:
        raise Sick(f"This machine's clock differs from that of the {', of the '.join(late)}.")
    return "The clocks agree."


def _clocks() -> Iterator[tuple[str, datetime]]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            yield "database", cursor.fetchone()[0]
    with impatient_broker() as broker:
        seconds, micros = broker.time()
        yield "broker", datetime.fromtimestamp(seconds + micros / 1e6, timezone.get_default_timezone())


def check_mail() -> str:
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        if settings.PRODUCTION:
            raise Sick("No mail server is set, so nobody gets letters.")
        return "Letters are printed, not sent."
    server = mail.get_connection()
    server.open()
    server.close()
    return "The mail server takes our login."


QUESTIONS: dict[str, Question] = {
    "settings": Question(
        check_settings, "Put the settings right in the environment or .env; see .env.example."
    ),
    "database": Question(
        check_database,
        "Start the database, or put DATABASE_URL right; SQLite needs a folder that can be written to.",
    ),
    "migrations": Question(check_migrations, "Run: python manage.py migrate", ("database",)),
    "broker": Question(check_broker, "Start the broker (`up` starts its own), or put REDIS_URL right."),
    "workers": Question(
        check_workers, "Start one: python manage.py worker (`up` starts its own).", ("broker",)
    ),
    "queues": Question(
        check_queues, "Start a worker whose WORKER_QUEUES names it, or change GPU_ANALYSES.", ("broker",)
    ),
    "weights": Question(
        check_the_weights, "Restore detector/weights from the release, or put MODEL_PATH right."
    ),
    "folders": Question(check_folders, "Free room, or let TruthLens' user write to these folders."),
    "storage": Question(
        check_storage, "Free room, or check MEDIA_ROOT, the S3_ settings and the bucket's rights."
    ),
    "codecs": Question(check_codecs, "Install the av package of requirements.txt; it brings its own FFmpeg."),
    "clock": Question(check_clock, "Let NTP set the clock of every machine.", ("database", "broker")),
    "mail": Question(check_mail, "Put EMAIL_URL right, or let this machine reach the mail server."),
}


def examine() -> Iterator[Finding]:
    sick: list[str] = []
    for name, question in QUESTIONS.items():
        missing = [need for need in question.needs if need in sick]
        found = _unasked(name, missing) if missing else _finding(name, question)
        if not found.well:
            sick.append(name)
        yield found


def _unasked(name: str, missing: list[str]) -> Finding:
    those = " and ".join(missing)
    return Finding(name, False, f"Not asked: it takes the {those}.", f"Put the {those} right first.")


def _finding(name: str, question: Question) -> Finding:
    try:
        return Finding(name, True, question.ask())
    except Sick as sick:
        return Finding(name, False, str(sick), question.advice)
    except Exception as error:  # what can't be asked is not well
        said = f"{type(error).__name__}: {str(error).strip() or 'no more was said'}"
        return Finding(name, False, said.splitlines()[0], question.advice)
