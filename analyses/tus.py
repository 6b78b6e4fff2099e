"""The tus protocol 1.0 (https://tus.io/protocols/resumable-upload), in front of ``analyses.resumable``.

Core with creation, expiration, termination and checksum. Who asks, and how that is proved, is the caller's:
a page's session or an API's token. Beyond the protocol, a finished upload names its analysis in the header
``Analysis-Location``, and GET tells how far an upload is and what became of it, as JSON.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import TypedDict

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils.http import http_date

from accounts.models import User
from analyses.detection import Failure
from analyses.models import Upload
from analyses.quotas import QuotaExceeded
from analyses.refusals import Answer, answer_to, disk_full, problem_of, too_many_uploads
from analyses.resumable import (
    CHECKSUMS,
    Checksum,
    ChecksumMismatch,
    Piece,
    TooLong,
    TooManyOpen,
    UploadBusy,
    WrongOffset,
    begin_upload,
    discard_upload,
    receive_piece,
)
from analyses.services import UploadGone
from analyses.uploads import UploadRejected, is_disk_full

VERSION = "1.0.0"
EXTENSIONS = ("creation", "expiration", "termination", "checksum")
PIECE_TYPE = "application/offset+octet-stream"
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)
_FAULTS: dict[type[Exception], tuple[int, str]] = {
    WrongOffset: (409, "The piece does not begin where the last one ended."),
    UploadGone: (410, "Nothing more of this upload is taken."),
    TooLong: (413, "The piece is longer than what is missing."),
    UploadBusy: (423, "Another request writes to this upload."),
    ChecksumMismatch: (460, "The piece does not have this checksum."),
}

Handler = Callable[[HttpRequest], HttpResponse]


class Asked(TypedDict):
    name: str
    backbone: str
    stability: bool


class BadRequest(Exception):
    """A request that the protocol doesn't allow, with the status that it gets."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def collection(request: HttpRequest, owner: User, location: Callable[[Upload], str]) -> HttpResponse:
    """Where uploads begin. ``location`` gives a new upload's address."""

    def create(request: HttpRequest) -> HttpResponse:
        upload = begin_upload(owner=owner, size=_length(request), **_asked(request))
        response = HttpResponse(status=201)
        response["Location"] = location(upload)
        return _with_expiry(response, upload)

    return _answer(request, {"OPTIONS": _options, "POST": create})


def resource(request: HttpRequest, upload: Upload, result: Callable[[Upload], str]) -> HttpResponse:
    """One upload. ``result`` gives the address of the analysis that a finished one became."""

    def head(request: HttpRequest) -> HttpResponse:
        if not upload.is_open and upload.analysis is None:
            raise UploadGone
        response = HttpResponse()
        response["Upload-Length"] = str(upload.size_bytes)
        return _described(response, upload, result)

    def patch(request: HttpRequest) -> HttpResponse:
        received = receive_piece(upload=upload, piece=_piece(request))
        return _described(HttpResponse(status=204), received, result)

    def delete(request: HttpRequest) -> HttpResponse:
        discard_upload(upload=upload)
        return HttpResponse(status=204)

    def get(request: HttpRequest) -> HttpResponse:
        return JsonResponse(state_of(upload, result))

    handlers = {"OPTIONS": _options, "HEAD": head, "PATCH": patch, "DELETE": delete, "GET": get}
    return _answer(request, handlers)


def state_of(upload: Upload, result: Callable[[Upload], str]) -> dict[str, object]:
    """What a client may want to know of an upload that the protocol has no words for."""
    return {
        "uuid": str(upload.uuid),
        "name": upload.original_name,
        "size": upload.size_bytes,
        "received": upload.received_bytes,
        "open": upload.is_open,
        "url": result(upload) if upload.analysis else None,
        "problem": problem_of(Failure(upload.refusal)) if upload.refusal else None,
    }


