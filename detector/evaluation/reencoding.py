"""Clips compressed and changed as cameras and sharing sites do, to see what that does to a verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np

ENCODER = {"preset": "veryfast", "threads": "1", "x264-params": "cpu-independent=1"}
"""So that neither the number of cores nor their kind changes the pictures; x264's own choice of code for the
processor made different files of the same pictures from run to run."""


@dataclass(frozen=True, slots=True)
class Quality:
    """H.264 at that constant rate factor, the picture changed and then scaled by ``scale`` first.

    blur: standard deviation of a Gaussian, in pixels. noise: of normal noise on every colour of every pixel,
    in levels of 255.
    """

    name: str
    crf: int
    scale: float = 1.0
    blur: float = 0.0
    noise: float = 0.0


DEGRADATIONS = (
    Quality("crf23", 23),
    Quality("crf32", 32),
    Quality("crf40", 40),
    Quality("half_crf23", 23, scale=0.5),
    Quality("quarter_crf23", 23, scale=0.25),
    Quality("blur2px_crf23", 23, blur=2.0),
    Quality("noise10_crf23", 23, noise=10.0),
)


def reencode(path: Path, target: Path, quality: Quality) -> None:
    """Write the pictures of a clip as an MP4 of that quality, without sound. Timestamps and rotation stay.

    Raises ValueError where no picture can be decoded.
    """
    with av.open(str(path)) as source, av.open(str(target), "w", format="mp4") as out:
        video = source.streams.video[0]
        video.thread_type = "AUTO"
        frames = source.decode(video)
        first = next(frames, None)
        if first is None:
            raise ValueError(f"{path} has no picture")
        stream = out.add_stream("libx264", rate=video.average_rate or 25)
        stream.width = even(video.codec_context.width * quality.scale)
        stream.height = even(video.codec_context.height * quality.scale)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(quality.crf), **ENCODER}
        if video.time_base:
            stream.codec_context.time_base = video.time_base
        if first.rotation:
            stream.set_display_rotation(first.rotation)
        change = changer(quality)
        for frame in chain([first], frames):
            scaled = change(frame).reformat(stream.width, stream.height, "yuv420p")
            scaled.pict_type = av.video.frame.PictureType.NONE
            out.mux(stream.encode(scaled))
        out.mux(stream.encode())


def changer(quality: Quality) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """What blurs a frame and makes it noisy; the noise of a clip is the same in every run."""
    if not quality.blur and not quality.noise:
        return lambda frame: frame
    rng = np.random.default_rng(0)

    def changed(frame: av.VideoFrame) -> av.VideoFrame:
        picture = frame.to_ndarray(format="rgb24")
        if quality.blur:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), quality.blur), np.uint8)
        if quality.noise:
            noise = rng.standard_normal(picture.shape, np.float32) * np.float32(quality.noise)
            picture = np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)
        made = av.VideoFrame.from_ndarray(picture, format="rgb24")
        made.pts, made.time_base = frame.pts, frame.time_base
        return made

    return changed


def even(size: float) -> int:
    return max(2, 2 * round(size / 2))
