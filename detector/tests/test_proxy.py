"""Copies that browsers can play."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from detector.codes import Failure
from detector.config import Limits
from detector.errors import AnalysisError
from detector.proxy import make_proxy, needs_proxy
from detector.reading import open_clip
from detector.tests.clips import Scene, face_clip, make_audio_only, make_corrupt, make_truncated, write_clip

PLAYABLE: dict[str, dict[str, Any]] = {
    "h264.mp4": {},
    "h264.mov": {"sound": True},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "av1.mp4": {"codec": "libsvtav1"},
}
UNPLAYABLE: dict[str, dict[str, Any]] = {
    "mpeg4.avi": {"codec": "mpeg4"},
    "mpeg4.mp4": {"codec": "mpeg4"},
    "mjpeg.mov": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "h264.avi": {},
    "h264.mkv": {"sound": True},
    "hevc.mp4": {"codec": "libx265"},
    "hevc-10-bit.mp4": {"codec": "libx265", "pix_fmt": "yuv420p10le"},
    "h264-10-bit.mp4": {"pix_fmt": "yuv420p10le"},
    "h264-444.mp4": {"pix_fmt": "yuv444p"},
    "matroska-inside.mp4": {"container": "matroska"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    path = tmp_path / "clips"
    path.mkdir()
    return path


def small(path: Path, **writing: Any) -> Path:
    return face_clip(path, seconds=0.6, size=(320, 180), **writing)


@pytest.mark.parametrize("name", PLAYABLE)
def test_what_browsers_play_needs_no_proxy(name: str, tmp_path: Path) -> None:
    assert not needs_proxy(small(tmp_path / name, **PLAYABLE[name]))


@pytest.mark.parametrize("name", UNPLAYABLE)
def test_the_proxy_of_any_other_clip_plays(name: str, tmp_path: Path) -> None:
    path = small(tmp_path / name, **UNPLAYABLE[name])
    assert needs_proxy(path)
    target = tmp_path / "proxy.mp4"
    make_proxy(path, target, limits=Limits())
    assert not needs_proxy(target)
    content = target.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat"), "a browser would have to load all of it first"
    shown, original = frames(target), frames(path)
    assert len(shown) == len(original) == 15
    assert np.abs(shown[7].astype(int) - original[7]).mean() < 8


def frames(path: Path) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    with open_clip(path, windows=1, window_length=40, limits=Limits()) as clip:
        return [frame.picture for frame in clip.frames()]


def test_a_large_clip_is_made_smaller(tmp_path: Path) -> None:
    scene = Scene((1442, 1082))
    path = write_clip(tmp_path / "large.avi", (scene.picture(n) for n in range(3)), codec="mpeg4")
    make_proxy(path, tmp_path / "proxy.mp4", limits=Limits())
    assert frames(tmp_path / "proxy.mp4")[0].shape == (720, 960, 3)


def test_a_turned_clip_is_still_shown_upright(tmp_path: Path) -> None:
    path = small(tmp_path / "turned.mkv", rotation=90)
    make_proxy(path, tmp_path / "proxy.mp4", limits=Limits())
    shown, original = frames(tmp_path / "proxy.mp4"), frames(path)
    assert shown[0].shape == original[0].shape == (320, 180, 3)
    assert np.abs(shown[0].astype(int) - original[0]).mean() < 8


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    path = small(tmp_path / "uneven.mkv", vfr=True)
    make_proxy(path, tmp_path / "proxy.mp4", limits=Limits())
    assert times(tmp_path / "proxy.mp4") == pytest.approx(times(path), abs=0.001)


def times(path: Path) -> list[float]:
    with open_clip(path, windows=1, window_length=40, limits=Limits()) as clip:
        return [frame.time_s for frame in clip.frames()]


def test_a_clip_that_ends_early_has_a_proxy_of_what_is_there(tmp_path: Path) -> None:
    make_proxy(make_truncated(tmp_path / "cut.mp4"), tmp_path / "proxy.mp4", limits=Limits())
    with av.open(str(tmp_path / "proxy.mp4")) as container:
        assert 20 < container.streams.video[0].frames < 75


@pytest.mark.parametrize(
    ("make", "code"), [(make_corrupt, Failure.UNREADABLE), (make_audio_only, Failure.NOT_VIDEO)]
)
def test_a_bad_clip_leaves_nothing_behind(make: Any, code: Failure, folder: Path) -> None:
    path = make(folder / "bad.mp4")
    with pytest.raises(AnalysisError) as caught:
        make_proxy(path, folder / "proxy.mp4", limits=Limits())
    assert caught.value.code == code
    assert list(folder.iterdir()) == [path]
    with pytest.raises(AnalysisError):
        needs_proxy(path)


def test_a_proxy_that_takes_too_long_leaves_nothing_behind(folder: Path) -> None:
    path = small(folder / "good.avi", codec="mpeg4")
    with pytest.raises(AnalysisError) as caught:
        make_proxy(path, folder / "proxy.mp4", limits=Limits(decode_wall_s=0.02))
    assert caught.value.code == Failure.TIMED_OUT
    assert list(folder.iterdir()) == [path]