def _answer(request: HttpRequest, handlers: Mapping[str, Handler]) -> HttpResponse:
    method = request.method or ""
    if method == "POST":  # never of a GET, which needs no proof that the page is ours
        method = request.headers.get("X-HTTP-Method-Override", method).upper()
    handler = handlers.get(method)
    response = _handled(request, handler, method) if handler else HttpResponseNotAllowed(handlers)
    response["Tus-Resumable"] = VERSION
    response["Cache-Control"] = "no-store"
    return response


def _handled(request: HttpRequest, handler: Handler, method: str) -> HttpResponse:
    if method not in ("OPTIONS", "GET") and request.headers.get("Tus-Resumable") != VERSION:
        return _fault(412, f"This is tus {VERSION}.", {"Tus-Version": VERSION})
    try:
        return handler(request)
    except BadRequest as wrong:
        return _fault(wrong.status, str(wrong))
    except (UploadRejected, QuotaExceeded) as error:
        return _refused(answer_to(error))
    except TooManyOpen:
        return _refused(too_many_uploads())
    except tuple(_FAULTS) as error:
        return _fault(*_FAULTS[type(error)])
    except (OSError, OperationalError) as error:
        if not is_disk_full(error):
            raise
        return _refused(disk_full())


def _refused(refusal: Answer) -> JsonResponse:
    return JsonResponse(refusal.problem, status=refusal.status, headers=refusal.headers)


def _fault(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    kind = "text/plain; charset=utf-8"
    return HttpResponse(sentence, status=status, content_type=kind, headers=dict(headers or {}))


def _options(request: HttpRequest) -> HttpResponse:
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(settings.MAX_VIDEO_SIZE_BYTES),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }
    return HttpResponse(status=204, headers=headers)


def _described(response: HttpResponse, upload: Upload, result: Callable[[Upload], str]) -> HttpResponse:
    response["Upload-Offset"] = str(upload.received_bytes)
    if upload.analysis is None:
        return _with_expiry(response, upload)
    response["Analysis-Location"] = result(upload)
    return response


def _with_expiry(response: HttpResponse, upload: Upload) -> HttpResponse:
    response["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    return response


def _length(request: HttpRequest) -> int:
    if "Upload-Defer-Length" in request.headers:
        raise BadRequest(400, "The length must be known from the beginning.")
    return _number(request, "Upload-Length", 400)


def _piece(request: HttpRequest) -> Piece:
    if request.content_type != PIECE_TYPE:
        raise BadRequest(415, f"A piece is {PIECE_TYPE}.")
    return Piece(
        offset=_number(request, "Upload-Offset", 400),
        length=_number(request, "Content-Length", 411),
        source=request,
        checksum=_checksum(request.headers.get("Upload-Checksum")),
    )


def _number(request: HttpRequest, header: str, status: int) -> int:
    word = request.headers.get(header, "")
    if not _NUMBER.fullmatch(word):
        raise BadRequest(status, f"{header} must be a whole number.")
    return int(word)


def _checksum(header: str | None) -> Checksum | None:
    if header is None:
        return None
    algorithm, _, encoded = header.partition(" ")
    if algorithm not in CHECKSUMS:
        raise BadRequest(400, f"Checksums are {' or '.join(CHECKSUMS)}.")
    return Checksum(algorithm, _decoded(encoded, "Upload-Checksum"))


def _asked(request: HttpRequest) -> Asked:
    """What the metadata say of the file, and what its analysis is asked for."""
    found = {
        name: _decoded(value.strip(), "Upload-Metadata").decode("utf-8", "replace")
        for name, _, value in (
            pair.strip().partition(" ") for pair in request.headers.get("Upload-Metadata", "").split(",")
        )
    }
    return {
        "name": found.get("filename", ""),
        "backbone": found.get("backbone", ""),
        "stability": found.get("stability", "") in ("true", "on"),
    }


def _decoded(encoded: str, header: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(400, f"{header} is not well-formed.") from error
