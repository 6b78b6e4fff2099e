"""Verdicts from logits: thresholds, thin evidence, several faces."""

from math import inf, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.codes import Reason, Verdict
from detector.result import FaceQuality, FaceResult
from detector.verdict import TrackEvidence, any_fake, decide, judge_face, outcome, probability
from detector.weights import Calibration

PLAIN = Calibration(1.0, 0.0, "none", strangest=6.0)
GOOD = FaceQuality(face_px=180, sharpness=200.0, yaw_deg=5.0, strangeness=1.0)


def face(value: float, track: int = 1, *, frames: int = 60, quality: FaceQuality = GOOD) -> FaceResult:
    evidence = TrackEvidence(track, 0.0, 4.0, frames, log(value / (1 - value)), quality)
    return judge_face(evidence, PLAIN, 0.7)


def verdict_of(
    *faces: FaceResult, bits_per_pixel: float = 0.2, truncated: bool = False
) -> tuple[str, set[str]]:
    decision = decide(faces, 0.7, bits_per_pixel=bits_per_pixel, truncated=truncated)
    return str(decision.verdict), {str(reason) for reason in decision.reasons}


@pytest.mark.parametrize("logit", [nan, inf, -inf])
def test_a_score_that_is_not_a_number_never_becomes_a_probability(logit: float) -> None:
    with pytest.raises(ArithmeticError):
        probability(logit, PLAIN)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.70, "fake"),
        (0.6999, "inconclusive"),
        (0.30, "real"),
        (0.3001, "inconclusive"),
        (0.5, "inconclusive"),
    ],
)
def test_thresholds_belong_to_the_decided_side(value: float, expected: str) -> None:
    assert outcome(value, 0.7) == expected


def test_calibration_scales_and_shifts_the_logit() -> None:
    assert probability(2.0, Calibration(0.5, -1.0, "x")) == 0.5
    assert probability(4.0, Calibration(0.5, -1.0, "x")) == pytest.approx(0.7311)


def test_no_probability_claims_certainty() -> None:
    assert (probability(500.0, PLAIN), probability(-500.0, PLAIN)) == (0.999, 0.001)


def test_a_clip_without_a_face_is_inconclusive_with_its_reason() -> None:
    decision = decide([], 0.7, bits_per_pixel=0.2, truncated=False)
    assert decision.verdict == Verdict.INCONCLUSIVE
    assert decision.fake_probability is None
    assert decision.reasons == (Reason.NO_FACE,)


@pytest.mark.parametrize(
    ("frames", "quality", "reason"),
    [
        (11, GOOD, "too_few_frames"),
        (60, FaceQuality(35, 200.0, 5.0, 1.0), "face_too_small"),
        (60, FaceQuality(180, 1.0, 5.0, 1.0), "too_blurry"),
        (60, FaceQuality(180, 200.0, 80.0, 1.0), "extreme_pose"),
        (60, FaceQuality(180, 200.0, 5.0, 6.1), "out_of_scope"),
    ],
)
def test_thin_evidence_abstains_however_sure_the_model_is(
    frames: int, quality: FaceQuality, reason: str
) -> None:
    seen = face(0.99, frames=frames, quality=quality)
    assert seen.verdict == Verdict.INCONCLUSIVE
    assert verdict_of(seen) == ("inconclusive", {reason})


def test_one_swapped_face_among_five_makes_the_clip_fake() -> None:
    faces = [face(0.1, track) for track in (1, 2, 3, 4)] + [face(0.97, 5)]
    assert verdict_of(*faces) == ("fake", {"faces_disagree"})


def test_five_faces_that_are_each_unsure_do_not_add_up_to_a_fake() -> None:
    assert verdict_of(*[face(0.6, track) for track in range(1, 6)]) == (
        "inconclusive",
        {"between_thresholds"},
    )


def test_a_badly_seen_face_does_not_decide_over_a_well_seen_one() -> None:
    blurred = face(0.99, 2, quality=FaceQuality(180, 0.5, 5.0, 1.0))
    assert verdict_of(face(0.1, 1), blurred)[0] == "real"


def test_strong_compression_takes_back_any_verdict() -> None:
    assert verdict_of(face(0.1), bits_per_pixel=0.001) == ("inconclusive", {"low_bitrate"})
    assert verdict_of(face(0.95), bits_per_pixel=0.001) == ("inconclusive", {"low_bitrate"})


def test_a_truncated_clip_is_judged_on_what_is_there_and_says_so() -> None:
    assert verdict_of(face(0.95), truncated=True) == ("fake", {"truncated"})


@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=12))
def test_a_clip_is_never_more_suspicious_than_its_most_suspicious_face(values: list[float]) -> None:
    assert min(values) - 1e-3 <= any_fake(values) <= max(values) + 1e-3


@given(st.floats(0.001, 0.999))
def test_one_face_alone_keeps_its_probability(value: float) -> None:
    assert any_fake([value]) == pytest.approx(value, abs=1e-4)
