"""What is checked of an upload before anything of it is kept, without opening it as a video."""

import errno
import hashlib
import shutil
import unicodedata
from pathlib import PurePosixPath

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import OperationalError

from analyses.detection import (
    FAILURE_SENTENCES,
    HEAD_BYTES,
    Failure,
    NoWeights,
    WeightsCard,
    check_weights,
    refusal,
)
from analyses.models import NAME_LENGTH

LEAST_ROOM = 1 << 20


class UploadRejected(Exception):
    """An upload that isn't taken. ``sentence`` is for the page."""

    def __init__(self, code: Failure) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = FAILURE_SENTENCES[code]


def is_disk_full(error: Exception) -> bool:
    """Whether there was no room for a file, or for the rows of SQLite beside it."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if not isinstance(error, OperationalError):
        return False
    # SQLite can't even open its files then, and calls that an error of the disk.
    return "disk is full" in str(error) or shutil.disk_usage(settings.STATE).free < LEAST_ROOM


def check_upload(upload: "UploadedFile[bytes]", backbone: str = "") -> None:
    """Raises :class:`UploadRejected` for a file that can't become an analysis."""
    check_size(upload.size or 0)
    check_head(_head(upload))
    check_model(backbone)


def check_size(size: int) -> None:
    if not size:
        raise UploadRejected(Failure.EMPTY)
    if size > settings.MAX_VIDEO_SIZE_BYTES:
        raise UploadRejected(Failure.TOO_LARGE)


def check_head(head: bytes) -> None:
    """Of a file that begins with these bytes."""
    code = refusal(head)
    if code is not None:
        raise UploadRejected(code)


def check_model(backbone: str) -> WeightsCard:
    """The card of the weights that an analysis with this model would use."""
    try:
        return check_weights(backbone)
    except NoWeights as error:
        raise UploadRejected(Failure.NO_WEIGHTS) from error


def _head(upload: "UploadedFile[bytes]") -> bytes:
    upload.seek(0)
    return bytes(upload.read(HEAD_BYTES))


def sha256_of(upload: "UploadedFile[bytes]") -> str:
    """Reads the upload in pieces and winds it back."""
    digest = hashlib.sha256()
    upload.seek(0)
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()


def shown_name(name: str | None) -> str:
    """The uploaded name as data to show: no folders, no invisible characters, not too long."""
    base = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(c for c in unicodedata.normalize("NFC", base) if unicodedata.category(c)[0] != "C")
    plain = " ".join(plain.split())
    if len(plain) > NAME_LENGTH:
        suffix = PurePosixPath(plain).suffix[:10]
        plain = plain[: NAME_LENGTH - len(suffix)] + suffix
    return plain or "video"
