"""Clips for tests, all made here: people from scikit-image's astronaut (public domain), moved and blended.

``face_clip`` makes a good clip; every ``make_*`` makes a file with one thing wrong or unusual about it.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from skimage.data import astronaut

from detector.tests.once import SHARED, made_once

Picture = npt.NDArray[np.uint8]

HEAD = (slice(20, 230), slice(130, 318))
"""Rows and columns of the head in the astronaut's picture."""
FACE_CENTRE, FACE_AXES = (94, 96), (40, 54)
"""The inner face inside the head, as a forger would replace it."""
TINTS = ((1.0, 1.0, 1.0), (1.05, 0.92, 0.85), (0.82, 0.9, 1.05), (0.75, 0.68, 0.6), (0.95, 1.04, 0.9))
FAST = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
}
FAST |= {"libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"}, "libsvtav1": {"preset": "12"}}
QUALITY: dict[str, dict[str, str]] = {"flv": {}, "ffv1": {}, "mpeg2video": {}, "mpeg4": {"q": "3"}}
QUALITY |= {"mjpeg": {"q": "3"}, "libvpx": {"b": "2M"}}


@dataclass(frozen=True, slots=True)
class Scene:
    """What is in front of the camera."""

    size: tuple[int, int] = (640, 360)
    faces: int = 1
    fake: bool = False

    def picture(self, number: int) -> Picture:
        """Frame ``number``, (height, width, 3) RGB; every person sways a little, each in their own rhythm."""
        canvas = background(self.size).copy()
        for place in range(self.faces):
            is_forged = self.fake and place == self.faces - 1
            person = tinted(forged(number), place) if is_forged else real_person(place)
            self._add(canvas, person, place, number)
        return canvas

    def _add(self, canvas: Picture, head: Picture, place: int, number: int) -> None:
        width, height = self.size
        cell = width / self.faces
        scale = min(cell / head.shape[1], height / head.shape[0]) * (
            0.94 + 0.02 * np.sin(number / 17 + place)
        )
        angle = 3 * np.sin(number / 13 + 2 * place)
        matrix = cv2.getRotationMatrix2D((head.shape[1] / 2, head.shape[0] / 2), angle, scale)
        matrix[0, 2] += cell * (place + 0.5) - head.shape[1] / 2 + 0.02 * cell * np.sin(number / 9 + place)
        matrix[1, 2] += height / 2 - head.shape[0] / 2 + 0.02 * height * np.cos(number / 11 + place)
        moved = cv2.warpAffine(head, matrix, (width, height), flags=cv2.INTER_LINEAR)
        shade = cv2.warpAffine(head_mask(), matrix, (width, height), flags=cv2.INTER_LINEAR)[..., None]
        np.copyto(canvas, (moved * shade + canvas * (1 - shade)).astype(np.uint8))


@cache
def real_head() -> Picture:
    return np.ascontiguousarray(astronaut()[HEAD])


@cache
def head_mask() -> npt.NDArray[np.float32]:
    """One inside the head's picture, falling to zero at its edge."""
    height, width = real_head().shape[:2]
    mask = np.zeros((height, width), np.float32)
    mask[6:-6, 6:-6] = 1
    return np.asarray(cv2.GaussianBlur(mask, (13, 13), 0), np.float32)


@cache
def background(size: tuple[int, int]) -> Picture:
    """A wall with an uneven light and some grain."""
    width, height = size
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    light = np.stack([90 + 60 * across, 100 + 40 * down, 120 + 30 * across * down], axis=-1)
    grain = np.random.default_rng(3).normal(0, 4, light.shape)
    return np.clip(light + grain, 0, 255).astype(np.uint8)


