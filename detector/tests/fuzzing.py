"""One hostile file through the limited child, and what it cost."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from detector.config import DetectorConfig, Limits
from detector.errors import AnalysisError
from detector.provenance import reading_credentials
from detector.proxy import make_proxy
from detector.reading import open_clip

LIMITS = Limits(decode_wall_s=10.0, decode_cpu_s=15, decode_memory_bytes=2 * 1024**3)
"""Stricter than a site's, so that what goes over them shows."""
LATE_S = 3.0
"""What starting and ending a child may take beside its limit, on a busy machine."""
READ = "read"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``code`` is ``read``, a failure code, or the name of an error that no caller expects.

    ``peak_mb``: the most memory that the child was seen to hold; ``space_mb``: its address space.
    """

    code: str
    seconds: float
    peak_mb: float
    space_mb: float
    escaped: bool = False

    @property
    def is_in_bounds(self) -> bool:
        within = self.space_mb <= LIMITS.decode_memory_bytes / 2**20
        return within and not self.escaped and self.seconds <= LIMITS.decode_wall_s + LATE_S


class Watch:
    """Looks at the memory of this process's children until it is stopped."""

    def __init__(self) -> None:
        self.peak_mb = self.space_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.01):
            for pid in _children():
                with suppress(OSError, IndexError, ValueError):
                    if b"detector.decoder" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                        continue  # a copy of this process that is about to become one
                    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
                    self.peak_mb = max(self.peak_mb, _field(status, "VmHWM:"))
                    self.space_mb = max(self.space_mb, _field(status, "VmPeak:"))


def _children() -> list[int]:
    found: list[int] = []
    for listing in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, listing.read_text().split())
    return found


def _field(status: str, name: str) -> float:
    return int(status.split(name)[1].split()[0]) / 1024


def look(path: Path, *, copy: bool = False) -> Outcome:
    """Probe and decode a file as an analysis does; with ``copy`` make a playable copy of it instead."""
    began = time.monotonic()
    escaped = False
    with Watch() as watch:
        try:
            _copy(path) if copy else _read(path)
            code = READ
        except AnalysisError as error:
            code = str(error.code)
        except Exception as error:
            code, escaped = f"{type(error).__name__}: {error}"[:100], True
    return Outcome(code, time.monotonic() - began, watch.peak_mb, watch.space_mb, escaped)


def _read(path: Path) -> None:
    config = DetectorConfig(limits=LIMITS)
    with (
        open_clip(path, windows=4, window_length=30, limits=LIMITS) as clip,
        reading_credentials(clip.file, clip.facts, config) as credentials,
    ):
        for frame in clip.frames():
            assert frame.picture.nbytes <= 3 * LIMITS.max_pixels
        credentials.collect()


def _copy(path: Path) -> None:
    target = path.with_name("copy.mp4")
    make_proxy(path, target, limits=LIMITS)
    target.unlink()
