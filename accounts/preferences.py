"""The language and the time zone that somebody chose, in force while a page of theirs is made.

The API and files for programs keep to UTC, whoever asks.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone, translation

from accounts.models import User

REGIONS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian",
    "Pacific",
)  # fmt: skip
"""Other names are of offsets, or old ones of the same zones."""
FOR_PROGRAMS = "/api/"

Grouped = list[tuple[str, list[tuple[str, str]]]]


class PreferencesMiddleware:
    """Behind the one that knows the user, and the one that goes by the browser's language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if request.path_info.startswith(FOR_PROGRAMS) or not isinstance(user, User):
            return self.get_response(request)
        with in_zone_of(user), in_language_of(user):
            response = self.get_response(request)
            if response.headers.get("Content-Type", "").startswith("text/html"):
                response.headers.setdefault("Content-Language", translation.get_language())
        return response


def in_zone_of(user: User) -> AbstractContextManager[object]:
    """Times of pages and days in filters are of this zone within, or of the site's where it is unknown."""
    try:
        return timezone.override(ZoneInfo(user.time_zone)) if user.time_zone else nullcontext()
    except (ZoneInfoNotFoundError, ValueError):
        return nullcontext()


def in_language_of(user: User) -> AbstractContextManager[object]:
    """One that the site no longer has is the browser's."""
    known = user.language in dict(settings.LANGUAGES)
    return translation.override(user.language) if known else nullcontext()


@cache
def time_zones() -> Grouped:
    """By region, for a list to choose from."""
    names = sorted(name for name in available_timezones() if name.split("/")[0] in REGIONS)
    return [(region, [_named(name) for name in names if name.split("/")[0] == region]) for region in REGIONS]


def _named(name: str) -> tuple[str, str]:
    return name, name.split("/", 1)[1].replace("_", " ").replace("/", ", ")
