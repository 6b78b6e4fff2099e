"""Uploads in pieces by the pages' scripts: the tus protocol, for whoever is logged in."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from accounts.models import User
from analyses import tus
from analyses.access import get_upload
from analyses.models import Upload

LOGGED_OUT = {
    "code": "logged_out",
    "message": "You are logged out.",
    "hint": "Log in again in another tab, then go on here: what was sent so far is kept.",
}


def uploads(request: HttpRequest) -> HttpResponse:
    if not isinstance(request.user, User):
        return JsonResponse(LOGGED_OUT, status=403)
    return tus.collection(request, request.user, _address)


def resumable_upload(request: HttpRequest, uuid: UUID) -> HttpResponse:
    if not isinstance(request.user, User):
        return JsonResponse(LOGGED_OUT, status=403)
    return tus.resource(request, get_upload(request.user, uuid), _result)


def _address(upload: Upload) -> str:
    return reverse("upload", args=[upload.uuid])


def _result(upload: Upload) -> str:
    assert upload.analysis is not None
    url = upload.analysis.get_absolute_url()
    return f"{url}?earlier" if upload.analysis.created_at < upload.created_at else url
