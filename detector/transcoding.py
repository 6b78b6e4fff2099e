"""Encoding a clip again so that browsers play it. Runs in the limited child."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from detector.codes import Failure
from detector.decoder import Channel, Job
from detector.decoding import Clip, shape_of
from detector.errors import AnalysisError
from detector.probing import Shape

MOST_LINES = 720
CLOCK = Fraction(1, 90_000)
ENCODER = {"preset": "veryfast", "crf": "26", "threads": "2"}


def transcode(job: Job, channel: Channel) -> None:
    """Write the whole clip to the target as H.264; what players must turn, they still must."""
    clip = Clip(job)
    shape = shape_of(clip, job["max_pixels"])
    count = 0
    with av.open(
        f"file:/dev/fd/{job['target']}", "w", format="mp4", options={"movflags": "faststart"}
    ) as out:
        stream: Any = out.add_stream("libx264", rate=nominal_rate(clip.fps), options=ENCODER)
        stream.width, stream.height = proxy_size(shape)
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", CLOCK
        if shape.rotation:
            stream.set_display_rotation(-shape.rotation)
        for frame in scaled_frames(clip, proxy_size(shape)):
            out.mux(stream.encode(frame))
            count += 1
        if not count:
            raise AnalysisError(Failure.UNREADABLE, "no frame could be decoded")
        out.mux(stream.encode())
    channel.send({"kind": "end", "frames": count})


def nominal_rate(fps: float) -> Fraction:
    return Fraction(fps).limit_denominator(1001) if fps >= 0.1 else Fraction(25)


def proxy_size(shape: Shape) -> tuple[int, int]:
    """Even width and height of the stored picture, its shorter side at most 720."""
    factor = min(1.0, MOST_LINES / min(shape.width, shape.height))
    return even(shape.width * factor), even(shape.height * factor)


def even(pixels: float) -> int:
    return max(2, round(pixels / 2) * 2)


def scaled_frames(clip: Clip, size: tuple[int, int]) -> Iterator[VideoFrame]:
    """Every frame that can be decoded, ready to be encoded, with its time on the clip's clock."""
    pictures, before = VideoReformatter(), -1
    while (decoded := clip.next_frame()) is not None:
        number, frame = decoded
        ready = pictures.reformat(frame, *size, "yuv420p", dst_color_range="MPEG")
        ready.pts = before = max(before + 1, round(clip.seconds(number) / CLOCK))
        ready.time_base, ready.pict_type = CLOCK, 0
        yield ready
