"""Opening a container safely and learning what it holds. Runs in the limited child."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median_low
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from detector.codes import Failure
from detector.containers import HEAD_BYTES, container_of, refusal
from detector.errors import AnalysisError
from detector.sampling import Timeline

DEMUXERS = "mov,matroska,avi"
CODECS = {"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg"}
MPEG_CODECS = {"mpeg1video", "mpeg2video"}
DECODERS = "h264,hevc,vp8,vp9,libdav1d,av1,mpeg4,mjpeg,mpeg1video,mpeg2video"
UNSTAMPED = ("avi", "mpeg")
"""Containers that don't give every frame its time; most often their frames are counted. MPEG has no index to
seek by."""
MOST_STRETCH = 4
"""Pixels more oblong than this are taken for a damaged header, not for an aspect ratio."""
MISSING_SHARE = 0.05
"""A file is called truncated when more than this share of what it announces is not there."""

PacketTimes = tuple[int | None, int | None, bool]
"""A packet's presentation time, its decoding time, and whether decoding can start at it."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What reading all packets, without decoding, tells.

    stamped: whether packets carry their presentation time, so that it tells which frame they hold.
    """

    timeline: Timeline
    bits: int
    stamped: bool
    truncated: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """Size in square pixels as stored, and the turn to be upright in degrees clockwise."""

    width: int
    height: int
    rotation: int

    @property
    def upright(self) -> tuple[int, int]:
        return (self.height, self.width) if self.rotation % 180 else (self.width, self.height)


def open_container(descriptor: int, *, allow_mpeg: bool = False) -> InputContainer:
    """Open the file behind a descriptor as one of the known containers, able to open no other file."""
    code = None if allow_mpeg else refusal(head_of(descriptor))
    if code is not None:
        raise AnalysisError(code, "it begins like none of the known containers")
    options = {
        "format_whitelist": DEMUXERS + (",mpeg" if allow_mpeg else ""),
        "protocol_whitelist": "file",
        "codec_whitelist": DECODERS,
    }
    try:
        return av.open(f"file:/dev/fd/{descriptor}", "r", options=options, metadata_errors="replace")
    except MemoryError as error:  # thousands of streams, or an index of gigabytes
        raise AnalysisError(Failure.UNREADABLE, f"it asks for too much: {error}") from error
    except (av.FFmpegError, ValueError, UnicodeError) as error:
        detail = f"no container could be read: {getattr(error, 'strerror', error)}"
        raise AnalysisError(refusal(head_of(descriptor)) or Failure.UNREADABLE, detail) from error


def head_of(descriptor: int) -> bytes:
    return os.pread(descriptor, HEAD_BYTES, 0)


def video_stream(container: InputContainer, *, allow_mpeg: bool = False) -> VideoStream:
    """The stream to look at. Raises NOT_VIDEO without one and UNSUPPORTED for a codec outside the list."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        unknown = any(s.type == "unknown" for s in container.streams)
        raise AnalysisError(Failure.UNSUPPORTED if unknown else Failure.NOT_VIDEO, "no video stream")
    stream = next((s for s in streams if s.disposition & Disposition.default), streams[0])
    if codec_name(stream) not in CODECS | (MPEG_CODECS if allow_mpeg else set()):
        raise AnalysisError(Failure.UNSUPPORTED, f"codec {codec_name(stream)!r}")
    return stream


def codec_name(stream: VideoStream) -> str:
    context: Any = stream.codec_context
    return str(context.codec.canonical_name) if context is not None else ""


def check_claims(container: InputContainer, stream: VideoStream, job: dict[str, Any]) -> None:
    """Refuse what the container itself says is over a limit, before any of it is decoded."""
    if claimed_s(container, stream) > job["max_duration_s"]:
        raise AnalysisError(Failure.TOO_LONG, f"{claimed_s(container, stream):.0f} s announced")
    context = stream.codec_context
    width, height = context.width, context.height
    if width <= 0 or height <= 0:
        raise AnalysisError(Failure.UNREADABLE, "the picture has no size")
    if max(width * height, context.coded_width * context.coded_height) > job["max_pixels"]:
        raise AnalysisError(Failure.TOO_MANY_PIXELS, f"{width}x{height}")


def claimed_s(container: InputContainer, stream: VideoStream) -> float:
    """The longest duration that the container announces, 0 where it announces none."""
    own = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    return max(own, container.duration / av.time_base if container.duration else 0.0)


