"""Errors of the API as problem documents (RFC 9457), out of the one table of refusals."""

import logging
import math
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from analyses.models import Analysis, Video
from analyses.refusals import answer_to, refusal_of
from analyses.services import QuotaExceeded, StillNeeded, UploadRejected
from analyses.storage import StorageAway
from analyses.uploads import is_disk_full

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TYPES = "urn:truthlens:problem:"


class Problem(exceptions.APIException):
    """A refusal with its code in the table. ``detail`` says more about this case."""

    def __init__(self, code: str, detail: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, code)
        self.problem_code = code
        self.problem_detail = detail
        self.headers = dict(headers or {})
        self.errors: dict[str, list[str]] = {}


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response:
    """The framework's exception handler. What nobody foresaw is logged and told in one sentence."""
    problem = problem_from(error)
    return Response(
        problem_document(problem),
        status=refusal_of(problem.problem_code).status,
        headers=problem.headers,
        content_type=CONTENT_TYPE,
    )


def problem_document(problem: Problem) -> dict[str, object]:
    refusal = refusal_of(problem.problem_code)
    document: dict[str, object] = {
        "type": f"{TYPES}{problem.problem_code}",
        "title": refusal.sentence,
        "status": refusal.status,
        "detail": problem.problem_detail or refusal.sentence,
        "code": problem.problem_code,
        "hint": refusal.hint,
    }
    return document | ({"errors": problem.errors} if problem.errors else {})


def problem_from(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, UploadRejected):
        return Problem(str(error.code))
    if isinstance(error, QuotaExceeded):
        answer = answer_to(error)
        return Problem(answer.problem["code"], answer.problem["hint"], headers=answer.headers)
    if isinstance(error, exceptions.ValidationError):
        return _invalid(error)
    code = "disk_full" if is_disk_full(error) else _code_of(error)
    if code == "storage_away":
        logger.error("A request to the API found no storage: %s", error)
        return Problem(code, headers={"Retry-After": "60"})
    if code == "server_error":
        logger.error("A request to the API failed.", exc_info=error)
    return Problem(code, headers=_headers_of(error))


CODES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.NotAuthenticated, "not_authenticated"),
    (exceptions.AuthenticationFailed, "bad_token"),
    (exceptions.MethodNotAllowed, "method_not_allowed"),
    (exceptions.UnsupportedMediaType, "unsupported_media_type"),
    (exceptions.Throttled, "too_many_requests"),
    (exceptions.ParseError, "malformed"),
    (exceptions.NotFound, "not_found"),
    (Http404, "not_found"),
    (Analysis.DoesNotExist, "not_found"),  # deleted since the request began
    (Video.DoesNotExist, "not_found"),
    (PermissionDenied, "forbidden"),
    (RequestDataTooBig, "request_too_large"),
    (SuspiciousOperation, "malformed"),
    (UnreadablePostError, "malformed"),
    (ValidationError, "invalid"),
    (StillNeeded, "on_hold"),
    (StorageAway, "storage_away"),
)


def _code_of(error: Exception) -> str:
    if isinstance(error, exceptions.PermissionDenied):
        code = error.get_codes()
        return code if code in ("csrf_failed", "read_only_token") else "forbidden"
    return next((code for kind, code in CODES if isinstance(error, kind)), "server_error")


def _headers_of(error: Exception) -> dict[str, str]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(error.auth_header)  # type: ignore[attr-defined]
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    return headers


def _invalid(error: exceptions.ValidationError) -> Problem:
    """Names each field with what is wrong with it."""
    details: Any = error.detail
    if not isinstance(details, dict):
        return Problem("invalid", " ".join(map(str, details)))
    errors = {field: [str(said) for said in _flat(found)] for field, found in details.items()}
    field, said = next(iter(errors.items()))
    problem = Problem("invalid", said[0] if field == "non_field_errors" else f"{field}: {said[0]}")
    problem.errors = errors
    return problem


def _flat(found: Any) -> list[Any]:
    if isinstance(found, dict):
        return [entry for value in found.values() for entry in _flat(value)]
    return list(found) if isinstance(found, list) else [found]
