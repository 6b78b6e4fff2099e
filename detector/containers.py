"""What kind of file it is, by its first bytes. Its name and anybody's word for it count for nothing.

Pages that take uploads and the decoder ask the same functions, so that a file gets the same answer from both.
Standard library alone.
"""

from collections.abc import Iterable

from detector.codes import Failure

HEAD_BYTES = 4096
"""So much of a file's beginning is enough for every function here."""

_BOXES = frozenset({b"ftyp", b"moov", b"mdat"})
_SMALL_BOXES = frozenset(b"free skip wide junk pict pnot prfl udta uuid moof sidx styp".split())
"""Boxes of MP4 and MOV that are much less than 16 MB long, so that a text doesn't pass for one."""
_OTHER_VIDEOS = (
    (0, b"\x00\x00\x01\xba"),  # MPEG program stream
    (0, b"\x00\x00\x01\xb3"),  # MPEG elementary stream
    (0, b"FLV\x01"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # ASF, so WMV
    (0, b"OggS"),
    (0, b".RMF"),
    (0, b"GIF8"),
    (0, b"\x06\x0e\x2b\x34"),  # MXF
)
_PACKETS = ((0, 188), (4, 192))
"""Offset and length of the packets of an MPEG transport stream: as broadcast, and as on a disc."""


def container_of(head: bytes) -> str:
    """``mp4`` (MOV too), ``avi``, ``webm`` or ``mkv`` for a file that begins like one; else empty."""
    kind = head[4:8]
    if kind in _BOXES or (kind in _SMALL_BOXES and head[:1] == b"\0"):
        return "mp4"
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return "avi"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "mkv"
    return ""


def refusal(head: bytes) -> Failure | None:
    """Why a file that begins so isn't opened: a video of another kind, or no video. None where it is."""
    if container_of(head):
        return None
    is_other = _matches(head, _OTHER_VIDEOS) or _is_transport_stream(head)
    return Failure.UNSUPPORTED if is_other else Failure.NOT_VIDEO


def _matches(head: bytes, marks: Iterable[tuple[int, bytes]]) -> bool:
    return any(head[at : at + len(mark)] == mark for at, mark in marks)


def _is_transport_stream(head: bytes) -> bool:
    return any(head[first : first + 2 * step + 1 : step] == b"GGG" for first, step in _PACKETS)
