"""The answers to requests that the site can't take. Their pages are in ``templates``, named by status."""

import logging
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views import defaults

from analyses.storage import StorageAway

logger = logging.getLogger(__name__)

TRY_AGAIN_S = 60


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 where a form is larger than the site reads into memory."""
    if isinstance(exception, RequestDataTooBig | TooManyFilesSent):
        return render(request, "413.html", status=413)
    return defaults.bad_request(request, exception)


class StorageAwayMiddleware:
    """503 where the stored files can't be reached; scripts that send pieces of an upload then try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, StorageAway):
            return None
        logger.error("A page found no storage: %s", exception)
        response = render(request, "503.html", status=503)
        response["Retry-After"] = str(TRY_AGAIN_S)
        return response
