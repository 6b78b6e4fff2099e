"""Uploads that come in pieces and go on after a broken connection, a reload of the page or a restart.

The row says how many bytes of the file count. A piece counts once it is on the disk, so whatever ends a
request or a process costs the client no more than that piece.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, Protocol

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import UnreadablePostError
from django.utils import timezone

from accounts.models import User
from analyses import quotas
from analyses.detection import HEAD_BYTES
from analyses.models import Upload
from analyses.services import UploadGone, submit_analysis
from analyses.uploads import UploadRejected, check_head, check_model, check_size, shown_name

LIFETIME = timedelta(hours=24)
"""After so long without a piece an upload is given up."""
MOST_OPEN = 25
"""Uploads that one person may have under way."""
BLOCK_BYTES = 256 * 1024
CHECKSUMS = ("sha1", "sha256")


class TooManyOpen(Exception):
    """This person has begun too many uploads and not finished them."""


class UploadBusy(Exception):
    """Another request writes to it."""


class WrongOffset(Exception):
    """The piece doesn't begin where the last one ended."""


class TooLong(Exception):
    """The piece is longer than what is missing."""


class ChecksumMismatch(Exception):
    """The piece isn't what its sender says it is."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Checksum:
    """``algorithm`` is one of ``CHECKSUMS``."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """``length`` bytes from ``source`` that belong at ``offset``."""

    offset: int
    length: int
    source: Readable
    checksum: Checksum | None = None


def begin_upload(*, owner: User, name: str, size: int, backbone: str = "", stability: bool = False) -> Upload:
    """Expect a file of this size.

    Raises :class:`UploadRejected` and :class:`QuotaExceeded` for what would be refused in the end, and
    :class:`TooManyOpen`.
    """
    check_size(size)
    check_model(backbone)
    upload = Upload(
        owner=owner,
        original_name=shown_name(name),
        size_bytes=size,
        backbone=backbone,
        stability=stability,
        expires_at=timezone.now() + LIFETIME,
    )
    upload.path.touch(mode=0o600, exist_ok=False)
    try:
        with transaction.atomic():
            quotas.admit(user=owner, size=size)  # room on the disk is taken from now on
            if Upload.objects.for_user(owner).open().count() >= MOST_OPEN:
                raise TooManyOpen
            upload.save(force_insert=True)
    except BaseException:
        upload.path.unlink()
        raise
    return upload


def receive_piece(*, upload: Upload, piece: Piece) -> Upload:
    """Add a piece, or what came of it before the connection broke; the last one makes the analysis.

    The upload as it is afterwards. Raises one of this module's errors, :class:`UploadGone`, or
    :class:`UploadRejected` for a file that isn't taken, which its first bytes may show already. After
    :class:`QuotaExceeded` the last piece can be sent again when there is room.
    """
    with _only_writer(upload) as stream:
        upload = _current(upload)
        if piece.offset != upload.received_bytes:
            raise WrongOffset
        if piece.offset + piece.length > upload.size_bytes:
            raise TooLong
        end = piece.offset + _write(stream, piece)
        try:
            _take_in(upload, stream, end)
        except UploadRejected as rejected:
            _refuse(upload, rejected)
            raise
    return upload


def discard_upload(*, upload: Upload) -> None:
    """Forget it and its file. The analysis that came of it stays."""
    Upload.objects.filter(pk=upload.pk).delete()
    upload.path.unlink(missing_ok=True)


@contextmanager
def _only_writer(upload: Upload) -> Iterator[BinaryIO]:
    try:
        stream = upload.path.open("r+b")
    except FileNotFoundError as error:
        raise UploadGone(str(upload.uuid)) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UploadBusy from error
        yield stream


def _current(upload: Upload) -> Upload:
    """The row as it is now that nobody else can change it."""
    current = Upload.objects.select_related("owner").filter(pk=upload.pk).first()
    if current is None or not current.is_open:
        raise UploadGone(str(upload.uuid))
    return current


def _write(stream: BinaryIO, piece: Piece) -> int:
    """How many bytes of the piece count: what came, or with a checksum all of it or nothing."""
    digest = hashlib.new(piece.checksum.algorithm, usedforsecurity=False) if piece.checksum else None
    stream.seek(piece.offset)
    stream.truncate()
    written = 0
    while block := _read(piece.source, min(BLOCK_BYTES, piece.length - written)):
        stream.write(block)
        written += len(block)
        if digest is not None:
            digest.update(block)
    if piece.checksum and written < piece.length:
        return 0
    if piece.checksum and digest and digest.digest() != piece.checksum.digest:
        raise ChecksumMismatch
    stream.flush()
    os.fsync(stream.fileno())
    return written


def _read(source: Readable, size: int) -> bytes:
    """Nothing at the end of the piece, and where the connection broke."""
    try:
        return source.read(size) if size else b""
    except UnreadablePostError:
        return b""


def _take_in(upload: Upload, stream: BinaryIO, end: int) -> None:
    """Count the bytes up to ``end``."""
    is_complete = end == upload.size_bytes
    if upload.received_bytes < HEAD_BYTES and (is_complete or end >= HEAD_BYTES):
        stream.seek(0)
        check_head(stream.read(HEAD_BYTES))
    if is_complete:
        _finish(upload, stream)
    else:
        _update(upload, received_bytes=end, expires_at=timezone.now() + LIFETIME)


def _finish(upload: Upload, stream: BinaryIO) -> None:
    """Until the analysis is written down the last piece doesn't count, so that it can be sent again."""
    file: UploadedFile[bytes] = UploadedFile(stream, name=upload.original_name, size=upload.size_bytes)
    upload.analysis = submit_analysis(
        owner=upload.owner,
        upload=file,
        backbone=upload.backbone,
        stability=upload.stability,
        arrival=upload,
    )
    upload.received_bytes = upload.size_bytes
    upload.path.unlink(missing_ok=True)


def _refuse(upload: Upload, rejected: UploadRejected) -> None:
    _update(upload, refusal=str(rejected.code))
    upload.path.unlink(missing_ok=True)


def _update(upload: Upload, **fields: object) -> None:
    if not Upload.objects.filter(pk=upload.pk).update(**fields):
        raise UploadGone(str(upload.uuid))
    for name, value in fields.items():
        setattr(upload, name, value)
