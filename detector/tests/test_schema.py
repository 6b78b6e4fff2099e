"""The JSON Schema of the result document: in step with the code tables, and strict."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from detector.codes import Failure, Reason, Verdict
from detector.result import (
    AnalysisResult,
    Credentials,
    CredentialStatus,
    Evidence,
    FaceQuality,
    FaceResult,
    FrameScore,
    ModelFacts,
    Provenance,
    SampledWindow,
    Stability,
    StabilityVariant,
    StreamFacts,
    Tag,
    Timing,
    VideoFacts,
    error_document,
)
from detector.tests.documents import SCHEMA_PATH, check_document

Document = dict[str, Any]
Change = Callable[[Document], object]

FAKE_FACE = FaceResult(1, 0.0, 1.9, 20, 0.94, Verdict.FAKE, FaceQuality(180, 210.0, 8.0, 1.0))
REAL_FACE = FaceResult(2, 0.0, 1.9, 20, 0.1, Verdict.REAL, FaceQuality(90, 110.0, 20.0, 1.0))
RESULT = AnalysisResult(
    verdict=Verdict.FAKE,
    fake_probability=0.9,
    threshold=0.7,
    reasons=(Reason.FACES_DISAGREE,),
    model=ModelFacts("efficientnet_lstm", "1", "0" * 64, "validation clips"),
    video=VideoFacts("f" * 64, "mp4", "h264", 1920, 1080, 30.0, 12.4, 372, 0),
    faces=(FAKE_FACE, REAL_FACE),
    frames=(
        FrameScore(120, 4.0, 1, (612, 204, 180, 226), 0.85),
        FrameScore(120, 4.0, 2, (-3, 204, 80, 126), 0.2),
        FrameScore(121, 4.033, 1, (612, 204, 180, 226), 0.86),
    ),
    evidence=(Evidence(1, 120, 4.0, "1-120-crop.jpg", "1-120-heatmap.png", b"jpeg", b"png"),),
    stability=Stability(False, (StabilityVariant("crf32", 0.41), StabilityVariant("half_size", None))),
    timing=Timing(0.1, 0.9, 1.4, 1.1, 0.3, 3.9),
    software={"truthlens": "0.1.0", "torch": "2.14.1"},
    windows=(SampledWindow(0, 120, 149, 4.0, 4.967, 30),),
)
OPTIONAL: list[tuple[str | int, ...]] = [("windows",), ("faces", 0, "quality", "strangeness")]
"""Results of earlier versions don't have them."""


def document() -> Document:
    plain: Document = json.loads(json.dumps(RESULT.to_document("clip.mp4")))
    return plain


def test_a_full_result_is_valid() -> None:
    check_document(document())


PROVENANCE = Provenance(
    container_read=True,
    brand="isom",
    created="2026-01-02T03:04:05Z",
    streams=(StreamFacts("video", "h264", "profile High"),),
    tags=(Tag("container", "encoder", "Lavf62"),),
    tools=("FFmpeg or a program that uses it",),
    credentials=Credentials(CredentialStatus.NONE, "The file holds no Content Credentials."),
)


def test_a_document_of_before_has_no_provenance() -> None:
    assert "provenance" not in document()


def test_provenance_may_come_with_it() -> None:
    plain = json.loads(json.dumps(replace(RESULT, provenance=PROVENANCE).to_document("clip.mp4")))
    check_document(plain)
    assert plain["provenance"]["credentials"]["status"] == "none"
    plain["provenance"]["credentials"]["status"] = "perhaps"
    with pytest.raises(AssertionError):
        check_document(plain)


def test_every_status_of_credentials_is_in_the_schema() -> None:
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    known = schema["$defs"]["provenance"]["properties"]["credentials"]["properties"]["status"]["enum"]
    assert known == list(CredentialStatus)


def test_an_abstention_without_a_face_is_valid() -> None:
    check_document(without_face(document()))


def without_face(plain: Document) -> Document:
    nothing: Document = {
        "faces": [],
        "frames": [],
        "evidence": [],
        "stability": None,
        "fake_probability": None,
    }
    return plain | nothing | {"verdict": "inconclusive", "reasons": ["no_face"]}


