"""A small copy of a clip that browsers can play, made in the limited child."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from detector.child import LimitedChild, Message
from detector.config import Limits
from detector.reading import open_checked, probe_clip

PLAYABLE = {
    ("mp4", "h264"),
    ("mov", "h264"),
    ("mp4", "av1"),
    ("webm", "av1"),
    ("webm", "vp8"),
    ("webm", "vp9"),
}
"""Containers with codecs that Chromium, Firefox and Safari of today all play."""
PLAYABLE_PIXELS = {"yuv420p", "yuvj420p"}
LARGEST_GROWTH = 4
SMALLEST_LIMIT = 64 * 1024 * 1024


def needs_proxy(path: str | Path, *, limits: Limits | None = None) -> bool:
    """Whether common browsers can't play the file as it is. Raises AnalysisError as ``open_clip`` does."""
    return unplayable(probe_clip(path, limits=limits or Limits()))


def unplayable(facts: Message) -> bool:
    kind = (facts["container"], facts["codec"])
    return kind not in PLAYABLE or facts["pix_fmt"] not in PLAYABLE_PIXELS


def make_proxy(path: str | Path, target: str | Path, *, limits: Limits) -> None:
    """Write ``target``: MP4, H.264, yuv420p, at most 720 lines, without sound, on the clip's clock.

    Raises AnalysisError, and leaves no ``target`` behind, where the clip can't be read or costs more than the
    limits allow; ``limits.decode_wall_s`` and ``decode_cpu_s`` then cover the whole clip, not samples of it.
    """
    target = Path(target)
    with open_checked(path, limits) as source, unfinished(target) as made:
        job: Message = {
            "kind": "proxy",
            "file": source.fileno(),
            "target": made.fileno(),
            "written_bytes": max(SMALLEST_LIMIT, LARGEST_GROWTH * os.fstat(source.fileno()).st_size),
        }
        with LimitedChild(job, limits=limits, files=[source, made]) as child:
            child.message()


@contextlib.contextmanager
def unfinished(target: Path) -> Iterator[BinaryIO]:
    """A new file beside ``target`` that takes its place on success and is gone otherwise."""
    descriptor, name = mkstemp(dir=target.parent, prefix=".proxy-", suffix=".mp4")
    try:
        with os.fdopen(descriptor, "r+b", buffering=0) as made:
            yield made
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
