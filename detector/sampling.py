"""Which frames of a clip are looked at: windows of consecutive frames spread over it.

Pure arithmetic on a clip's timeline; nothing here opens a file.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

USUAL_FPS = 30
"""Faster clips are thinned to about this rate: 30 frames at 240 fps would cover an eighth of a second."""
FREE_FRAMES = 8
"""Decoding this many frames before a window costs no more than what a seek costs."""


@dataclass(frozen=True, slots=True)
class Window:
    """``length`` frames from ``start``, ``step`` frames apart, counted in presentation order."""

    start: int
    length: int
    step: int = 1

    @property
    def last(self) -> int:
        return self.start + (self.length - 1) * self.step

    def frames(self) -> range:
        return range(self.start, self.last + 1, self.step)


@dataclass(frozen=True)
class Timeline:
    """Every frame of a clip in presentation order, and those at which decoding can start.

    stamps: ascending timestamps in the stream's own unit; keys: positions in ``stamps``, ascending.
    """

    stamps: Sequence[int]
    keys: Sequence[int]

    @cached_property
    def count(self) -> int:
        return len(self.stamps)

    def position(self, stamp: int) -> int:
        """The number of the frame with that timestamp, or of the next one."""
        return bisect_left(self.stamps, stamp)

    def key_before(self, position: int) -> int:
        """The last frame at or before ``position`` at which decoding can start."""
        place = bisect_right(self.keys, position)
        return self.keys[place - 1] if place else 0


def plan(timeline: Timeline, fps: float, windows: int, length: int) -> list[Window]:
    """At most ``windows`` windows of ``length`` frames, each in its own equal part of the clip.

    A short clip has fewer windows; one shorter than a window is a single window with every frame. A window
    stands in the middle of its part, or at the part's keyframe nearest to that where this saves decoding.
    """
    step = thinning(timeline.count, fps, length)
    if timeline.count <= length:
        return [Window(0, timeline.count)] if timeline.count else []
    span = (length - 1) * step + 1
    parts = max(1, min(windows, timeline.count // span))
    planned: list[Window] = []
    for first, end in _parts(timeline.count, parts):
        decoded = planned[-1].last + 1 if planned else 0
        start = _start(timeline, first, end - span, decoded)
        planned.append(Window(start, length, step))
    return planned


def thinning(count: int, fps: float, length: int) -> int:
    """Take every how-manieth frame: about 30 a second, fewer only where the clip has enough of them."""
    return max(1, min(round(fps / USUAL_FPS), count // length))


def _parts(count: int, parts: int) -> Iterator[tuple[int, int]]:
    for part in range(parts):
        yield count * part // parts, count * (part + 1) // parts


def _start(timeline: Timeline, first: int, latest: int, decoded: int) -> int:
    """Where a window starts between ``first`` and ``latest``, with frames up to ``decoded`` already read."""
    middle = (first + latest) // 2
    if middle - max(decoded, timeline.key_before(middle)) <= FREE_FRAMES:
        return middle
    near = [key for key in timeline.keys if max(first, decoded + 1) <= key <= latest]
    return min(near, key=lambda key: abs(key - middle), default=middle)
