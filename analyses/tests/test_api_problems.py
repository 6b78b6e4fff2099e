"""Whatever goes wrong at the API is told as a problem document out of the one table."""

import json
import logging
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from analyses.api.problems import problem_response
from analyses.detection import FAILURE_SENTENCES, Failure
from analyses.models import Analysis
from analyses.refusals import REFUSALS, refusal_of

pytestmark = pytest.mark.django_db
LIST = "/api/v1/analyses/"


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.content)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:truthlens:problem:{code}")
    assert body["title"] == refusal_of(code).sentence
    assert {"detail", "hint"} <= set(body)
    return body


def test_each_status_has_its_problem(client: Client, api: Client, done: Analysis) -> None:
    assert_problem(client.get(LIST), 401, "not_authenticated")
    assert_problem(client.get(LIST, headers={"Authorization": "Token nonsense"}), 401, "bad_token")
    assert_problem(api.get(f"{LIST}00000000-0000-4000-8000-000000000000/"), 404, "not_found")
    assert_problem(api.put(LIST), 405, "method_not_allowed")
    assert_problem(api.post(LIST, b"x", content_type="text/plain"), 415, "unsupported_media_type")
    url = f"{LIST}{done.uuid}/rerun/"
    assert_problem(api.post(url, b"{", content_type="application/json"), 400, "malformed")
    assert_problem(api.post(url, b"x", content_type="multipart/form-data"), 400, "malformed")


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize("body", ["[]", "7", "null", '"word"', "[[1]]"])
def test_json_that_is_no_object_is_refused(api: Client, done: Analysis, body: str) -> None:
    answer = api.post(f"{LIST}{done.uuid}/rerun/", body, content_type="application/json")
    assert_problem(answer, 400, "invalid")


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize(
    "body", ['{"stability": "true"}', '{"stability": 1}', '{"backbone": 5}', '{"backbone": null}']
)
def test_json_of_the_wrong_type_is_refused(api: Client, done: Analysis, body: str) -> None:
    answer = api.post(f"{LIST}{done.uuid}/rerun/", body, content_type="application/json")
    assert_problem(answer, 400, "invalid")


def test_a_body_that_would_fill_the_memory_is_refused(
    api: Client, done: Analysis, settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"backbone": "x" * 1000})
    answer = api.post(f"{LIST}{done.uuid}/rerun/", body, content_type="application/json")
    assert_problem(answer, 413, "request_too_large")


def test_too_many_fields_are_refused(api: Client, done: Analysis, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    answer = api.post(f"{LIST}{done.uuid}/rerun/", {f"f{number}": "x" for number in range(5)})
    assert_problem(answer, 400, "malformed")


def test_what_nobody_foresaw_is_logged_and_told_without_its_words(
    api: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(user: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("analyses.api.desk.usage_of", fail)
    with caplog.at_level(logging.ERROR):
        answer = api.get("/api/v1/usage/")
    body = assert_problem(answer, 500, "server_error")
    assert "secret" not in json.dumps(body)
    assert "the secret inside" in caplog.text


@pytest.mark.parametrize("code", [*REFUSALS, *map(str, Failure)])
def test_every_code_has_a_sentence_and_a_status(code: str) -> None:
    refusal = refusal_of(code)
    assert 400 <= refusal.status < 600
    assert refusal.sentence.endswith(".")
    assert refusal.hint == "" or refusal.hint.endswith(".")


def test_a_code_means_one_thing() -> None:
    assert not set(REFUSALS) & set(map(str, Failure))
    assert refusal_of("not_video").sentence == FAILURE_SENTENCES[Failure.NOT_VIDEO]


def test_an_error_of_the_framework_without_fields_is_a_problem_too() -> None:
    from rest_framework.exceptions import ValidationError

    response = problem_response(ValidationError(["One.", "Two."]), {})
    assert (response.status_code, response.data["detail"]) == (400, "One. Two.")


def test_what_a_refused_request_still_sends_is_read(client: Client) -> None:
    body = BytesIO(b"x" * 300_000)
    asked: dict[str, Any] = {
        "CONTENT_LENGTH": "300000",
        "CONTENT_TYPE": "multipart/form-data; boundary=b",
        "wsgi.input": body,
    }
    assert client.generic("POST", LIST, **asked).status_code == 401
    assert body.read() == b""
