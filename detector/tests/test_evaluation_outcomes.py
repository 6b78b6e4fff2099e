"""Which clips are reported together, and what is read from a document."""

from pathlib import Path
from typing import Any

from detector.codes import Failure
from detector.evaluation.judging import Judged
from detector.evaluation.measures import Outcome
from detector.evaluation.outcomes import Subset, main_subsets, outcome, subsets
from detector.result import error_document
from detector.training.labels import Clip

CLIP = Clip(Path("x.mp4"), True, "FF++-Deepfakes-c23", "g1", "val", "", "Deepfakes", "c23")


def face(frames: int, px: int, *reasons: str, probability: float | None = 0.8) -> dict[str, Any]:
    quality = {"face_px": px, "sharpness": 30.0, "yaw_deg": 2.0}
    return {"frames": frames, "fake_probability": probability, "quality": quality, "reasons": list(reasons)}


def test_quality_is_that_of_the_face_seen_longest() -> None:
    document = {
        "verdict": "fake",
        "fake_probability": 0.8,
        "timing": {"total_s": 1.5},
        "video": {"width": 400, "height": 200, "fps": 25.0},
        "faces": [face(20, 60), face(90, 140, "between_thresholds"), face(30, 20, "face_too_small")],
    }
    found = outcome(CLIP, Judged(document, 800.0))
    assert (found.face_px, found.sharpness, found.kbit_s, found.faces) == (140, 30.0, 800.0, 2)
    assert (found.frames, found.yaw_deg, found.bits_per_pixel) == (90, 2.0, 0.4)
    assert (found.method, found.compression, found.verdict, found.score) == ("Deepfakes", "c23", "fake", 0.8)


def test_a_clip_that_could_not_be_read_is_an_outcome_without_a_probability() -> None:
    found = outcome(CLIP, Judged(error_document("x.mp4", Failure.UNREADABLE), None))
    assert (found.verdict, found.probability, found.score, found.decided) == ("unreadable", None, 0.5, False)


def forensics(method: str, compression: str, fake: bool = True) -> Outcome:
    return Outcome(
        fake, "g", f"FF++-{method}-{compression}", "", 0.5, 1.0, method=method, compression=compression
    )


def named(parts: list[Subset], by: str, name: str) -> Subset:
    (found,) = [part for part in parts if (part.by, part.name) == (by, name)]
    return found


def test_fakes_stand_beside_the_reals_of_their_own_set_and_compression() -> None:
    outcomes = [
        forensics("Deepfakes", "c23"),
        forensics("Deepfakes", "c40"),
        forensics("original", "c23", fake=False),
        forensics("original", "c40", fake=False),
        Outcome(False, "v", "Vlogs", "", 0.1, 1.0),
    ]
    parts = subsets(outcomes)
    assert named(parts, "source", "FF++-Deepfakes-c40").places == (1, 3)
    assert named(parts, "method", "Deepfakes").places == (0, 1, 2, 3)
    assert named(parts, "compression", "c23").places == (0, 2)
    assert named(parts, "source", "Vlogs").places == (4,)
    assert named(parts, "set", "FaceForensics++").fakes == 2
    assert not [part for part in parts if part.name == "original"]


def test_fakes_of_a_set_without_reals_stand_beside_all_reals() -> None:
    outcomes = [Outcome(True, "a", "Other", "", 0.5, 1.0), Outcome(False, "b", "Vlogs", "", 0.5, 1.0)]
    assert named(subsets(outcomes), "source", "Other").places == (0, 1)
    assert [part.name for part in main_subsets(outcomes)] == ["all"]
