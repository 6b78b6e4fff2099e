"""Uploads in pieces with a token: the tus protocol, errors told as everywhere in the API."""

import json
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema

from analyses import tus
from analyses.access import get_upload
from analyses.api.base import OF_ANALYSES, OF_FILES, ApiRequest, ApiView
from analyses.api.openapi import BINARY
from analyses.api.problems import CONTENT_TYPE, Problem, problem_document
from analyses.api.serializers import UploadDocument, address_of
from analyses.models import Upload

CODES = {
    400: "malformed",
    405: "method_not_allowed",
    409: "wrong_offset",
    410: "upload_gone",
    411: "length_required",
    412: "wrong_tus_version",
    413: "request_too_large",
    415: "unsupported_media_type",
    423: "upload_busy",
    460: "checksum_mismatch",
}
ON_PIECES = (*CODES.values(), *OF_FILES, *OF_ANALYSES)
KEPT_HEADERS = ("Tus-Resumable", "Tus-Version", "Cache-Control", "Allow")


def _header(name: str, kind: Any = str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, **{"required": True, **options})


TUS = _header("Tus-Resumable", enum=[tus.VERSION])
LENGTH = _header("Upload-Length", {"type": "integer", "minimum": 1})
OFFSET = _header("Upload-Offset", {"type": "integer", "minimum": 0})
METADATA = _header(
    "Upload-Metadata", required=False, description="filename, backbone, stability; the values in base64."
)
CHECKSUM = _header(
    "Upload-Checksum", required=False, description="sha1 or sha256, a space, and the digest in base64."
)
OVERRIDE = _header("X-HTTP-Method-Override", enum=["PATCH", "DELETE"])


class UploadsView(ApiView):
    http_method_names = ("post", "options")
    costs: ClassVar[dict[str, str]] = {"POST": "upload"}
    problems: ClassVar[dict[str, tuple[str, ...]]] = {
        "POST": (
            "malformed", "wrong_tus_version", "empty", "too_large", "quota_storage", "too_many_uploads",
            "disk_full", *OF_ANALYSES,
        )
    }  # fmt: skip

    @extend_schema(
        operation_id="begin_upload",
        parameters=[TUS, LENGTH, METADATA],
        request=None,
        responses={201: None},
    )
    def post(self, request: ApiRequest) -> HttpResponse:
        """Begin an upload in pieces (tus 1.0). The metadata may hold filename, backbone and stability."""
        return told(tus.collection(request._request, request.user, _address))

    @extend_schema(exclude=True)
    def options(self, request: ApiRequest) -> HttpResponse:  # type: ignore[override]
        return tus.collection(request._request, request.user, _address)


class UploadView(ApiView):
    http_method_names = ("get", "head", "post", "patch", "delete", "options")
    costs: ClassVar[dict[str, str]] = {"PATCH": "read", "POST": "read"}
    problems: ClassVar[dict[str, tuple[str, ...]]] = {
        "PATCH": ON_PIECES,
        "POST": ON_PIECES,
        "DELETE": ("wrong_tus_version",),
    }

    @extend_schema(operation_id="get_upload", responses={200: UploadDocument})
    def get(self, request: ApiRequest, uuid: UUID) -> HttpResponse:
        """How far an upload is, and what became of it."""
        return self.answer(request, uuid)

    @extend_schema(
        operation_id="send_piece",
        parameters=[TUS, OFFSET, CHECKSUM],
        request={tus.PIECE_TYPE: BINARY},
        responses={204: None},
    )
    def patch(self, request: ApiRequest, uuid: UUID) -> HttpResponse:
        """Send the next piece. After the last one Analysis-Location names the analysis."""
        return self.answer(request, uuid)

    @extend_schema(operation_id="discard_upload", parameters=[TUS], request=None, responses={204: None})
    def delete(self, request: ApiRequest, uuid: UUID) -> HttpResponse:
        """Forget an upload. The analysis that came of it stays."""
        return self.answer(request, uuid)

    @extend_schema(exclude=True)
    def head(self, request: ApiRequest, uuid: UUID) -> HttpResponse:
        return self.answer(request, uuid)

    @extend_schema(
        operation_id="send_piece_by_post",
        parameters=[TUS, OVERRIDE],
        request={tus.PIECE_TYPE: BINARY},
        responses={204: None},
    )
    def post(self, request: ApiRequest, uuid: UUID) -> HttpResponse:
        """For clients that can send no PATCH: X-HTTP-Method-Override."""
        return self.answer(request, uuid)

    @extend_schema(exclude=True)
    def options(self, request: ApiRequest, uuid: UUID) -> HttpResponse:  # type: ignore[override]
        return self.answer(request, uuid)

    def answer(self, request: ApiRequest, uuid: UUID) -> HttpResponse:
        return told(tus.resource(request._request, get_upload(request.user, uuid), _result))


def told(response: HttpResponse) -> HttpResponse:
    """An error of the protocol as a problem document."""
    if response.status_code < 400:
        return response
    document = problem_document(_problem_of(response)) | {"status": response.status_code}
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    content = json.dumps(document)
    return HttpResponse(content, status=response.status_code, content_type=CONTENT_TYPE, headers=headers)


def _problem_of(response: HttpResponse) -> Problem:
    if response["Content-Type"] == "application/json":
        told = json.loads(response.content)
        return Problem(told["code"], told["hint"] if told["code"].startswith("quota_") else "")
    return Problem(CODES[response.status_code], response.content.decode())


def _address(upload: Upload) -> str:
    return reverse("api_upload", args=[upload.uuid])


def _result(upload: Upload) -> str:
    assert upload.analysis is not None
    return address_of(upload.analysis)