def tinted(head: Picture, place: int) -> Picture:
    """Another person's skin and side: the same head coloured, and mirrored at odd places."""
    coloured = np.clip(head * np.array(TINTS[place % len(TINTS)]), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(coloured[:, ::-1]) if place % 2 else coloured


@cache
def real_person(place: int) -> Picture:
    return tinted(real_head(), place)


def forged(number: int) -> Picture:
    """The head with its inner face replaced by a warped, recoloured copy under a seam that trembles."""
    head = real_head()
    jitter = np.random.default_rng(number).normal(0, 1.2, 2)
    matrix = cv2.getRotationMatrix2D(FACE_CENTRE, 2.0, 1.07)
    matrix[:, 2] += jitter
    size = head.shape[1], head.shape[0]
    other = cv2.GaussianBlur(cv2.warpAffine(head, matrix, size, borderMode=cv2.BORDER_REPLICATE), (0, 0), 1.4)
    other = np.clip(other * np.array([0.93, 1.02, 1.08]) + 6, 0, 255)
    mask = np.zeros(head.shape[:2], np.float32)
    centre = (int(FACE_CENTRE[0] + jitter[0]), int(FACE_CENTRE[1] + jitter[1]))
    cv2.ellipse(mask, centre, FACE_AXES, 0, 0, 360, 1.0, -1)
    seam = cv2.GaussianBlur(mask, (0, 0), 2.5)[..., None]
    return np.asarray(other * seam + head * (1 - seam), np.uint8)


def write_clip(
    path: Path,
    pictures: Iterable[Picture],
    *,
    fps: float = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    crf: int = 18,
    rotation: int = 0,
    stamps_ms: Sequence[int] | None = None,
    sound: bool = False,
    container: str | None = None,
    muxer: dict[str, str] | None = None,
    **encoder: str,
) -> Path:
    """Encode pictures; ``rotation`` (degrees clockwise) is what a player then turns them by.

    stamps_ms: each frame's time, for a variable rate. container: a muxer's name where the path's end does
    not tell it. muxer, encoder: options for those.
    """
    options = {**FAST.get(codec, {}), **QUALITY.get(codec, {"crf": str(crf)}), **encoder}
    with same_scheduling(), av.open(str(path), "w", format=container, options=muxer or {}) as out:
        stream: Any = out.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options)
        voice: Any = out.add_stream("aac", rate=16_000) if sound else None
        stream.pix_fmt = pix_fmt
        stream.codec_context.thread_count = 1
        base = Fraction(1, 1000) if stamps_ms else 1 / stream.codec_context.framerate
        stream.codec_context.time_base = base
        if rotation:
            stream.set_display_rotation(-rotation)
        count = 0
        for number, picture in enumerate(pictures):
            if not count:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = (stamps_ms[number] if stamps_ms else number), base
            out.mux(stream.encode(frame))
            count += 1
        out.mux(stream.encode())
        if voice is not None:
            write_tone(out, voice, count / float(fps))
    return path


@contextmanager
def same_scheduling() -> Iterator[None]:
    """What is encoded inside leaves no trace on this thread's scheduling.

    Run by root, SVT-AV1 makes the thread that opens it a real-time one of the highest priority. All processes
    that a test starts afterwards would inherit that, and take the processor from everything else.
    """
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)


def write_tone(out: Any, voice: Any, seconds: float) -> None:
    """Encode a steady tone."""
    for start in range(0, int(seconds * 16_000), 1024):
        wave = 0.2 * np.sin(np.arange(start, start + 1024) * 2 * np.pi * 220 / 16_000)
        frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16_000, start
        out.mux(voice.encode(frame))
    out.mux(voice.encode())


def face_clip(
    path: Path,
    *,
    seconds: float = 2.0,
    fps: float = 25,
    size: tuple[int, int] = (640, 360),
    faces: int = 1,
    fake: bool = False,
    vfr: bool = False,
    **writing: Any,
) -> Path:
    """A clip of one to five people; with ``fake`` the last one's face is forged.

    vfr: frames come unevenly, at 20 to 60 ms. Everything else goes to ``write_clip``. Tests that
    want the same clip get copies of one file.
    """

    def write(target: Path) -> None:
        count = max(1, round(seconds * fps))
        scene = Scene(size, faces, fake)
        stamps = uneven(count) if vfr else None
        pictures = (scene.picture(number) for number in range(count))
        write_clip(target, pictures, fps=fps, stamps_ms=stamps, **writing)

    if SHARED not in os.environ:
        write(path)
        return path
    what = repr((seconds, fps, size, faces, fake, vfr, sorted(writing.items()), path.suffix))
    name = f"clip-{hashlib.sha256(what.encode()).hexdigest()[:16]}{path.suffix}"
    shutil.copyfile(made_once(name, write), path)
    return path


