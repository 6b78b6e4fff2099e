"""Clips of every kind, read in the limited child: the right frames, and no more than the limits allow."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from detector.codes import Failure
from detector.config import Limits
from detector.errors import AnalysisError
from detector.reading import Frame, open_clip
from detector.result import VideoFacts
from detector.tests.clips import Picture, Scene, face_clip, make_huge_picture, uneven, write_clip

LENGTH = 260
SMALL = Scene((160, 96))
WHITE, BLACK = (235, 128, 128), (16, 128, 128)

KINDS: dict[str, dict[str, Any]] = {
    "h264.mp4": {"g": "50"},
    "h264-b-frames.mp4": {"g": "60", "preset": "medium", "bf": "3"},
    "h264-open-gop.mkv": {"preset": "medium", "bf": "3", "x264-params": "open-gop=1:keyint=60:scenecut=0"},
    "h264-one-keyframe.mov": {"g": "1000", "preset": "medium", "bf": "2"},
    "h264-fragments.mp4": {"g": "50", "muxer": {"movflags": "frag_keyframe+empty_moov"}},
    "h264-10-bit.mp4": {"g": "50", "pix_fmt": "yuv420p10le"},
    "h264-444.mp4": {"g": "50", "pix_fmt": "yuv444p"},
    "h264-b-frames.avi": {"g": "50", "preset": "medium", "bf": "3"},
    "hevc.mp4": {"codec": "libx265", "g": "50"},
    "hevc-10-bit.mkv": {"codec": "libx265", "pix_fmt": "yuv420p10le", "g": "50"},
    "vp8.webm": {"codec": "libvpx", "g": "50", "deadline": "realtime", "cpu-used": "8"},
    "vp9.webm": {"codec": "libvpx-vp9", "g": "50"},
    "av1.mp4": {"codec": "libsvtav1", "g": "50"},
    "mpeg4.avi": {"codec": "mpeg4", "g": "50"},
    "mpeg4-b-frames.avi": {"codec": "mpeg4", "g": "50", "bf": "2"},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "mjpeg.mov": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "turned-90.mp4": {"rotation": 90},
    "turned-180.mov": {"rotation": 180},
    "turned-270.mkv": {"rotation": 270},
}


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return [SMALL.picture(number) for number in range(LENGTH)]


def read(
    path: Path, *, windows: int = 4, length: int = 20, limits: Limits | None = None
) -> tuple[VideoFacts, list[Frame], bool]:
    with open_clip(path, windows=windows, window_length=length, limits=limits or Limits()) as clip:
        frames = list(clip.frames())
        assert len(frames) <= clip.expected
        return clip.video, frames, clip.truncated


def decoded(path: Path) -> list[Picture]:
    """Every frame by plain decoding from the start, as training's cache does it."""
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [np.rot90(f.to_ndarray(format="rgb24"), round(f.rotation / 90) % 4) for f in frames]


@pytest.mark.parametrize("name", KINDS)
def test_frames_are_those_of_plain_decoding_under_their_own_number(
    name: str, pictures: list[Picture], tmp_path: Path
) -> None:
    path = write_clip(tmp_path / name, pictures, **KINDS[name])
    reference = decoded(path)
    video, frames, truncated = read(path)
    assert not truncated
    assert video.frames == len(reference) == LENGTH
    assert len(frames) == 80
    assert (video.height, video.width) == reference[0].shape[:2] == frames[0].picture.shape[:2]
    for frame in frames:
        assert np.array_equal(frame.picture, reference[frame.index]), frame.index
        assert frame.time_s == pytest.approx(frame.index / 25, abs=0.002)


def test_mpeg_is_read_only_where_it_is_allowed(pictures: list[Picture], tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mpg", pictures, codec="mpeg2video", g="12")
    reference = decoded(path)
    with pytest.raises(AnalysisError) as caught:
        read(path)
    assert caught.value.code == Failure.UNSUPPORTED
    with open_clip(path, windows=4, window_length=20, limits=Limits(), allow_mpeg=True) as opened:
        frames = list(opened.frames())
    assert opened.video.codec == "mpeg2video"
    assert len(frames) == 80
    assert all(np.array_equal(frame.picture, reference[frame.index]) for frame in frames)


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("a.mp4", "mp4", "libx264"),
        ("a.mov", "mov", "libx264"),
        ("a.mkv", "mkv", "libx264"),
        ("a.webm", "webm", "libvpx-vp9"),
        ("a.avi", "avi", "mpeg4"),
    ],
)
def test_a_clip_says_what_it_is(name: str, container: str, codec: str, tmp_path: Path) -> None:
    path = face_clip(tmp_path / name, seconds=2, codec=codec, sound=container != "webm")
    video, frames, _ = read(path)
    assert video.container == container
    assert video.codec == {"libx264": "h264", "libvpx-vp9": "vp9", "mpeg4": "mpeg4"}[codec]
    assert (video.width, video.height, video.frames, video.rotation) == (640, 360, 50, 0)
    assert video.fps == pytest.approx(25, abs=0.01)
    assert video.duration_s == pytest.approx(2, abs=0.1)
    assert video.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [f.window for f in frames] == [0] * 20 + [1] * 20