@pytest.mark.parametrize("code", Failure)
def test_every_failure_is_valid(code: Failure) -> None:
    check_document(error_document("clip.mp4", code))


def test_added_fields_are_allowed() -> None:
    plain = document()
    for part in (plain, plain["video"], plain["faces"][0], plain["frames"][0]):
        part["added"] = "later"
    check_document(plain)


def test_the_code_lists_are_those_of_the_code_tables() -> None:
    parts = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))["$defs"]
    assert parts["verdict"]["enum"] == list(Verdict)
    assert parts["reasons"]["items"]["enum"] == list(Reason)
    assert parts["failureCode"]["enum"] == list(Failure)


def paths(value: Any, *before: str | int) -> list[tuple[str | int, ...]]:
    """The path of every named field in a document, once for a list."""
    if isinstance(value, list):
        return paths(value[0], *before, 0) if value else []
    if not isinstance(value, dict):
        return []
    return [path for name in value for path in [(*before, name), *paths(value[name], *before, name)]]


@pytest.mark.parametrize("path", [path for path in paths(document()) if path not in OPTIONAL], ids=str)
def test_every_field_is_required(path: tuple[str | int, ...]) -> None:
    with pytest.raises(AssertionError):
        check_document(document_without(path))


@pytest.mark.parametrize("path", OPTIONAL, ids=str)
def test_results_of_earlier_versions_are_valid(path: tuple[str | int, ...]) -> None:
    check_document(document_without(path))


def document_without(path: tuple[str | int, ...]) -> Document:
    plain = document()
    holder: Any = plain
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return plain


WRONG: dict[str, Change] = {
    "an unknown verdict": lambda d: d.update(verdict="maybe"),
    "an unknown reason": lambda d: d.update(reasons=["bad_light"]),
    "a reason twice": lambda d: d.update(reasons=["truncated", "truncated"]),
    "a percentage": lambda d: d.update(fake_probability=92),
    "a number as text": lambda d: d["video"].update(width="1920"),
    "half a frame": lambda d: d["frames"][0].update(frame=1.5),
    "a box of three": lambda d: d["frames"][0].update(box=[1, 2, 3]),
    "a checksum cut short": lambda d: d["model"].update(sha256="abc"),
    "a path as evidence": lambda d: d["evidence"][0].update(crop="../crop.jpg"),
    "another schema": lambda d: d.update(schema=2),
    "a result with an error": lambda d: d.update(error={"code": "empty", "message": "The file is empty."}),
    "no finite number": lambda d: d["faces"][0]["quality"].update(sharpness=float("nan")),
    "fake below the threshold": lambda d: d.update(fake_probability=0.69),
    "real above the mirrored threshold": lambda d: d["faces"][1].update(fake_probability=0.31),
    "a verdict without a score": lambda d: d.update(fake_probability=None),
    "abstaining without a reason": lambda d: d.update(verdict="inconclusive", reasons=[]),
    "no face, and yet one": lambda d: d.update(reasons=["no_face"]),
    "frames in disorder": lambda d: d["frames"].reverse(),
    "a frame twice": lambda d: d["frames"].append(d["frames"][-1]),
    "a frame of nobody": lambda d: d["frames"][0].update(track=7),
    "a frame after the end": lambda d: d["frames"][-1].update(frame=372),
    "a window without a frame": lambda d: d["windows"][0].update(frames=0),
    "a window that ends before it starts": lambda d: d["windows"][0].update(last_s=3.9),
    "a frame in no window": lambda d: d["windows"][0].update(first_frame=121),
    "evidence twice": lambda d: d["evidence"].append(d["evidence"][0]),
    "a face that ends before it starts": lambda d: d["faces"][0].update(first_s=2.0),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused(name: str) -> None:
    plain = document()
    WRONG[name](plain)
    with pytest.raises((AssertionError, ValueError)):
        check_document(plain)


def test_a_failure_with_another_sentence_is_refused() -> None:
    plain = error_document("clip.mp4", Failure.EMPTY)
    plain["error"]["message"] = "Traceback (most recent call last)"
    with pytest.raises(AssertionError):
        check_document(plain)


def test_bytes_of_images_stay_out_of_the_document() -> None:
    assert b"jpeg" not in json.dumps(document()).encode()
