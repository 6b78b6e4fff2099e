"""Stored files over HTTP, with the byte ranges that a video player asks for when it seeks."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

BLOCK_BYTES = 256 * 1024
CONTENT_TYPES = {
    "mp4": "video/mp4",
    "avi": "video/x-msvideo",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "jpg": "image/jpeg",
    "png": "image/png",
}
UNKNOWN_TYPE = "application/octet-stream"
CONFINED = "default-src 'none'; media-src 'self'; sandbox"
"""Whatever the bytes are taken for, they run nothing and reach nothing."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class RangeNotSatisfiable(ValueError):
    """The range begins behind the end of the file."""


def content_type_of(kind: str) -> str:
    """From our own table, by container or file extension; never from the user's word."""
    return CONTENT_TYPES.get(kind.lower(), UNKNOWN_TYPE)


def ranged_response(
    request: HttpRequest, file: "File[bytes]", content_type: str, name: str
) -> HttpResponseBase:
    """The file, or the one range of it that the request asks for: 200, 206, 304 or 416. Closes ``file``.

    Several ranges at once and a malformed header get the whole file, as RFC 9110 allows.
    """
    etag = _etag(file)
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        file.close()
    response = unchanged or _content(request, file, etag)
    response["Content-Type"] = content_type
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = "private"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = CONFINED
    response["Content-Disposition"] = content_disposition_header(False, name) or "inline"
    return response


def signed_redirect(
    request: HttpRequest,
    storage: Storage,
    stored: str,
    name: str,
    *,
    content_type: str | None = None,
    as_attachment: bool = False,
) -> HttpResponseBase | None:
    """To where an object store hands the file out itself, for a while; None where files are in a folder.

    Call it after the access was checked: whoever has the address may use it until it expires.
    """
    sign = getattr(storage, "signed_url", None)
    if sign is None:
        return None
    disposition = content_disposition_header(as_attachment, name) or "inline"
    address = sign(stored, disposition=disposition, content_type=content_type, method=request.method)
    response = HttpResponseRedirect(address)
    response["Cache-Control"] = f"private, max-age={settings.S3_URL_EXPIRY // 2}"
    return response


def _etag(file: "File[bytes]") -> str:
    """Stored names are random and never written twice, so the name stands for the content."""
    return f'"{PurePosixPath(file.name or "").name}-{file.size}"'


def _content(request: HttpRequest, file: "File[bytes]", etag: str) -> HttpResponseBase:
    try:
        wanted = requested_range(_range_header(request, etag), file.size)
    except RangeNotSatisfiable:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{file.size}"})
    start, length = wanted or (0, file.size)
    response = _body(request, FileBlocks(file, start, length), 206 if wanted else 200)
    response["Content-Length"] = str(length)
    if wanted:
        response["Content-Range"] = f"bytes {start}-{start + length - 1}/{file.size}"
    return response


def _body(request: HttpRequest, blocks: "FileBlocks", status: int) -> HttpResponseBase:
    if request.method == "HEAD":
        blocks.close()
        return HttpResponse(status=status)
    return StreamingHttpResponse(blocks, status=status)


def _range_header(request: HttpRequest, etag: str) -> str:
    """Nothing where the range is meant for another version of the file."""
    if request.headers.get("If-Range", etag) != etag:
        return ""
    return request.headers.get("Range", "")


def requested_range(header: str, size: int) -> tuple[int, int] | None:
    """(start, length) in bytes, or None for the whole file."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last) if last else size - 1, size - 1)
        if last and int(last) < start:
            return None
    if start >= size:
        raise RangeNotSatisfiable(header)
    return start, end - start + 1


class FileBlocks:
    """A range of a file, block by block; closing it closes the file, read or not."""

    def __init__(self, file: "File[bytes]", start: int, length: int) -> None:
        self.file, self.start, self.length = file, start, length

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(self.start)
        left = self.length
        while left > 0 and (block := self.file.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block

    def close(self) -> None:
        self.file.close()