def test_a_turned_clip_has_the_size_that_a_player_shows(tmp_path: Path) -> None:
    video, frames, _ = read(face_clip(tmp_path / "a.mp4", seconds=1, rotation=90))
    assert (video.width, video.height, video.rotation) == (360, 640, 90)
    assert frames[0].picture.shape == (640, 360, 3)
    # The stored picture's upper left corner is dark blue, and turned clockwise it is at the upper right.
    first = decoded(face_clip(tmp_path / "b.mp4", seconds=1))[frames[0].index]
    assert np.abs(frames[0].picture[5, -5].astype(int) - first[5, 5]).max() < 12


def test_a_variable_rate_is_read_by_its_timestamps(tmp_path: Path) -> None:
    stamps = uneven(100)
    _, frames, _ = read(face_clip(tmp_path / "a.mp4", seconds=4, size=(160, 96), vfr=True))
    assert [f.time_s for f in frames] == pytest.approx([stamps[f.index] / 1000 for f in frames], abs=0.001)


def test_odd_sizes_are_kept(tmp_path: Path) -> None:
    path = face_clip(tmp_path / "a.mp4", seconds=1, size=(161, 97), pix_fmt="yuv444p")
    video, frames, _ = read(path)
    assert (video.width, video.height) == (161, 97)
    assert np.array_equal(frames[0].picture, decoded(path)[frames[0].index])


