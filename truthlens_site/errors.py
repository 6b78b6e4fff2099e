"""The answers to requests that the site can't take. Their pages are in ``templates``, named by status."""

from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 where a form is larger than the site reads into memory."""
    if isinstance(exception, RequestDataTooBig | TooManyFilesSent):
        return render(request, "413.html", status=413)
    return defaults.bad_request(request, exception)