def scan(container: InputContainer, stream: VideoStream) -> Scan:
    """Read every packet of the file once; for a minute of 1080p this takes 10 ms."""
    found: list[PacketTimes] = []
    ends: dict[int, int] = {}
    bits, cut_off = 0, False
    timed = container.format.name not in UNSTAMPED
    for packet in packets_of(container):
        cut_off = cut_off or packet is None or packet.is_corrupt
        stamp = None if packet is None else stamp_of(packet, timed)
        if packet is None or stamp is None:
            continue
        place = packet.stream_index
        ends[place] = max(ends.get(place, 0), stamp + (packet.duration or 0))
        if place == stream.index and not packet.is_discard:
            found.append((packet.pts, packet.dts, packet.is_keyframe))
            bits += 8 * packet.size
    stamped = timed or is_reordered(container, [pts for pts, _, _ in found])
    end_s = max((float(end * base_of(container.streams[at])) for at, end in ends.items()), default=0.0)
    missing = cut_off or is_short(container, stream, len(found), end_s)
    return Scan(timeline_of(container, found, stamped), bits, stamped, missing)


def is_reordered(container: InputContainer, stamps: Sequence[int | None]) -> bool:
    """Whether a container without times has them all the same, out of the order in which frames are stored.

    For MPEG-4 with B-frames in AVI the demuxer works them out; for other codecs it only counts packets.
    """
    known = [stamp for stamp in stamps if stamp is not None]
    if container.format.name != "avi" or len(known) < len(stamps) or len(set(known)) < len(known):
        return False
    return known != sorted(known)


def timeline_of(container: InputContainer, found: Iterable[PacketTimes], stamped: bool) -> Timeline:
    times = [(pts if stamped and pts is not None else dts, is_key) for pts, dts, is_key in found]
    stamps = sorted((time, is_key) for time, is_key in times if time is not None)
    seekable = container.format.name != "mpeg"
    keys = [place for place, (_, is_key) in enumerate(stamps) if is_key and seekable]
    return Timeline([stamp for stamp, _ in stamps], keys)


def packets_of(container: InputContainer) -> "Iterable[Packet[Stream] | None]":
    """Every packet until the end, or until None for one that can't be read (or claims to be gigabytes)."""
    try:
        for packet in container.demux():
            if packet.size:
                yield packet
    except av.FFmpegError:
        yield None


def base_of(stream: Stream) -> Fraction:
    return stream.time_base or Fraction(0)


def stamp_of(packet: "Packet[Any]", stamped: bool) -> int | None:
    """A packet's place in the timeline: its presentation time, or where there is none its decoding time."""
    return packet.pts if stamped and packet.pts is not None else packet.dts


def is_short(container: InputContainer, stream: VideoStream, frames: int, end_s: float) -> bool:
    """Whether the file holds clearly less than it announces."""
    if frames < stream.frames * (1 - MISSING_SHARE):
        return True
    begin_s = (container.start_time or 0) / av.time_base
    claimed = container.duration / av.time_base if container.duration else 0.0
    return end_s - begin_s < claimed * (1 - MISSING_SHARE) - 0.5


def rate(stream: VideoStream, found: Scan) -> float:
    """Frames a second: as announced where that agrees with the timestamps, else as counted."""
    announced, timeline = float(stream.average_rate or 0), found.timeline
    if timeline.count < 2 or stream.time_base is None or (announced and not found.stamped):
        return announced
    span = float((timeline.stamps[-1] - timeline.stamps[0]) * stream.time_base)
    counted = (timeline.count - 1) / max(1e-6, span)
    return announced if announced and abs(announced / counted - 1) < 0.02 else counted


def length_s(stream: VideoStream, found: Scan, fps: float) -> float:
    """Seconds from the first frame to the end of the last, which is taken to stay as long as most do."""
    timeline = found.timeline
    if timeline.count < 2 or stream.time_base is None or not found.stamped:
        return timeline.count / fps if fps else 0.0
    stamps = timeline.stamps
    usual = median_low(after - before for before, after in pairwise(stamps))
    return float((stamps[-1] - stamps[0] + usual) * stream.time_base)


def squared(stream: VideoStream, max_pixels: int) -> tuple[int, int]:
    """Width and height once every pixel is square; only ever enlarged, so that no detail is lost."""
    width, height = stream.codec_context.width, stream.codec_context.height
    ratio = stream.sample_aspect_ratio or Fraction(1)
    if ratio == 1 or not Fraction(1, MOST_STRETCH) <= ratio <= MOST_STRETCH:
        return width, height
    size = (round(width * ratio), height) if ratio > 1 else (width, round(height / ratio))
    return size if size[0] * size[1] <= max_pixels else (width, height)


def container_name(container: InputContainer, head: bytes) -> str:
    """The name that people know a container by."""
    if container.format.name.startswith("mov"):
        return "mov" if container.metadata.get("major_brand", "qt").startswith("qt") else "mp4"
    if container.format.name.startswith("matroska"):
        return container_of(head)
    return container.format.name
