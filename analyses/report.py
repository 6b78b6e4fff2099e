"""A result document as the page shows it: typed, joined, with the numbers in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analyses.detection import REASON_SENTENCES, Document, Reason
from analyses.models import Analysis
from analyses.wording import VERDICTS, VerdictWords


@dataclass(frozen=True, slots=True)
class ScoredFrame:
    frame: int
    time_s: float
    track: int
    score: float


@dataclass(frozen=True, slots=True)
class EvidencePair:
    """A frame that drove the verdict; ``crop`` and ``heatmap`` are names of evidence images."""

    track: int
    frame: int
    time_s: float
    crop: str
    heatmap: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Face:
    """One person on screen. ``strongest_s`` is when the highest score was seen."""

    track: int
    first_s: float
    last_s: float
    frames: int
    fake_probability: float | None
    verdict: str
    face_px: int
    sharpness: float
    yaw_deg: float
    reasons: tuple[tuple[str, str], ...]
    crop: str
    strongest_s: float | None

    @property
    def is_well_seen(self) -> bool:
        """Whether its score counts for the clip."""
        codes = {code for code, _ in self.reasons}
        return self.fake_probability is not None and codes <= {Reason.BETWEEN_THRESHOLDS}


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on the result page that comes from the document. The first face is the deciding one."""

    words: VerdictWords
    threshold: float
    reasons: tuple[tuple[str, str], ...]
    faces: tuple[Face, ...]
    frames: tuple[ScoredFrame, ...]
    evidence: tuple[EvidencePair, ...]
    duration_s: float
    frames_looked_at: int
    model: dict[str, Any]
    video: dict[str, Any]
    timing: dict[str, float]
    software: dict[str, str]
    stability: dict[str, Any] | None

    @property
    def lower_threshold(self) -> float:
        return 1 - self.threshold

    @property
    def deciding_face(self) -> Face | None:
        return self.faces[0] if self.faces else None

    @property
    def strongest_s(self) -> float | None:
        return self.faces[0].strongest_s if self.faces else None


def report_of(analysis: Analysis) -> Report:
    """Of a finished analysis that has a result."""
    document: Document = analysis.document or {}
    frames = tuple(
        ScoredFrame(entry["frame"], entry["time_s"], entry["track"], entry["score"])
        for entry in document["frames"]
    )
    evidence = _evidence(document, frames)
    return Report(
        words=VERDICTS[analysis.verdict],
        threshold=document["threshold"],
        reasons=_sentences(document["reasons"]),
        faces=_faces(document, frames, evidence),
        frames=frames,
        evidence=evidence,
        duration_s=_duration(document, frames),
        frames_looked_at=len({entry.frame for entry in frames}),
        **{key: document[key] for key in ("model", "video", "timing", "software", "stability")},
    )


def _sentences(codes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((code, REASON_SENTENCES[Reason(code)]) for code in codes)


def _duration(document: Document, frames: Sequence[ScoredFrame]) -> float:
    """The container's word, stretched where it is shorter than what was seen."""
    seen = max((entry.time_s for entry in frames), default=0.0)
    return max(float(document["video"]["duration_s"] or 0.0), seen, 0.1)


def _evidence(document: Document, frames: Sequence[ScoredFrame]) -> tuple[EvidencePair, ...]:
    scores = {(entry.track, entry.frame): entry.score for entry in frames}
    return tuple(
        EvidencePair(
            track=entry["track"],
            frame=entry["frame"],
            time_s=entry["time_s"],
            crop=entry["crop"],
            heatmap=entry["heatmap"],
            score=scores.get((entry["track"], entry["frame"])),
        )
        for entry in document["evidence"]
    )


def _faces(
    document: Document, frames: Sequence[ScoredFrame], evidence: Sequence[EvidencePair]
) -> tuple[Face, ...]:
    """Those that count for the verdict before those seen too badly."""
    faces = (_face(entry, frames, evidence) for entry in document["faces"])
    return tuple(sorted(faces, key=_rank))


def _rank(face: Face) -> tuple[bool, float, int]:
    """The clip's verdict goes by the highest score; where no face was seen well, by the one seen longest."""
    weight = (face.fake_probability or 0.0) if face.is_well_seen else float(face.frames)
    return not face.is_well_seen, -weight, face.track


def _face(entry: dict[str, Any], frames: Sequence[ScoredFrame], evidence: Sequence[EvidencePair]) -> Face:
    own = [frame for frame in frames if frame.track == entry["track"]]
    strongest = max(own, key=lambda frame: frame.score, default=None)
    return Face(
        track=entry["track"],
        first_s=entry["first_s"],
        last_s=entry["last_s"],
        frames=entry["frames"],
        fake_probability=entry["fake_probability"],
        verdict=entry["verdict"],
        face_px=entry["quality"]["face_px"],
        sharpness=entry["quality"]["sharpness"],
        yaw_deg=entry["quality"]["yaw_deg"],
        reasons=_sentences(entry.get("reasons", ())),
        crop=next((pair.crop for pair in evidence if pair.track == entry["track"]), ""),
        strongest_s=strongest.time_s if strongest else None,
    )
