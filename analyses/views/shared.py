"""A result as a share link shows it: read-only, to anybody who has the link, with nothing about its owner.

The token is in the address, so the page sends no referrer, and no cache and no search engine keeps it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from analyses import sharing
from analyses.access import get_share_link
from analyses.views.files import evidence_response, player_address, video_response
from analyses.views.pages import result_context

P = ParamSpec("P")
UNLISTED = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def unlisted(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        for name, value in UNLISTED.items():
            response[name] = value
        return response

    return wrapped


@require_safe
@unlisted
def shared(request: HttpRequest, token: str) -> HttpResponse:
    link = get_share_link(token)
    if request.method == "GET":
        sharing.count_view(link=link)
    analysis = sharing.shared_analysis(link)
    context = {
        "analysis": analysis,
        "link": link,
        "share_token": token,
        "video_url": player_address(reverse("shared_video", args=[token]), analysis.video),
    }
    return render(request, "analyses/shared.html", context | result_context(analysis))


@require_safe
@unlisted
def shared_video(request: HttpRequest, token: str) -> HttpResponseBase:
    return video_response(request, sharing.shared_analysis(get_share_link(token)).video)


@require_safe
@unlisted
def shared_evidence(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    return evidence_response(request, get_share_link(token).analysis, name)
