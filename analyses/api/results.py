"""What came out: the result document, its frames in pages, the downloads, the evidence images.

A result never changes, so each of these has an ETag, apart from the ZIP, which is made while it is sent.
"""

import hashlib
from pathlib import PurePosixPath
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from analyses import exports
from analyses.access import get_analysis
from analyses.api.answers import retry_after
from analyses.api.base import ApiRequest, ApiView
from analyses.api.openapi import BINARY, DOCUMENT, IF_NONE_MATCH, UNCHANGED
from analyses.api.problems import Problem
from analyses.api.serializers import FrameQuery, FramesDocument
from analyses.archive import evidence_zip
from analyses.detection import Document
from analyses.evidence import evidence_names
from analyses.models import Analysis
from analyses.pdf.document import NoResult, report_pdf
from analyses.views.files import evidence_response


class ResultView(ApiView):
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("not_finished",)}

    @extend_schema(operation_id="get_result", parameters=[IF_NONE_MATCH], responses={**DOCUMENT, **UNCHANGED})
    def get(self, request: ApiRequest, uuid: UUID) -> HttpResponseBase:
        """The result document; of an analysis that failed, the document that says why."""
        return unless_unchanged(request, Response(result_of(get_analysis(request.user, uuid))))


class FramesView(ApiView):
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("not_finished",)}

    @extend_schema(
        operation_id="get_frames",
        parameters=[FrameQuery, IF_NONE_MATCH],
        responses={200: FramesDocument, **UNCHANGED},
    )
    def get(self, request: ApiRequest, uuid: UUID) -> HttpResponseBase:
        """The scored frames, page by page."""
        query = FrameQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        frames = result_of(get_analysis(request.user, uuid)).get("frames", [])
        page = _page(request.path, frames, **query.validated_data)
        return unless_unchanged(request, Response(page))


class JsonView(ApiView):
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("not_finished",)}

    @extend_schema(
        operation_id="download_json", parameters=[IF_NONE_MATCH], responses={**DOCUMENT, **UNCHANGED}
    )
    def get(self, request: ApiRequest, uuid: UUID) -> HttpResponseBase:
        """The result document as a file."""
        analysis = get_analysis(request.user, uuid)
        result_of(analysis)
        response = HttpResponse(exports.result_bytes(analysis), content_type="application/json")
        return _download(request, analysis, response, "json")


class CsvView(ApiView):
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("not_finished",)}

    @extend_schema(
        operation_id="download_csv",
        parameters=[IF_NONE_MATCH],
        responses={(200, "text/csv"): str, **UNCHANGED},
    )
    def get(self, request: ApiRequest, uuid: UUID) -> HttpResponseBase:
        """The scored frames as a table."""
        analysis = get_analysis(request.user, uuid)
        result_of(analysis)
        response = HttpResponse(exports.frames_csv(analysis), content_type="text/csv; charset=utf-8")
        return _download(request, analysis, response, "csv")


class PdfView(ApiView):
    costs: ClassVar[dict[str, str]] = {"GET": "write"}
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("not_finished", "no_result", "storage_away")}

    @extend_schema(
        operation_id="download_pdf",
        parameters=[IF_NONE_MATCH],
        responses={(200, "application/pdf"): BINARY, **UNCHANGED},
    )
    def get(self, request: ApiRequest, uuid: UUID) -> HttpResponseBase:
        """The report, with the result document inside."""
        analysis = get_analysis(request.user, uuid)
        result_of(analysis)
        try:
            response = HttpResponse(report_pdf(analysis), content_type="application/pdf")
        except NoResult as error:
            raise Problem("no_result") from error
        return _download(request, analysis, response, "pdf")


class ZipView(ApiView):
    costs: ClassVar[dict[str, str]] = {"GET": "write"}
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("not_finished", "no_result")}

    @extend_schema(operation_id="download_zip", responses={(200, "application/zip"): BINARY})
    def get(self, request: ApiRequest, uuid: UUID) -> HttpResponseBase:
        """All evidence: report, result, scored frames, pictures, and their SHA-256 sums."""
        analysis = get_analysis(request.user, uuid)
        result_of(analysis)
        try:
            response = StreamingHttpResponse(evidence_zip(analysis), content_type="application/zip")
        except NoResult as error:
            raise Problem("no_result") from error
        response["Content-Disposition"] = _disposition(analysis, "zip")
        return response


class EvidenceView(ApiView):
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"GET": ("storage_away",)}

    @extend_schema(
        operation_id="get_evidence",
        parameters=[IF_NONE_MATCH],
        responses={(200, "image/jpeg"): BINARY, (200, "image/png"): BINARY, **UNCHANGED},
    )
    def get(self, request: ApiRequest, uuid: UUID, name: str) -> HttpResponseBase:
        """A picture of a face that the result names, or its heatmap."""
        analysis, etag = get_analysis(request.user, uuid), f'"{uuid.hex}-{name}"'
        if name in evidence_names(analysis) and (unchanged := _unchanged(request, etag)):
            return unchanged
        return _tagged(evidence_response(request._request, analysis, name), etag)


def result_of(analysis: Analysis) -> Document:
    """Raises :class:`Problem` while it waits or runs."""
    try:
        return exports.result_json(analysis)
    except exports.NotFinished as error:
        raise Problem("not_finished", headers={"Retry-After": retry_after(analysis)}) from error


def unless_unchanged(request: ApiRequest, response: Response) -> HttpResponseBase:
    etag = _etag(JSONRenderer().render(response.data))
    return _unchanged(request, etag) or _tagged(response, etag)


def _download(
    request: ApiRequest, analysis: Analysis, response: HttpResponse, extension: str
) -> HttpResponseBase:
    response["Content-Disposition"] = _disposition(analysis, extension)
    etag = _etag(response.content)
    return _unchanged(request, etag) or _tagged(response, etag)


def _disposition(analysis: Analysis, extension: str) -> str:
    name = f"{PurePosixPath(analysis.video.original_name).stem}-truthlens.{extension}"
    return content_disposition_header(True, name) or "attachment"


def _unchanged(request: ApiRequest, etag: str) -> HttpResponseBase | None:
    """304 where the client has it already."""
    response = get_conditional_response(request._request, etag=etag)
    return None if response is None else _tagged(response, etag)


def _tagged(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response["ETag"] = etag
    return response


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _page(path: str, frames: list[Any], *, offset: int, limit: int) -> dict[str, object]:
    def at(start: int) -> str:
        return f"{path}?offset={start}&limit={limit}"

    return {
        "count": len(frames),
        "next": at(offset + limit) if offset + limit < len(frames) else None,
        "previous": at(max(0, offset - limit)) if offset else None,
        "results": frames[offset : offset + limit],
    }
