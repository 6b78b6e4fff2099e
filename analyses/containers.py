"""What kind of file an upload is, by its first bytes. Its name and the browser's word count for nothing."""

HEAD_LENGTH = 64

_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_FOREIGN = (b"FLV\x01", b"OggS", b"\x00\x00\x01\xba", b"\x30\x26\xb2\x75", b"\x47\x40", b".RMF")


def container_of(head: bytes) -> str:
    """``mp4`` (MOV too), ``avi``, ``webm`` or ``mkv`` for a file that begins like one; else empty."""
    if head[4:8] in _BOXES:
        return "mp4"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head else "mkv"
    return ""


def is_foreign_video(head: bytes) -> bool:
    """Whether a file begins like a video of another kind: FLV, Ogg, MPEG, WMV or RealMedia."""
    return head.startswith(_FOREIGN)
