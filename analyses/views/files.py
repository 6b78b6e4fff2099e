"""Downloads and media of an analysis. A stranger gets 404 for these as for the page."""

from collections.abc import Callable
from typing import IO
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from analyses import exports
from analyses.access import get_analysis, get_listed_analysis
from analyses.archive import evidence_zip
from analyses.detection import HEAD_BYTES, container_of
from analyses.evidence import evidence_place, open_evidence, open_thumbnail, thumbnail_place
from analyses.media import content_type_of, ranged_response, signed_redirect
from analyses.models import Analysis, Video
from analyses.pdf.document import NoResult, report_pdf
from analyses.views.requests import UserRequest

ORIGINAL = "original"
NOT_FINISHED = _("This analysis has not finished, so there is nothing to download yet.")
NO_RESULT = _("This analysis ended without a result, so there is no report of it.")


@login_required
@require_safe
def analysis_json(request: UserRequest, uuid: UUID) -> HttpResponseBase:
    return _download(get_analysis(request.user, uuid), "json", _as_json)


@login_required
@require_safe
def analysis_csv(request: UserRequest, uuid: UUID) -> HttpResponseBase:
    return _download(get_analysis(request.user, uuid), "csv", _as_csv)


@login_required
@require_safe
def analysis_pdf(request: UserRequest, uuid: UUID) -> HttpResponseBase:
    return _download(get_analysis(request.user, uuid), "pdf", _as_pdf)


@login_required
@require_safe
def analysis_zip(request: UserRequest, uuid: UUID) -> HttpResponseBase:
    return _download(get_analysis(request.user, uuid), "zip", _as_zip)


@login_required
@require_safe
def analysis_video(request: UserRequest, uuid: UUID) -> HttpResponseBase:
    return video_response(request, get_analysis(request.user, uuid).video)


@login_required
@require_safe
@cache_control(private=True, max_age=3600)
def analysis_evidence(request: UserRequest, uuid: UUID, name: str) -> HttpResponseBase:
    return evidence_response(request, get_analysis(request.user, uuid), name)


@login_required
@require_safe
@cache_control(private=True, max_age=86400)
def analysis_thumbnail(request: UserRequest, uuid: UUID) -> HttpResponseBase:
    analysis = get_listed_analysis(request.user, uuid)
    try:
        place = thumbnail_place(analysis)
        redirect = signed_redirect(request, default_storage, place, "thumbnail.jpg")
        file = None if redirect else open_thumbnail(analysis)
    except LookupError as error:
        raise Http404 from error
    return redirect or FileResponse(file, content_type=content_type_of("jpg"), filename="thumbnail.jpg")


def player_address(address: str, video: Video) -> str:
    """Of what a player plays now. A player fetches a file piece by piece, so when a copy takes its place
    on the way, the rest must still come from the file that it began with."""
    return address if video.proxy else f"{address}?{ORIGINAL}"


def video_response(request: HttpRequest, video: Video) -> HttpResponseBase:
    """The copy that browsers can play where one was made, else or when asked the file as it was uploaded."""
    is_copy = bool(video.proxy) and ORIGINAL not in request.GET
    file = video.proxy if is_copy else video.file
    if not file:
        raise Http404
    name = f"{_stem(video.original_name)}.mp4" if is_copy else video.original_name
    redirect = signed_redirect(request, file.storage, file.name or "", name)
    if redirect is not None:
        return redirect
    try:
        opened = file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    container = "mp4" if is_copy else _container(opened)
    return ranged_response(request, opened, content_type_of(container), name)


def evidence_response(request: HttpRequest, analysis: Analysis, name: str) -> HttpResponseBase:
    """Raises Http404 for an image that the result doesn't name."""
    try:
        redirect = signed_redirect(request, default_storage, evidence_place(analysis, name), name)
        file = None if redirect else open_evidence(analysis, name)
    except LookupError as error:
        raise Http404 from error
    kind = content_type_of(name.rsplit(".", 1)[-1])
    return redirect or FileResponse(file, content_type=kind, filename=name)


def _container(file: IO[bytes]) -> str:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return container_of(head)


def _as_json(analysis: Analysis) -> HttpResponseBase:
    return HttpResponse(exports.result_bytes(analysis), content_type="application/json")


def _as_csv(analysis: Analysis) -> HttpResponseBase:
    return StreamingHttpResponse(exports.frames_csv(analysis), content_type="text/csv; charset=utf-8")


def _as_pdf(analysis: Analysis) -> HttpResponseBase:
    return HttpResponse(report_pdf(analysis), content_type="application/pdf")


def _as_zip(analysis: Analysis) -> HttpResponseBase:
    return StreamingHttpResponse(evidence_zip(analysis), content_type="application/zip")


def _download(
    analysis: Analysis, extension: str, export: Callable[[Analysis], HttpResponseBase]
) -> HttpResponseBase:
    try:
        response = export(analysis)
    except exports.NotFinished:
        return _nothing(gettext(NOT_FINISHED))
    except NoResult:
        return _nothing(gettext(NO_RESULT))
    name = f"{_stem(analysis.video.original_name)}-truthlens.{extension}"
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "private, no-store"
    return response


def _nothing(sentence: str) -> HttpResponse:
    return HttpResponse(sentence, status=409, content_type="text/plain; charset=utf-8")


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0] or "video"