def uneven(count: int) -> list[int]:
    """Times in milliseconds with steps of 20, 40 and 60 in turn."""
    return [0, *np.cumsum([20 + 20 * (n % 3) for n in range(count - 1)]).tolist()]


def walls(count: int, size: tuple[int, int]) -> Iterator[Picture]:
    """Pictures without a face, each a little lighter than the one before."""
    for number in range(count):
        yield np.clip(background(size).astype(np.int16) + number % 40, 0, 255).astype(np.uint8)


def make_empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def make_text(path: Path) -> Path:
    path.write_text("Minutes of the meeting: nobody brought a video.\n" * 40, encoding="utf-8")
    return path


def make_ffconcat(path: Path, target: Path) -> Path:
    """A text that some readers follow to other files."""
    path.write_text(f"ffconcat version 1.0\nfile '{target}'\n", encoding="utf-8")
    return path


def make_hls(path: Path, target: Path) -> Path:
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10.0,\n"
    path.write_text(f"{head}{target}\n#EXT-X-ENDLIST\n", encoding="utf-8")
    return path


def make_png(path: Path) -> Path:
    path.write_bytes(cv2.imencode(".png", real_head())[1].tobytes())
    return path


def make_folder(path: Path) -> Path:
    path.mkdir()
    return path


def make_audio_only(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        write_tone(out, out.add_stream("aac", rate=16_000), 1.0)
    return path


def make_truncated(path: Path) -> Path:
    """An MP4 whose index is whole and whose pictures end early."""
    face_clip(path, seconds=3, muxer={"movflags": "faststart"}, g="10")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    return path


def make_headless(path: Path) -> Path:
    """An MP4 cut before its index, so that nothing can be read."""
    face_clip(path, seconds=1)
    path.write_bytes(path.read_bytes()[:20_000])
    return path


def make_corrupt(path: Path) -> Path:
    """An MP4 with a good index and noise for pictures."""
    face_clip(path, seconds=1, muxer={"movflags": "faststart"})
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    content[start:] = np.random.default_rng(1).bytes(len(content) - start)
    path.write_bytes(content)
    return path


def make_wrong_extension(path: Path) -> Path:
    """A good Matroska file, whatever the name says."""
    return face_clip(path, seconds=1.4, container="matroska")


def make_huge_picture(path: Path, side: int = 8192, times: int = 1) -> Path:
    """A plain square picture, encoded once and stored ``times`` times."""
    frame = av.VideoFrame(side, side, "yuvj420p")
    for plane in frame.planes:
        plane.update(bytes([90]) * plane.buffer_size)
    frame.pts = 0
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = side, side, "yuvj420p"
        content = b"".join(bytes(packet) for packet in [*stream.encode(frame), *stream.encode()])
        for number in range(times):
            packet = av.Packet(content)
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, number, number, True
            packet.time_base = Fraction(1, 25)
            out.mux(packet)
    return path


def make_ten_hours(path: Path) -> Path:
    """A few frames whose timestamps span ten hours."""
    scene = Scene((320, 180))
    stamps = [n * 36_000_000 // 10 for n in range(11)]
    return write_clip(path, (scene.picture(n) for n in range(11)), stamps_ms=stamps)


def make_one_fps(path: Path) -> Path:
    return face_clip(path, seconds=40, fps=1, size=(320, 180))


def make_fps_240(path: Path) -> Path:
    return face_clip(path, seconds=2, fps=240, size=(320, 180))


def make_one_frame(path: Path) -> Path:
    return face_clip(path, seconds=0.04)


def make_zero_frames(path: Path) -> Path:
    """A video track with nothing in it."""
    with av.open(str(path), "w", options={"movflags": "empty_moov+frag_keyframe"}) as out:
        stream: Any = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        out.start_encoding()
    return path


def make_no_face(path: Path) -> Path:
    return write_clip(path, walls(40, (320, 180)))


def make_five_faces(path: Path) -> Path:
    return face_clip(path, faces=5, seconds=1.4, size=(960, 240))


def make_over_limit(path: Path, max_bytes: int) -> Path:
    """A good clip with padding that takes it one byte over a limit."""
    face_clip(path, seconds=1)
    padding = max_bytes + 1 - path.stat().st_size
    with path.open("ab") as out:
        out.write(padding.to_bytes(4, "big") + b"free" + bytes(padding - 8))
    return path
