"""Whether the installed libraries can read what people upload and write what browsers play."""

import av

READ = ("h264", "hevc", "mpeg4", "vp8", "vp9", "av1")
WRITTEN = ("libx264",)


def missing_codecs() -> list[str]:
    """Names of FFmpeg's codecs."""
    missing = [name for name in READ if not _there(name, "r")]
    return missing + [name for name in WRITTEN if not _there(name, "w")]


def _there(name: str, mode: str) -> bool:
    try:
        av.codec.Codec(name, mode)  # type: ignore[arg-type]
    except av.codec.codec.UnknownCodecError:
        return False
    return True
