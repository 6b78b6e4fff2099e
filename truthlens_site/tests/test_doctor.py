"""``manage.py doctor``: what is well, and what to do about the rest."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from analyses.queue import analysis_queue
from truthlens_site import examination
from truthlens_site.tests.workers import start_worker

pytestmark = pytest.mark.django_db
Patch = Callable[[pytest.MonkeyPatch, Settings], object]


def doctor() -> tuple[int, Mapping[str, Any]]:
    """The exit status, and the findings by name."""
    out = StringIO()
    try:
        call_command("doctor", "--json", stdout=out)
    except SystemExit as end:
        status = int(end.code or 0)
    else:
        status = 0
    document = json.loads(out.getvalue())
    assert document["well"] is (status == 0)
    return status, {finding["name"]: finding for finding in document["findings"]}


def sick(findings: Mapping[str, Any]) -> set[str]:
    return {name for name, finding in findings.items() if not finding["well"]}


@pytest.fixture
def deployment(broker: str, weights: str, settings: Settings) -> str:
    """All is well. The broker's URL."""
    Path(settings.STATE).mkdir(exist_ok=True)
    start_worker(broker, weights, ("chores", "gpu", "default"))
    return broker


def test_a_deployment_in_which_all_is_well(deployment: str) -> None:
    status, findings = doctor()
    assert (status, sick(findings)) == (0, set())
    assert list(findings) == list(examination.QUESTIONS)
    assert not any(finding["advice"] for finding in findings.values())


def test_it_leaves_nothing_behind(deployment: str, settings: Settings) -> None:
    doctor()
    assert default_storage.listdir("doctor") == ([], [])
    folders = (settings.STATE, settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR)
    assert not [path for folder in folders for path in Path(folder).glob(".doctor*")]


def test_without_a_broker_every_question_is_answered_in_plain_words() -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("doctor", stdout=out)
    assert end.value.code == 1
    lines = out.getvalue()
    assert "well  database: The database" in lines
    assert "SICK  broker: ConnectionError" in lines
    assert "      Start the broker (`up` starts its own), or put REDIS_URL right." in lines
    for name in ("workers", "queues", "clock"):
        assert f"SICK  {name}: Not asked: it takes the broker.\n      Put the broker right first." in lines
    assert "Traceback" not in lines


def spoil_weights(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    path = settings.DETECTOR.model_path
    path.write_bytes(path.read_bytes() + b"more")


def late_clock(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(
        examination, "_clocks", lambda: iter([("database", timezone.now() - timedelta(minutes=1))])
    )


def full_disk(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.DISK_RESERVE_BYTES = 1 << 60


def silent_mail_server(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


@pytest.mark.parametrize(
    ("spoil", "name", "said"),
    [
        (spoil_weights, "weights", "NoWeights: "),
        (late_clock, "clock", "This machine's clock differs from that of the database by 60 s."),
        (full_disk, "folders", "There is less"),
        (lambda patch, settings: setattr(settings, "PRODUCTION", True), "mail", "No mail server is set"),
        (silent_mail_server, "mail", "ConnectionRefusedError"),
        (
            lambda patch, settings: patch.setattr(examination, "missing_codecs", lambda: ["hevc"]),
            "codecs",
            "FFmpeg's codecs are missing: hevc.",
        ),
        (lambda patch, settings: Path(settings.MEDIA_ROOT).rmdir(), "folders", "FileNotFoundError"),
    ],
)  # fmt: skip
def test_each_fault_is_found_with_what_to_do(
    deployment: str, monkeypatch: pytest.MonkeyPatch, settings: Settings, spoil: Patch, name: str, said: str
) -> None:
    spoil(monkeypatch, settings)
    status, findings = doctor()
    assert status == 1
    assert name in sick(findings)
    assert findings[name]["said"].startswith(said)
    assert findings[name]["advice"] == examination.QUESTIONS[name].advice


def test_a_queue_that_nobody_serves_is_found(broker: str, weights: str) -> None:
    start_worker(broker, weights, ("chores", "default"))
    assert "queues" not in sick(doctor()[1])
    analysis_queue("gpu").enqueue("analyses.tasks.run_analysis", "x")
    findings = doctor()[1]
    assert findings["queues"]["said"] == "Jobs wait in a queue that no worker takes from: gpu."


def test_a_database_behind_the_code_is_found(deployment: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'analyses' AND id ="
            " (SELECT MAX(id) FROM django_migrations WHERE app = 'analyses')"
        )
    assert sick(doctor()[1]) == {"migrations"}
