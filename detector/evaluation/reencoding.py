"""Clips compressed and scaled again as sharing sites do, to see what that does to a verdict."""

from dataclasses import dataclass
from pathlib import Path

import av


@dataclass(frozen=True, slots=True)
class Quality:
    """H.264 at that constant rate factor, the picture scaled by ``scale`` first."""

    name: str
    crf: int
    scale: float = 1.0


def reencode(path: Path, target: Path, quality: Quality) -> None:
    """Write the pictures of a clip as an MP4 of that quality, without sound. Timestamps stay."""
    with av.open(str(path)) as source, av.open(str(target), "w", format="mp4") as out:
        video = source.streams.video[0]
        video.thread_type = "AUTO"
        stream = out.add_stream("libx264", rate=video.average_rate or 25)
        stream.width = even(video.codec_context.width * quality.scale)
        stream.height = even(video.codec_context.height * quality.scale)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(quality.crf), "preset": "veryfast"}
        for frame in source.decode(video):
            scaled = frame.reformat(stream.width, stream.height, "yuv420p")
            scaled.pict_type = av.video.frame.PictureType.NONE
            out.mux(stream.encode(scaled))
        out.mux(stream.encode())


def even(size: float) -> int:
    return max(2, 2 * round(size / 2))
