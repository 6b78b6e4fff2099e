"""Answers that several views give: an analysis, accepted or there already, and one that is given once."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework.response import Response

from analyses.api.base import ApiRequest
from analyses.api.problems import Problem
from analyses.api.serializers import AnalysisDocument, address_of
from analyses.idempotency import KEY_LENGTH, Answer, KeyInUse, KeyReused, answer_once
from analyses.models import Analysis
from analyses.remaining import seconds_left
from analyses.uploads import sha256_of

SOONEST_S, LATEST_S = 2, 60
"""When to ask again for an analysis that is under way."""
KEPT_HEADERS = ("Location", "Retry-After", "Preference-Applied")


def analysis_answer(analysis: Analysis) -> Response:
    """202 while it waits or runs, 200 once it has ended."""
    response = Response(AnalysisDocument(analysis).data, status=200 if analysis.is_finished else 202)
    response["Location"] = address_of(analysis)
    if not analysis.is_finished:
        response["Retry-After"] = retry_after(analysis)
    return response


def retry_after(analysis: Analysis) -> str:
    return f"{min(LATEST_S, max(SOONEST_S, seconds_left(analysis) or 0)):.0f}"


def once(request: ApiRequest, sent: Any, act: Callable[[], Response]) -> Response:
    """What ``act`` answers; with an Idempotency-Key that was sent before, what it answered then."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return act()
    if len(key) > KEY_LENGTH or not key.isprintable():
        raise Problem("invalid", f"Idempotency-Key is at most {KEY_LENGTH} printable characters.")
    try:
        answer, replayed = answer_once(
            owner=request.user,
            key=key,
            fingerprint=fingerprint_of(request, sent),
            act=lambda: _answer_of(act()),
        )
    except KeyReused as error:
        raise Problem("key_reused") from error
    except KeyInUse as error:
        raise Problem("key_in_use", headers={"Retry-After": str(SOONEST_S)}) from error
    response = Response(answer.body, status=answer.status, headers=answer.headers)
    if replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def fingerprint_of(request: ApiRequest, sent: Any) -> str:
    """Of what is asked for, not of how a client happens to part a multipart body."""
    fields = {name: [_plain(value) for value in _values(sent, name)] for name in sorted(sent)}
    asked = [request.method, request.get_full_path(), fields]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _values(sent: Any, name: str) -> list[Any]:
    return list(sent.getlist(name)) if hasattr(sent, "getlist") else [sent[name]]


def _plain(value: Any) -> Any:
    return [value.name, sha256_of(value)] if isinstance(value, UploadedFile) else value


def _answer_of(response: Response) -> Answer:
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    return Answer(response.status_code, headers, response.data)
