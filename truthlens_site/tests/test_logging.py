"""Lines of the log: for people or for machines, and never with what no log may keep."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from logging.config import dictConfig
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from analyses.log_context import ANALYSIS, REQUEST, bound, current
from analyses.models import Analysis
from analyses.tests.factories import MP4_BYTES
from truthlens_site.logging import JsonFormatter, LineFormatter, log_settings, scrubbed
from truthlens_site.reporting import cleaned_report

STORED = "videos/0123456789abcdef0123456789abcdef.mp4"
SECRETS = [
    ("GET /shared/SECRET/", "GET /shared/[hidden]/"),
    ("Not Found: /shared/SECRET/evidence/1.png", "Not Found: /shared/[hidden]/evidence/1.png"),
    ('"GET /shared/SECRET?x=1"', '"GET /shared/[hidden]?x=1"'),
    ("at /shared/SECRET", "at /shared/[hidden]"),
    ("Not Found: /account/join/SECRET/", "Not Found: /account/join/[hidden]/"),
    ("/accounts/confirm-email/Mg:SECRET:x/", "/accounts/confirm-email/[hidden]/"),
    ("/accounts/password/reset/key/1-SECRET/", "/accounts/password/reset/key/[hidden]/"),
    ("no letter to alice.b+c@example.org.", "no letter to [address]"),
    ("<admin@localhost>", "<[address]>"),
    ("postgres://lens:password@db:5432/x", "postgres://lens:[address]:5432/x"),
    ("'minister.MOV' is broken", "'[file]' is broken"),
    (f"{STORED} is missing", f"{STORED} is missing"),
    ("version 2.12.0 of rq", "version 2.12.0 of rq"),
]


def record(message: str, *arguments: object, **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord(
        "x", logging.WARNING, __file__, 1, message, arguments, fields.pop("exc_info", None)
    )
    vars(made).update(fields)
    return made


@pytest.mark.parametrize(("line", "written"), SECRETS)
def test_no_line_keeps_a_secret_an_address_or_a_name(line: str, written: str) -> None:
    assert LineFormatter("%(message)s").format(record("%s", line)) == written
    assert json.loads(JsonFormatter().format(record("%s", line)))["message"] == written


def test_a_traceback_is_cleaned_too() -> None:
    try:
        raise ValueError("/shared/SECRET/video of bob@example.org")
    except ValueError as error:
        failed = record("failed", exc_info=(type(error), error, error.__traceback__))
    end = "ValueError: /shared/[hidden]/video of [address]"
    assert LineFormatter("%(message)s").format(failed).endswith(end)
    assert json.loads(JsonFormatter().format(failed))["exception"].endswith(end)


def test_a_line_says_what_it_is_about() -> None:
    with bound({REQUEST: "r-1", ANALYSIS: None}), bound({ANALYSIS: "a-1"}):
        assert LineFormatter("%(message)s").format(record("done")) == "done request_id=r-1 analysis_id=a-1"
        entry = json.loads(JsonFormatter().format(record("done\nin two lines", figures={"ms": 3})))
    assert current() == {}
    assert (entry["request_id"], entry["analysis_id"], entry["ms"]) == ("r-1", "a-1", 3)
    assert (entry["level"], entry["logger"], entry["message"]) == ("WARNING", "x", "done\nin two lines")


@pytest.mark.parametrize(("form", "formatter"), [("text", LineFormatter), ("json", JsonFormatter)])
def test_every_line_of_the_site_is_written_so(form: str, formatter: type) -> None:
    made = log_settings("INFO", form)
    assert {handler["formatter"] for handler in made["handlers"].values()} == {"line"}
    assert made["formatters"]["line"]["()"] is formatter


@pytest.fixture
def json_log() -> Iterator[StringIO]:
    """What a site with LOG_FORMAT=json writes."""
    stream = StringIO()
    made = log_settings("DEBUG", "json")
    made["handlers"]["stderr"]["stream"] = stream
    dictConfig(made)
    yield stream
    dictConfig(settings.LOGGING)


def lines(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("weights")
def test_an_upload_leaves_nothing_of_whose_it_is_in_the_log(alice_client: Client, json_log: StringIO) -> None:
    upload = SimpleUploadedFile("the minister.mp4", MP4_BYTES)
    alice_client.post("/analyses/new/", {"video": upload}, headers={"X-Request-ID": "proxy-0001"})
    analysis = Analysis.objects.get()
    alice_client.get("/analyses/", {"q": "the minister"})
    alice_client.get(f"/analyses/{analysis.uuid}/nothing-of-alice@example.org")
    (told, *_) = [line for line in lines(json_log) if line["logger"] == "truthlens_site.requests"]
    assert (told["view"], told["status"], told["request_id"]) == ("analysis_new", 302, "proxy-0001")
    (missed,) = [line for line in lines(json_log) if line["message"].startswith("Not Found")]
    assert len(missed["request_id"]) == 32
    waits = [line for line in lines(json_log) if line["message"].startswith("Job ")]
    assert [line["request_id"] for line in waits] == ["proxy-0001"], (
        "the job goes on under its request's name"
    )
    for word in ("alice", "minister"):
        assert word not in json_log.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["proxy-0001", "0123456789abcdef0123456789abcdef"])
def test_a_request_keeps_the_name_that_a_proxy_gave_it(client: Client, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "line\nbreak-line", "alice@example.org", "ünïcode-name"]
)
def test_any_other_name_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/no/such/page", headers={"X-Request-ID": given})
    assert answer.status_code == 404
    assert len(answer["X-Request-ID"]) == 32
    assert client.get("/healthz")["X-Request-ID"] != answer["X-Request-ID"]


def test_a_report_to_sentry_carries_where_it_broke_and_not_for_whom(settings: Settings) -> None:
    report = {
        "user": {"email": "alice@example.org"},
        "request": {"method": "POST", "url": "https://x/shared/SECRET", "data": {"name": "minister.mp4"}},
        "extra": {"sys.argv": ["alice@example.org"]},
        "exception": {"values": [{"type": "ValueError", "value": "minister.mp4 of alice@example.org"}]},
        "level": "error",
    }
    with bound({REQUEST: "r-1"}):
        cleaned = cleaned_report(report)
    assert cleaned["request"] == {"method": "POST"}
    assert cleaned["exception"] == {"values": [{"type": "ValueError", "value": "[file] of [address]"}]}
    assert cleaned["tags"]["request_id"] == "r-1"
    for word in ("alice", "minister", "SECRET"):
        assert word not in str(cleaned)
    assert scrubbed("nothing of the kind") == "nothing of the kind"
