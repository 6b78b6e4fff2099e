"""Decoding the sampled frames of one clip. Runs in the limited child."""

import os
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import chain
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from detector.codes import Failure
from detector.decoder import Channel, Job
from detector.errors import AnalysisError
from detector.probing import (
    UNSTAMPED,
    Scan,
    Shape,
    check_claims,
    codec_name,
    container_name,
    head_of,
    length_s,
    open_container,
    rate,
    scan,
    squared,
    stamp_of,
    video_stream,
)
from detector.sampling import Window, plan
from detector.tags import container_facts, holds_credentials

THREADS = max(2, min(4, len(os.sched_getaffinity(0))))
ENOUGH = 0.9
"""Share of the sampled frames that must come for a clip to count as whole."""
HURRIED = ("h264", "hevc")
"""Codecs whose decoders take the wish to skip a frame packet by packet; dav1d takes it at a later one."""


class Clip:
    """An open clip: its facts, and its frames from any place."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._open()
        check_claims(self.container, self.stream, job)
        self.descriptor: int = job["file"]
        self.head = head_of(self.descriptor)
        self.scan: Scan = scan(self.container, self.stream)
        if not self.scan.timeline.count:
            raise AnalysisError(Failure.UNREADABLE, "the file holds no frame")
        self.fps = rate(self.stream, self.scan)
        self.duration_s = length_s(self.stream, self.scan, self.fps)
        if self.duration_s > job["max_duration_s"]:
            raise AnalysisError(Failure.TOO_LONG, f"{self.duration_s:.0f} s found")
        self._codec = codec_name(self.stream)
        self.wanted: Mapping[int, int] = {}
        self.go_to(0)

    def seconds(self, number: int) -> float:
        """Time of a frame on the clock that a player shows."""
        stamps, base = self.scan.timeline.stamps, self.stream.time_base or Fraction(1)
        if not self.scan.stamped or self.container.format.name in UNSTAMPED:
            return round(number / self.fps, 4) if self.fps else 0.0
        begin_s = (self.container.start_time or 0) / av.time_base
        return round(max(0.0, float(stamps[number] * base) - begin_s), 4)

    def _open(self) -> None:
        allow_mpeg = bool(self._job.get("allow_mpeg", False))
        self.container: InputContainer = open_container(self._job["file"], allow_mpeg=allow_mpeg)
        self.stream: VideoStream = video_stream(self.container, allow_mpeg=allow_mpeg)
        context = self.stream.codec_context
        context.thread_type = "AUTO"
        context.thread_count = THREADS
        # Against a picture that grows midway; decoders count their padding as well.
        context.options = {"max_pixels": str(self._job["max_pixels"] * 5 // 4 + 65_536)}

    def _rewind(self) -> None:
        """Go to the beginning by opening the file again, which works where seeking does not."""
        self.container.close()
        self._open()
        self.position = -1
        self._frames: Iterator[tuple[int, VideoFrame]] = self._decoded(self._packets())

    def first_frame(self) -> VideoFrame:
        """The first frame that can be decoded, which stays the next one. Raises UNREADABLE without one."""
        decoded = self.next_frame()
        if decoded is None:
            raise AnalysisError(Failure.UNREADABLE, "no frame could be decoded")
        self._frames = chain([decoded], self._frames)
        self.position = -1
        return decoded[1]

    def next_frame(self) -> tuple[int, VideoFrame] | None:
        """The next frame that can be decoded, with its number; None at the end."""
        decoded = next(self._frames, None)
        if decoded is not None:
            self.position = decoded[0]
        return decoded

    def go_to(self, key: int) -> None:
        """Continue from the keyframe with that number. Where seeking fails, start from the beginning."""
        stamp = self.scan.timeline.stamps[key]
        try:
            self.container.seek(stamp, stream=self.stream, backward=True)
            packets = self._packets()
            first = next(packets)
        except (av.FFmpegError, StopIteration):
            return self._rewind()
        landed = stamp_of(first, self.scan.stamped)
        if landed is None or landed > stamp:
            return self._rewind()
        self.position = key - 1
        self._frames = self._decoded(chain([first], packets), self.scan.timeline.position(landed))

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        try:
            yield from self.container.demux(self.stream)
        except av.FFmpegError:
            return

    def _decoded(
        self, packets: "Iterable[Packet[VideoStream]]", counted: int = 0
    ) -> Iterator[tuple[int, VideoFrame]]:
        """(number, frame): numbered by timestamp, or counted from ``counted`` where there is none."""
        timeline, last = self.scan.timeline, -1
        for packet in packets:
            self._hurry(packet)
            for frame in decode(packet):
                pts = frame.pts if self.scan.stamped else None
                last = max(counted if pts is None else timeline.position(pts), last + 1)
                counted = last + 1
                yield min(last, timeline.count - 1), frame

    def _hurry(self, packet: "Packet[VideoStream]") -> None:
        """Let the decoder leave out a frame that nobody asks for and that no other frame needs."""
        if packet.pts is None or not self.wanted or not self.scan.stamped or self._codec not in HURRIED:
            return
        needed = self.scan.timeline.position(packet.pts) in self.wanted
        self.stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"


def decode(packet: "Packet[VideoStream]") -> list[VideoFrame]:
    """The frames that a packet completes; none where it is damaged."""
    try:
        return [frame for frame in packet.decode() if not frame.is_corrupt]
    except MemoryError:
        raise
    except av.FFmpegError:
        return []


def sampled(clip: Clip, windows: list[Window]) -> Iterator[tuple[int, int, VideoFrame]]:
    """(window, number, frame) of every planned frame, seeking only where a keyframe lies in between."""
    clip.wanted = {number: place for place, window in enumerate(windows) for number in window.frames()}
    sent = -1
    for window in windows:
        key = clip.scan.timeline.key_before(window.start)
        if key > clip.position + 1:
            clip.go_to(key)
        while clip.position < window.last and (decoded := clip.next_frame()) is not None:
            number, frame = decoded
            if number in clip.wanted and number > sent:
                sent = number
                yield clip.wanted[number], number, frame


def read(job: Job, channel: Channel) -> None:
    """Send what the clip is, then its sampled frames, then whether all of them came."""
    clip = Clip(job)
    shape = shape_of(clip, job["max_pixels"])
    windows = plan(clip.scan.timeline, clip.fps, job["windows"], job["window_length"])
    expected = sum(window.length for window in windows)
    channel.send({**facts(clip, shape), "expected": expected})
    channel.limit(3 * shape.width * shape.height)
    pictures, sent = VideoReformatter(), 0
    for window, number, frame in sampled(clip, windows):
        picture = rgb(pictures, frame, shape)
        message = {"kind": "frame", "window": window, "index": number, "time_s": clip.seconds(number)}
        channel.send({**message, "bytes": len(picture)}, picture)
        sent += 1
    if not sent:
        raise AnalysisError(Failure.UNREADABLE, "no sampled frame could be decoded")
    channel.send({"kind": "end", "truncated": clip.scan.truncated or sent < ENOUGH * expected})


def probe(job: Job, channel: Channel) -> None:
    """Send what the clip is."""
    clip = Clip(job)
    channel.send(facts(clip, shape_of(clip, job["max_pixels"])))


def shape_of(clip: Clip, max_pixels: int) -> Shape:
    turned = round(-clip.first_frame().rotation / 90) * 90 % 360
    return Shape(*squared(clip.stream, max_pixels), turned)


def facts(clip: Clip, shape: Shape) -> dict[str, Any]:
    """The clip's facts for the parent; width and height as stored, in square pixels."""
    context, timeline = clip.stream.codec_context, clip.scan.timeline
    container = container_name(clip.container, clip.head)
    pixels = context.width * context.height * max(1, timeline.count)
    return {
        "kind": "facts",
        "container": container,
        "codec": codec_name(clip.stream),
        "pix_fmt": context.pix_fmt or "",
        "width": shape.width,
        "height": shape.height,
        "rotation": shape.rotation,
        "fps": round(clip.fps, 3),
        "duration_s": round(clip.duration_s, 3),
        "frames": timeline.count,
        "bits_per_pixel": round(clip.scan.bits / pixels, 5),
        **provenance(clip, container),
    }


def provenance(clip: Clip, container: str) -> dict[str, Any]:
    """What the file says of its making; nothing where that can't be read: the analysis goes on."""
    try:
        found = {"container_facts": container_facts(clip.container)}
        return {**found, "credentials": holds_credentials(clip.descriptor, container)}
    except Exception:
        return {}


def rgb(pictures: VideoReformatter, frame: VideoFrame, shape: Shape) -> memoryview | bytes:
    """The frame as packed rows of RGB bytes, in square pixels."""
    converted = pictures.reformat(frame, shape.width, shape.height, "rgb24", threads=1)
    plane = converted.planes[0]
    view, row = memoryview(plane), 3 * shape.width
    if plane.line_size == row:
        return view[: row * shape.height]
    return b"".join(view[at : at + row] for at in range(0, plane.line_size * shape.height, plane.line_size))
