"""Every bad or odd file has its stable code, the same from reader, door and command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import detector
from detector.codes import FAILURE_SENTENCES, REASON_SENTENCES, Failure, Reason, Verdict
from detector.command_line import ANALYSED, SOME_FAILED, main
from detector.config import DetectorConfig, Limits
from detector.errors import AnalysisError
from detector.reading import open_clip
from detector.tests import clips
from detector.tests.documents import check_document
from detector.tests.tiny import write_tiny_weights

Maker = Callable[[Path], Path]


def good(folder: Path) -> Path:
    return clips.face_clip(folder / "good.mp4", seconds=0.4, size=(160, 96))


FAILING: dict[str, tuple[Maker, Failure]] = {
    "empty.mp4": (clips.make_empty, Failure.EMPTY),
    "text.mp4": (clips.make_text, Failure.NOT_VIDEO),
    "ffconcat.mp4": (lambda path: clips.make_ffconcat(path, good(path.parent)), Failure.NOT_VIDEO),
    "hls.mp4": (lambda path: clips.make_hls(path, good(path.parent)), Failure.NOT_VIDEO),
    "audio.mp4": (clips.make_audio_only, Failure.NOT_VIDEO),
    "picture.mp4": (clips.make_png, Failure.NOT_VIDEO),
    "headless.mp4": (clips.make_headless, Failure.UNREADABLE),
    "corrupt.mp4": (clips.make_corrupt, Failure.UNREADABLE),
    "no-frames.mp4": (clips.make_zero_frames, Failure.UNREADABLE),
    "folder.mp4": (clips.make_folder, Failure.UNREADABLE),
    "missing.mp4": (lambda path: path, Failure.UNREADABLE),
    "stream.ts": (lambda path: clips.face_clip(path, seconds=0.4), Failure.UNSUPPORTED),
    "flash.flv": (lambda path: clips.face_clip(path, seconds=0.4, codec="flv"), Failure.UNSUPPORTED),
    "other-codec.mkv": (lambda path: clips.face_clip(path, seconds=0.4, codec="ffv1"), Failure.UNSUPPORTED),
    "8192x8192.mov": (clips.make_huge_picture, Failure.TOO_MANY_PIXELS),
    "ten-hours.mp4": (clips.make_ten_hours, Failure.TOO_LONG),
    "large.mp4": (lambda path: clips.make_over_limit(path, Limits().max_bytes), Failure.TOO_LARGE),
}

UNUSUAL: dict[str, tuple[Maker, Reason | None]] = {
    "truncated.mp4": (clips.make_truncated, Reason.TRUNCATED),
    "one-frame.mp4": (clips.make_one_frame, Reason.TOO_FEW_FRAMES),
    "no-face.mp4": (clips.make_no_face, Reason.NO_FACE),
    "one-fps.mp4": (clips.make_one_fps, None),
    "240-fps.mp4": (clips.make_fps_240, None),
    "matroska-named.mp4": (clips.make_wrong_extension, None),
    "größer 影片.mp4": (lambda path: clips.face_clip(path, seconds=1.2, size=(320, 180)), None),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def failing(folder: Path) -> dict[str, Path]:
    return {name: make(folder / name) for name, (make, _) in FAILING.items()}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_weights(tmp_path_factory.mktemp("weights"), bias=3.0)


@pytest.fixture(scope="module")
def config(weights: Path) -> DetectorConfig:
    return DetectorConfig(model_path=weights, device="cpu", windows=1, face_finder="haar")


@pytest.mark.parametrize("name", FAILING)
def test_the_reader_names_what_is_wrong(name: str, failing: dict[str, Path]) -> None:
    with pytest.raises(AnalysisError) as caught:
        open_clip(failing[name], windows=1, window_length=20, limits=Limits())
    assert caught.value.code == FAILING[name][1]


@pytest.mark.parametrize("name", FAILING)
def test_the_door_raises_the_same_code(name: str, failing: dict[str, Path], config: DetectorConfig) -> None:
    with pytest.raises(AnalysisError) as caught:
        detector.analyze(failing[name], config=config)
    assert caught.value.code == FAILING[name][1]


def test_the_command_line_says_the_same_in_json(
    failing: dict[str, Path], weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(weights, *failing.values(), json=True)
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert status == SOME_FAILED
    assert [document["path"] for document in documents] == [str(path) for path in failing.values()]
    for document, (_, code) in zip(documents, FAILING.values(), strict=True):
        check_document(document)
        assert document["error"] == {"code": code, "message": FAILURE_SENTENCES[code]}


def test_the_command_line_says_the_same_to_people(
    failing: dict[str, Path], weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(weights, *failing.values()) == SOME_FAILED
    lines = capsys.readouterr().out.splitlines()
    for path, (_, code) in zip(failing.values(), FAILING.values(), strict=True):
        heading = lines.index(f"failed: {path}")
        assert lines[heading + 1] == f"  {FAILURE_SENTENCES[code]} [{code}]"


def run(weights: Path, *paths: Path, json: bool = False) -> int:
    options = ["--model-path", str(weights), "--device", "cpu", "--face-finder", "haar"]
    return main(["analyze", *options, *(["--json"] if json else []), *map(str, paths)])


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_clip_has_a_result_with_its_reason(
    name: str, folder: Path, config: DetectorConfig
) -> None:
    make, reason = UNUSUAL[name]
    result = detector.analyze(make(folder / name), config=config)
    check_document(result.to_document(name))
    assert result.reasons == ((reason,) if reason else ())
    abstains = reason in (Reason.TOO_FEW_FRAMES, Reason.NO_FACE)
    assert result.verdict == (Verdict.INCONCLUSIVE if abstains else Verdict.FAKE)


def test_a_reason_is_said_with_its_sentence(
    folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(weights, clips.make_no_face(folder / "wall.mp4")) == ANALYSED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"inconclusive: {folder / 'wall.mp4'}"
    assert f"  {REASON_SENTENCES[Reason.NO_FACE]} [no_face]" in lines


def test_a_list_of_files_opens_none_of_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is refused for what it is, wherever it points: the clip that it names is a good one."""
    target = clips.face_clip(folder / "named.mp4", seconds=0.4, size=(160, 96))
    for make in (clips.make_ffconcat, clips.make_hls):
        listing: Any = make(folder / "listing.mp4", target)
        with pytest.raises(AnalysisError) as caught:
            open_clip(listing, windows=1, window_length=20, limits=Limits())
        assert caught.value.code == Failure.NOT_VIDEO


def test_limits_are_the_callers(folder: Path) -> None:
    clip = good(folder)
    size = clip.stat().st_size
    for limits, code in (
        (Limits(max_bytes=size - 1), Failure.TOO_LARGE),
        (Limits(max_duration_s=0.39), Failure.TOO_LONG),
        (Limits(max_pixels=160 * 96 - 1), Failure.TOO_MANY_PIXELS),
    ):
        with pytest.raises(AnalysisError) as caught:
            open_clip(clip, windows=1, window_length=20, limits=limits)
        assert caught.value.code == code
    exactly = Limits(max_bytes=size, max_duration_s=0.4, max_pixels=160 * 96)
    with open_clip(clip, windows=1, window_length=20, limits=exactly) as opened:
        assert len(list(opened.frames())) == 10
