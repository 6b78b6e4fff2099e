"""From logits to a verdict: calibration, evidence that is too thin, several faces, thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, isfinite
from statistics import median

from detector.codes import Reason, Verdict
from detector.result import FaceQuality, FaceResult
from detector.weights import Calibration

MIN_FRAMES = 12
"""Frames in which a face must be seen to be judged; with fewer, neither a mean nor an LSTM says much."""
MIN_FACE_PX = 36
"""From this height on the model tells small faces as well as larger ones; below it was seldom measured."""
MIN_SHARPNESS = 4.0
MAX_YAW_DEG = 65.0
MIN_BITS_PER_PIXEL = 0.008
"""Below it blocks and smears look forged to the model: half of the tune clips that it calls fake are real."""


@dataclass(frozen=True, slots=True)
class TrackEvidence:
    """What is known of one face: its logit (None where it was never scored) and how well it was seen."""

    track: int
    first_s: float
    last_s: float
    frames: int
    logit: float | None
    quality: FaceQuality


@dataclass(frozen=True, slots=True)
class Decision:
    """The clip's verdict, with the face that drove it (None where there was no face)."""

    verdict: Verdict
    fake_probability: float | None
    reasons: tuple[Reason, ...]
    deciding_track: int | None


def probability(logit: float, calibration: Calibration) -> float:
    """The calibrated probability of fake to four decimals, kept from saying 0 or 1.

    Raises ArithmeticError for a logit that is no number: clipping would make a certain answer of it.
    """
    if not isfinite(logit):
        raise ArithmeticError(f"the model gave {logit}")
    value = calibration.scale * logit + calibration.offset
    return round(min(0.999, max(0.001, 1 / (1 + exp(-max(-30.0, min(30.0, value)))))), 4)


def outcome(value: float, threshold: float) -> Verdict:
    """``fake`` at or above the threshold, ``real`` at or below its mirror image, else ``inconclusive``."""
    if value >= threshold:
        return Verdict.FAKE
    return Verdict.REAL if value <= 1 - threshold + 1e-9 else Verdict.INCONCLUSIVE


def too_thin(evidence: TrackEvidence, strangest: float) -> tuple[Reason, ...]:
    """Why this face can't be judged; empty where it was observed well."""
    quality = evidence.quality
    failed = {
        Reason.TOO_FEW_FRAMES: evidence.frames < MIN_FRAMES or evidence.logit is None,
        Reason.FACE_TOO_SMALL: quality.face_px < MIN_FACE_PX,
        Reason.TOO_BLURRY: quality.sharpness < MIN_SHARPNESS,
        Reason.EXTREME_POSE: quality.yaw_deg > MAX_YAW_DEG,
        Reason.OUT_OF_SCOPE: quality.strangeness > strangest,
    }
    return tuple(reason for reason, is_so in failed.items() if is_so)


def judge_face(evidence: TrackEvidence, calibration: Calibration, threshold: float) -> FaceResult:
    """One face's result: a verdict only where it was observed well."""
    reasons = too_thin(evidence, calibration.strangest)
    value = None if evidence.logit is None else probability(evidence.logit, calibration)
    verdict = Verdict.INCONCLUSIVE if reasons or value is None else outcome(value, threshold)
    if not reasons and verdict == Verdict.INCONCLUSIVE:
        reasons = (Reason.BETWEEN_THRESHOLDS,)
    return FaceResult(
        track=evidence.track,
        first_s=evidence.first_s,
        last_s=evidence.last_s,
        frames=evidence.frames,
        fake_probability=value,
        verdict=verdict,
        quality=evidence.quality,
        reasons=reasons,
    )


def any_fake(probabilities: Sequence[float]) -> float:
    """The probability that one of several faces is fake, for a prior of one in two for the clip.

    A face's calibrated odds are its likelihood ratio. A fake clip is taken to have one manipulated face,
    any of them equally likely beforehand, so the clip's likelihood ratio is the mean of the faces'. Looking
    at more faces then never makes a clip more suspicious by chance alone.
    """
    odds = fsum(p / (1 - p) for p in probabilities) / len(probabilities)
    return round(odds / (1 + odds), 4)


def decide(
    faces: Sequence[FaceResult], threshold: float, *, bits_per_pixel: float, truncated: bool
) -> Decision:
    """The clip's verdict from its faces."""
    scored = [face for face in faces if face.fake_probability is not None]
    well_seen = [face for face in scored if not set(face.reasons) - {Reason.BETWEEN_THRESHOLDS}]
    extra = (Reason.TRUNCATED,) if truncated else ()
    if not well_seen:
        return _undecided(faces, scored, extra)
    value = any_fake([face.fake_probability or 0.0 for face in well_seen])
    verdict = outcome(value, threshold)
    reasons: list[Reason] = []
    if verdict == Verdict.INCONCLUSIVE:
        reasons.append(Reason.BETWEEN_THRESHOLDS)
    if bits_per_pixel < MIN_BITS_PER_PIXEL:
        reasons.append(Reason.LOW_BITRATE)
        verdict = Verdict.INCONCLUSIVE
    if {Verdict.FAKE, Verdict.REAL} <= {face.verdict for face in well_seen}:
        reasons.append(Reason.FACES_DISAGREE)
    return Decision(verdict, value, (*reasons, *extra), most_suspicious(well_seen).track)


def _undecided(
    faces: Sequence[FaceResult], scored: Sequence[FaceResult], extra: tuple[Reason, ...]
) -> Decision:
    """No face was observed well: the reasons of the one seen longest, and a probability for the record."""
    if not faces:
        return Decision(Verdict.INCONCLUSIVE, None, (Reason.NO_FACE, *extra), None)
    longest = max(scored or faces, key=lambda face: face.frames)
    return Decision(Verdict.INCONCLUSIVE, longest.fake_probability, (*longest.reasons, *extra), longest.track)


def most_suspicious(faces: Sequence[FaceResult]) -> FaceResult:
    return max(faces, key=lambda face: face.fake_probability or 0.0)


def middle(values: Sequence[float]) -> float:
    """The median, rounded for a document."""
    return round(float(median(values)), 1)