def test_oblong_pixels_are_made_square(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(3, 2)
        for number in range(5):
            out.mux(stream.encode(flat(number, WHITE, "yuv420p")))
        out.mux(stream.encode())
    video, frames, _ = read(path)
    assert (video.width, video.height) == (240, 120)
    assert frames[0].picture.shape == (120, 240, 3)


def flat(number: int, colour: tuple[int, int, int], pix_fmt: str) -> av.VideoFrame:
    frame = av.VideoFrame(160, 120, pix_fmt)
    for plane, value in zip(frame.planes, colour, strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.pts = number
    return frame


def flat_clip(path: Path, colour: tuple[int, int, int], *, color_range: int, colorspace: int) -> Picture:
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.color_range, stream.codec_context.colorspace = color_range, colorspace
        for number in range(3):
            frame = flat(number, colour, "yuv420p")
            frame.color_range, frame.colorspace = color_range, colorspace
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return read(path)[1][0].picture


@pytest.mark.parametrize(
    ("colour", "color_range", "colorspace", "rgb"),
    [
        (WHITE, 1, 6, (255, 255, 255)),
        (BLACK, 1, 6, (0, 0, 0)),
        ((255, 128, 128), 2, 6, (255, 255, 255)),
        ((0, 128, 128), 2, 6, (0, 0, 0)),
        ((63, 102, 240), 1, 1, (255, 0, 0)),  # red in BT.709
        ((81, 90, 240), 1, 6, (255, 0, 0)),  # red in BT.601
    ],
)
def test_colours_follow_the_range_and_matrix_that_a_clip_states(
    colour: tuple[int, int, int], color_range: int, colorspace: int, rgb: tuple[int, int, int], tmp_path: Path
) -> None:
    picture = flat_clip(tmp_path / "a.mp4", colour, color_range=color_range, colorspace=colorspace)
    assert np.abs(picture[60, 80].astype(int) - rgb).max() <= 4


@pytest.mark.parametrize(
    "name", ["-", "-i.mp4", "concat:a.mp4", "http:a.mp4", "über größe 影片.mp4", "a\nb.mp4", "%05d.mp4"]
)
def test_any_file_name_is_only_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_bytes(face_clip(tmp_path / "good.mp4", seconds=0.4, size=(160, 96)).read_bytes())
    monkeypatch.chdir(tmp_path)
    assert read(Path(name))[0].frames == 10


def test_a_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    path.write_bytes(face_clip(tmp_path / "good.mp4", seconds=0.4, size=(160, 96)).read_bytes())
    assert read(path)[0].frames == 10


@pytest.mark.parametrize(
    "name", ["h264-fragments.mp4", "h264-open-gop.mkv", "h264-b-frames.avi", "mjpeg.avi"]
)
def test_a_clip_that_ends_early_is_read_as_far_as_it_goes_and_says_so(
    name: str, pictures: list[Picture], tmp_path: Path
) -> None:
    path = write_clip(tmp_path / name, pictures, **KINDS[name])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    video, frames, truncated = read(path)
    assert truncated
    assert 0.4 * LENGTH < video.frames < 0.8 * LENGTH
    assert frames


def test_damage_in_the_middle_costs_only_the_frames_it_hits(pictures: list[Picture], tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mov", pictures, codec="mjpeg", pix_fmt="yuvj420p")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(content)
    _, frames, _ = read(path)
    assert len(frames) > 70


# Limits


def failure(path: Path, **limits: Any) -> AnalysisError:
    with pytest.raises(AnalysisError) as caught:
        read(path, limits=Limits(**limits))
    return caught.value


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return face_clip(tmp_path_factory.mktemp("clips") / "good.mp4", seconds=2)


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frame of 25 megapixels, sixty times over: seconds of decoding."""
    path = tmp_path_factory.mktemp("clips") / "heavy.mov"
    return make_huge_picture(path, side=5000, times=60)


def test_too_long_a_wait_ends_the_child(clip: Path) -> None:
    assert failure(clip, decode_wall_s=0.01).code == Failure.TIMED_OUT


def test_too_much_processor_time_ends_the_child(heavy: Path) -> None:
    assert failure(heavy, decode_cpu_s=1).code == Failure.TIMED_OUT


def test_too_much_memory_ends_the_child(heavy: Path) -> None:
    assert failure(heavy, decode_memory_bytes=400 * 1024**2).code == Failure.CRASHED


def test_pictures_are_measured_before_they_are_decoded(heavy: Path) -> None:
    assert failure(heavy, max_pixels=24_999_999).code == Failure.TOO_MANY_PIXELS


def test_a_child_that_dies_is_noticed_at_once(heavy: Path) -> None:
    others = set(children_of(os.getpid()))
    with open_clip(heavy, windows=4, window_length=15, limits=Limits()) as opened:
        frames = opened.frames()
        next(frames)
        (child,) = set(children_of(os.getpid())) - others
        os.kill(child, signal.SIGKILL)
        with pytest.raises(AnalysisError) as caught:
            list(frames)
    assert caught.value.code == Failure.CRASHED


def test_a_caller_who_stops_is_obeyed_at_once(heavy: Path) -> None:
    asked = []

    def stop() -> bool:
        asked.append(time.monotonic())
        return len(asked) > 1

    with (
        pytest.raises(AnalysisError) as caught,
        open_clip(heavy, windows=4, window_length=15, limits=Limits(), should_stop=stop) as opened,
    ):
        list(opened.frames())
    assert caught.value.code == Failure.CANCELLED
    assert time.monotonic() - asked[-1] < 1


def test_no_child_outlives_its_reader(heavy: Path) -> None:
    before = children_of(os.getpid())
    with open_clip(heavy, windows=4, window_length=15, limits=Limits()) as opened:
        next(opened.frames())
        assert len(children_of(os.getpid())) == len(before) + 1
    assert children_of(os.getpid()) == before


def test_a_child_dies_with_its_parent(heavy: Path) -> None:
    code = (
        "import sys, time; from detector.reading import open_clip; from detector.config import Limits\n"
        "clip = open_clip(sys.argv[1], windows=4, window_length=15, limits=Limits())\n"
        "next(clip.frames()); print('ready', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(heavy)], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        (child,) = children_of(parent.pid)
    finally:
        parent.kill()
        parent.communicate(timeout=20)
    assert wait_for(lambda: not is_running(child))


def test_the_child_knows_nothing_of_its_parents_environment(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret")
    others = set(children_of(os.getpid()))
    with open_clip(clip, windows=1, window_length=20, limits=Limits()):
        (child,) = set(children_of(os.getpid())) - others
        assert Path(f"/proc/{child}/environ").read_bytes() == b""
        limits = Path(f"/proc/{child}/limits").read_text(encoding="ascii")
    assert "Max file size             0 " in limits
    assert "Max core file size        0 " in limits


def test_the_child_loads_neither_numpy_nor_torch() -> None:
    code = "import sys, detector.decoding, detector.transcoding\nprint({'numpy', 'torch'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "set()\n"


def children_of(pid: int) -> list[int]:
    """Of all its threads; one that has ended meanwhile has none."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (task / "children").read_text().split())
    return sorted(found)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> bool:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True
