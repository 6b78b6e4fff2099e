"""The small picture of a face that stands in lists, made when the result is recorded.

An evidence crop has about 12 kB, so that a page of 25 would load 300 kB; a thumbnail has about 2.
"""

from collections.abc import Mapping
from io import BytesIO

from analyses.detection import Document
from analyses.report import deciding_crop

THUMBNAIL = "thumbnail.jpg"
SIDE = 96
"""Pixels: twice the side that lists show it at, for dense screens."""


def with_thumbnail(document: Document, images: Mapping[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """The name of the picture for lists, and the images with it. The name is empty where no face was found.

    A crop that can't be read is its own thumbnail: a list would rather show it than fail.
    """
    crop = deciding_crop(document)
    small = shrunk(images[crop]) if crop else None
    if small is None:
        return crop, dict(images)
    return THUMBNAIL, {**images, THUMBNAIL: small}


def shrunk(jpeg: bytes) -> bytes | None:
    from PIL import Image, UnidentifiedImageError  # the worker needs it, the web process doesn't

    try:
        with Image.open(BytesIO(jpeg), formats=["JPEG"]) as picture:
            small = picture.convert("RGB")
    except (UnidentifiedImageError, OSError):
        return None
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    out = BytesIO()
    small.save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()
