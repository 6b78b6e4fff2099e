"""Every request has a name, which its answer and all log lines about it carry, and is counted."""

import logging
import re
from collections.abc import Callable
from time import perf_counter
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.log import log_response

from analyses.log_context import REQUEST, bound
from truthlens_site.request_metrics import count

HEADER = "X-Request-ID"
NO_VIEW = "none"
_ALLOWED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
"""What is taken from outside; anything else, such as a line break or an e-mail address, gets a new name."""

logger = logging.getLogger(__name__)


class RequestMiddleware:
    """Takes the name that a proxy gave the request, or makes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name = request_id(request.headers.get(HEADER, ""))
        began = perf_counter()
        with bound({REQUEST: name}):
            response = self.get_response(request)
            _told(request, response, perf_counter() - began)
        response.headers[HEADER] = name
        return response


def request_id(given: str) -> str:
    return given if _ALLOWED.fullmatch(given) else uuid4().hex


def view_name(request: HttpRequest) -> str:
    """The address's name, never the address: that may hold tokens, and too many values to count by."""
    match = request.resolver_match
    return (match.view_name or NO_VIEW) if match else NO_VIEW


def _told(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    view, status = view_name(request), response.status_code
    count(method=request.method or "", view=view, status=status, seconds=seconds)
    figures = {"method": request.method, "view": view, "status": status, "ms": round(1000 * seconds)}
    logger.info("%s %s: %d", request.method, view, status, extra={"figures": figures})
    if status >= 400 and isinstance(
        response, HttpResponse
    ):  # Django would say the same, and no longer know the request's name
        log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
