"""Uploads in pieces by the pages' scripts: the tus protocol, for whoever is logged in."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import User
from analyses import tus
from analyses.access import get_upload
from analyses.models import Upload


def uploads(request: HttpRequest) -> HttpResponse:
    if not isinstance(request.user, User):
        return _logged_out()
    return tus.collection(request, request.user, _address)


def resumable_upload(request: HttpRequest, uuid: UUID) -> HttpResponse:
    if not isinstance(request.user, User):
        return _logged_out()
    return tus.resource(request, get_upload(request.user, uuid), _result)


def _logged_out() -> JsonResponse:
    problem = {
        "code": "logged_out",
        "message": gettext("You are logged out."),
        "hint": gettext("Log in again in another tab, then go on here: what was sent so far is kept."),
    }
    return JsonResponse(problem, status=403)


def _address(upload: Upload) -> str:
    return reverse("upload", args=[upload.uuid])


def _result(upload: Upload) -> str:
    assert upload.analysis is not None
    url = upload.analysis.get_absolute_url()
    return f"{url}?earlier" if upload.analysis.created_at < upload.created_at else url
