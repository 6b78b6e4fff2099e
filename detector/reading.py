"""Sampled frames of a clip, decoded in a limited child process.

The parent holds a frame only until its user lets go of it; the child decodes a few frames ahead.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import BinaryIO, Self

import cv2
import numpy as np
import numpy.typing as npt

from detector.child import LimitedChild, Message
from detector.codes import Failure
from detector.config import Limits
from detector.errors import AnalysisError
from detector.result import StopHook, VideoFacts

HASH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame: window it belongs to, index from 0, seconds, upright RGB.

    index: in presentation order over the whole clip, taken from the packets' timestamps, so it is exact for
    variable frame rates as well. AVI has none: there frames are counted, except for MPEG-4 with B-frames,
    whose order the packets tell.
    """

    window: int
    index: int
    time_s: float
    picture: npt.NDArray[np.uint8]


class ClipReader:
    """A clip being read. ``truncated`` is known once ``frames`` has ended.

    video: what the clip is. bits_per_pixel: of the video stream, averaged over the clip.
    expected: frames that will come, fewer only where some can't be decoded.
    file, facts: the open file, and all that the child said of it.
    probe_s, decode_s: seconds spent until the facts were known, and waiting for frames since then.
    """

    def __init__(self, child: LimitedChild, file: BinaryIO, facts: Message, sha256: str) -> None:
        self._child = child
        self.file, self.facts = file, facts
        self._waited_before = child.waited_s
        with trusting_nothing():
            self.video = video_facts(facts, sha256)
            self._stored = (int(facts["height"]), int(facts["width"]))
            self.bits_per_pixel = float(facts["bits_per_pixel"])
            self.expected = int(facts["expected"])
        self.probe_s = 0.0
        self.truncated = False

    @property
    def decode_s(self) -> float:
        return self._child.waited_s - self._waited_before

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._child.close()
        self.file.close()

    def frames(self) -> Iterator[Frame]:
        """The sampled frames in presentation order, each in memory of its own."""
        while (message := self._child.message())["kind"] == "frame":
            picture = np.empty((*self._stored, 3), np.uint8)
            self._child.fill(picture.data.cast("B"))
            picture = upright(picture, self.video.rotation)
            with trusting_nothing():
                frame = Frame(
                    int(message["window"]), int(message["index"]), float(message["time_s"]), picture
                )
            yield frame
        self.truncated = bool(message.get("truncated"))


def open_clip(
    path: str | Path,
    *,
    windows: int,
    window_length: int,
    limits: Limits,
    should_stop: StopHook | None = None,
    allow_mpeg: bool = False,
) -> ClipReader:
    """Probe a clip and start decoding ``windows`` windows of ``window_length`` frames (see sampling.py).

    Raises AnalysisError: its code says whether the file is empty, no video, damaged, of an unsupported kind,
    over a limit, or cost more than the limits allow. A file that can't be opened counts as damaged.
    ``allow_mpeg`` also takes MPEG program streams with MPEG-1 or MPEG-2, which data sets use.
    """
    job: Message = {
        "kind": "read",
        "windows": windows,
        "window_length": window_length,
        "allow_mpeg": allow_mpeg,
    }
    began = perf_counter()
    file = open_checked(path, limits)
    child = LimitedChild({**job, "file": file.fileno()}, limits=limits, files=[file], should_stop=should_stop)
    try:
        with ThreadPoolExecutor(1) as pool:
            sha256: Future[str] = pool.submit(sha256_of, file)
            facts = child.message()
        check_size(facts, limits)
        reader = ClipReader(child, file, facts, sha256.result())
        reader.probe_s = perf_counter() - began
        return reader
    except BaseException:
        child.close()
        file.close()
        raise


def probe_clip(path: str | Path, *, limits: Limits) -> Message:
    """What the limited child says of a clip, with its pixel format. Raises as ``open_clip`` does."""
    with open_checked(path, limits) as file:
        job = {"kind": "probe", "file": file.fileno()}
        with LimitedChild(job, limits=limits, files=[file]) as child:
            return child.message()


def open_checked(path: str | Path, limits: Limits) -> BinaryIO:
    """Open a regular file that is neither empty nor over the size limit."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise AnalysisError(Failure.UNREADABLE, f"the file can't be opened: {error}") from error
    file = (
        os.fdopen(descriptor, "rb", buffering=0) if not stat.S_ISDIR(os.fstat(descriptor).st_mode) else None
    )
    if file is None:
        os.close(descriptor)
        raise AnalysisError(Failure.UNREADABLE, "the file can't be opened: it is a folder")
    found = os.fstat(descriptor)
    problem = _problem(found, limits)
    if problem is not None:
        file.close()
        raise problem
    return file


def _problem(found: os.stat_result, limits: Limits) -> AnalysisError | None:
    if not stat.S_ISREG(found.st_mode):
        return AnalysisError(Failure.UNREADABLE, "the file can't be opened: it is not a regular file")
    if found.st_size == 0:
        return AnalysisError(Failure.EMPTY)
    if found.st_size > limits.max_bytes:
        return AnalysisError(Failure.TOO_LARGE, f"{found.st_size} bytes")
    return None


def sha256_of(file: BinaryIO) -> str:
    """SHA-256 of a file's content, whatever its current position."""
    digest, at = hashlib.sha256(), 0
    while block := os.pread(file.fileno(), HASH_BYTES, at):
        digest.update(block)
        at += len(block)
    return digest.hexdigest()


def check_size(facts: Message, limits: Limits) -> None:
    """Memory is allocated by what the child says, so it must be possible."""
    with trusting_nothing():
        width, height = int(facts["width"]), int(facts["height"])
        if (
            width <= 0
            or height <= 0
            or width * height > limits.max_pixels
            or facts["rotation"] not in (0, *TURNS)
        ):
            raise ValueError(f"a picture of {width}x{height}")


@contextmanager
def trusting_nothing() -> Iterator[None]:
    """Takes fields of a message that are missing or make no sense for a breakdown of the child."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise AnalysisError(Failure.CRASHED, f"the decoder sent nonsense: {error!r}") from error


def video_facts(facts: Message, sha256: str) -> VideoFacts:
    """The facts that the result document has; width and height of the upright picture."""
    width, height = int(facts["width"]), int(facts["height"])
    if int(facts["rotation"]) % 180:
        width, height = height, width
    return VideoFacts(
        sha256=sha256,
        container=str(facts["container"]),
        codec=str(facts["codec"]),
        width=width,
        height=height,
        fps=float(facts["fps"]),
        duration_s=float(facts["duration_s"]),
        frames=int(facts["frames"]),
        rotation=int(facts["rotation"]),
    )


TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def upright(picture: npt.NDArray[np.uint8], rotation: int) -> npt.NDArray[np.uint8]:
    """The picture turned by a number of degrees clockwise."""
    return np.asarray(cv2.rotate(picture, TURNS[rotation]), np.uint8) if rotation in TURNS else picture
