"""The schema at ``/api/schema/`` says what the API does: a machine tries it against the running site."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Scope, User
from accounts.tokens import create_token
from analyses.api import openapi, pages
from analyses.detection import Failure
from analyses.refusals import REFUSALS

SCHEMA = "/api/schema/"
SECONDS = 180
EXAMPLES = "4"


@pytest.fixture
def schema(client: Client, db: None) -> dict[str, Any]:
    found: dict[str, Any] = client.get(SCHEMA).json()
    return found


def test_the_schema_is_openapi(schema: dict[str, Any]) -> None:
    from drf_spectacular.validation import validate_schema

    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert schema["openapi"] == "3.1.0"
    assert set(schema["components"]["securitySchemes"]) == {"token", "session"}


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    def references(node: object) -> list[str]:
        if isinstance(node, list):
            return [found for entry in node for found in references(entry)]
        if not isinstance(node, dict):
            return []
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]

    found = set(references(schema))
    assert "#/components/schemas/ResultDocument" in found
    for reference in found:
        node: Any = schema
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        Draft202012Validator.check_schema(node)


def test_every_operation_needs_a_token_or_a_session_and_tells_its_problems(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["security"] == [{"token": []}, {"session": []}], path
            assert {"401", "403", "404", "405", "429", "500"} <= set(operation["responses"]), (path, method)
            assert operation["description"] or operation["summary"], (path, method)
            refusals = {status: told for status, told in operation["responses"].items() if status >= "400"}
            assert all(told["description"] for told in refusals.values()), (path, method, refusals)


def codes_of(schema: dict[str, Any]) -> dict[str, set[str]]:
    """Those that each operation says it may refuse with."""
    return {
        operation["operationId"]: {
            code
            for status, told in operation["responses"].items()
            if status >= "400"
            for code in told["description"].split(", ")
        }
        for operations in schema["paths"].values()
        for operation in operations.values()
    }


def test_every_operation_names_its_own_codes_and_together_they_name_all(schema: dict[str, Any]) -> None:
    codes = codes_of(schema)
    assert set().union(*codes.values()) == {*REFUSALS, *map(str, Failure)}
    assert {name for name, own in codes.items() if "quota_minutes" in own} == {
        "submit_analysis", "rerun_analysis", "detect", "begin_upload", "send_piece", "send_piece_by_post"
    }  # fmt: skip
    assert {name for name, own in codes.items() if "crashed" in own} == {"detect"}
    assert codes["get_usage"] == {
        "not_authenticated", "bad_token", "forbidden", "not_found", "method_not_allowed", "too_many_requests",
        "server_error",
    }  # fmt: skip


CONFIG = """
hooks = "hooks"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 410, 412, 413, 422, 423, 460]
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 410, 411, 412, 413, 415, 422, 423, 460]
[checks.missing_required_header]
expected-statuses = [400, 401, 403, 404, 412]
[[operations]]
include-operation-id = "begin_upload"
[operations.checks.negative_data_rejection]
expected-statuses = [201, 400, 412, 413]
"""
"""What fits the schema may still be no video, or no piece of an upload that is open. And a header that nobody
knows hurts nobody."""
HOOKS = """
import schemathesis
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@schemathesis.check
def names_the_code(ctx, response, case):
    told = case.operation.definition.raw["responses"].get(str(response.status_code))
    if response.status_code >= 400 and told and case.method == case.operation.method.upper():
        body = response.json()
        code = body["code"] if "code" in body else body["error"]["code"]
        assert code in told["description"].split(", "), code
"""


def test_a_code_that_the_operation_does_not_name_is_noticed() -> None:
    there: dict[str, Any] = {}
    exec(HOOKS, there)
    told = {"responses": {"404": {"description": "not_found, gone"}}}
    operation = SimpleNamespace(definition=SimpleNamespace(raw=told), method="get")
    case = SimpleNamespace(operation=operation, method="GET")
    bodies: list[Any] = [{"code": "gone"}, {"error": {"code": "not_found"}}, {"code": "forbidden"}]
    answers = [SimpleNamespace(status_code=404, json=body.copy) for body in bodies]
    for named in answers[:2]:
        there["names_the_code"](None, named, case)
    with pytest.raises(AssertionError, match="forbidden"):
        there["names_the_code"](None, answers[2], case)


@pytest.fixture
def tester(tmp_path: Path) -> Path:
    """The folder that the machine works in."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    (tmp_path / "hooks.py").write_text(HOOKS)
    return tmp_path


def tried(site: LiveServer, folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """The site, tried by the machine."""
    program = Path(sys.executable).with_name("schemathesis")
    return subprocess.run(
        [str(program), "run", f"{site.url}{SCHEMA}", "--seed", "1", "--no-color", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.usefixtures("installed_weights", "done")
def test_the_site_does_what_its_schema_says(
    live_server: LiveServer, alice: User, settings: Settings, tester: Path
) -> None:
    """No server error, no answer that the schema doesn't name, no body taken that it forbids."""
    settings.API_RATES = dict.fromkeys(settings.API_RATES, (1_000_000, 60))
    settings.DETECT_WAITERS = 0
    _, text = create_token(owner=alice, name="schemathesis", scope=Scope.WRITE)
    header = f"Authorization: Token {text}"
    ran = tried(live_server, tester, "--checks", "all", "--max-examples", EXAMPLES, "--header", header)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "/ 30 total" in ran.stdout, "every operation is tried"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_code_that_an_operation_does_not_name_is_found(
    live_server: LiveServer, tester: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token, where the schema names the other code of the same status alone."""
    monkeypatch.setattr(openapi, "COMMON", [code for code in openapi.COMMON if code != "not_authenticated"])
    monkeypatch.setattr(pages, "_schema", pages._schema.__wrapped__)
    options = ("--checks", "names_the_code", "--include-operation-id", "get_usage", "--max-examples", "1")
    ran = tried(live_server, tester, *options)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "Custom check failed: `names_the_code`" in ran.stdout
