"""A result document as the page shows it: typed, joined, with the numbers in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median
from typing import Any

from analyses.detection import REASON_SENTENCES, Document, Reason, Verdict
from analyses.models import Analysis
from analyses.wording import VERDICTS, QualityWords, VerdictWords, quality_ranges, quality_words


@dataclass(frozen=True, slots=True)
class ScoredFrame:
    frame: int
    time_s: float
    track: int
    score: float
    box: tuple[int, int, int, int] | None = None
    """x, y, width and height in pixels of the upright picture."""


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive frames that were looked at; ``scored`` of them show a face that could be scored."""

    first_s: float
    last_s: float
    frames: int
    scored: int
    tracks: tuple[int, ...]

    @property
    def without_face(self) -> int:
        return self.frames - self.scored


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
    """One person on screen.

    ``seen_s``: how long, of the time that was looked at. ``strongest_s``: when the highest score was seen.
    ``frames_fake`` and ``frames_real``: frames whose score lies at or beyond the limit for that.
    """

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
    seen_s: float
    frames_fake: int
    frames_real: int

    @property
    def quality(self) -> tuple[QualityWords, ...]:
        return quality_words(self.face_px, self.sharpness, self.yaw_deg)

    @property
    def is_against_its_frames(self) -> bool:
        """Whether more of its frames lie, by themselves, on the other side than on that of its verdict."""
        surplus = self.frames_fake - self.frames_real
        return {Verdict.FAKE: surplus < 0, Verdict.REAL: surplus > 0}.get(Verdict(self.verdict), False)

    @property
    def is_well_seen(self) -> bool:
        """Whether its score counts for the clip."""
        codes = {code for code, _ in self.reasons}
        return self.fake_probability is not None and codes <= {Reason.BETWEEN_THRESHOLDS}


@dataclass(frozen=True, slots=True)
class TableRow:
    """One frame; ``scores`` in the order of ``Report.tracks``, None where a face has none."""

    frame: int
    time_s: float
    scores: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on the result page that comes from the document. The first face is the deciding one."""

    words: VerdictWords
    threshold: float
    reasons: tuple[tuple[str, str], ...]
    faces: tuple[Face, ...]
    frames: tuple[ScoredFrame, ...]
    evidence: tuple[EvidencePair, ...]
    windows: tuple[Window, ...]
    duration_s: float
    size_bytes: int
    frame_s: float
    """Seconds from one frame that was looked at to the next."""
    frames_looked_at: int
    model: dict[str, Any]
    video: dict[str, Any]
    timing: dict[str, float]
    software: dict[str, str]
    stability: dict[str, Any] | None
    provenance: dict[str, Any] | None

    @property
    def lower_threshold(self) -> float:
        return 1 - self.threshold

    @property
    def tracks(self) -> tuple[int, ...]:
        """Faces with a score, by their numbers."""
        return tuple(sorted({frame.track for frame in self.frames}))

    @property
    def table(self) -> list[TableRow]:
        ordered = sorted(self.frames, key=lambda frame: (frame.frame, frame.track))
        return [_table_row(list(same), self.tracks) for _, same in groupby(ordered, key=lambda f: f.frame)]

    @property
    def quality(self) -> tuple[QualityWords, ...]:
        """How well the faces were seen, from the worst to the best of each measure."""
        if not self.faces:
            return ()
        measures = [
            [getattr(face, name) for face in self.faces] for name in ("face_px", "sharpness", "yaw_deg")
        ]
        return quality_ranges(*((min(values), max(values)) for values in measures))

    @property
    def frames_in_windows(self) -> int:
        """0 in a document of an earlier version, which doesn't tell what was looked at."""
        return sum(window.frames for window in self.windows)

    @property
    def frames_without_face(self) -> int:
        return sum(window.without_face for window in self.windows)

    @property
    def looked_at_s(self) -> float:
        return sum(window.last_s - window.first_s for window in self.windows) + self.frame_s * len(
            self.windows
        )

    @property
    def kilobits_per_second(self) -> float:
        """Of the whole file, sound and all."""
        return self.size_bytes * 8 / 1000 / self.duration_s

    @property
    def deciding_face(self) -> Face | None:
        return self.faces[0] if self.faces else None

    @property
    def strongest_s(self) -> float | None:
        return self.faces[0].strongest_s if self.faces else None


def report_of(analysis: Analysis) -> Report:
    """Of a finished analysis that has a result."""
    document: Document = analysis.document or {}
    frames = tuple(_frame(entry) for entry in document["frames"])
    evidence = _evidence(document, frames)
    frame_s = _frame_s(frames)
    return Report(
        words=VERDICTS[analysis.verdict],
        threshold=document["threshold"],
        reasons=_sentences(document["reasons"]),
        faces=_faces(document, frames, evidence, frame_s),
        frames=frames,
        evidence=evidence,
        windows=tuple(_window(entry, frames) for entry in document.get("windows", ())),
        duration_s=_duration(document, frames),
        size_bytes=analysis.video.size_bytes,
        frame_s=frame_s,
        frames_looked_at=len({entry.frame for entry in frames}),
        **{key: document[key] for key in ("model", "video", "timing", "software", "stability")},
        provenance=document.get("provenance"),
    )


def deciding_crop(document: Document) -> str:
    """The picture of the face that decided the verdict; of any face, where that one has none; or empty."""
    evidence = _evidence(document, ())
    faces = _faces(document, (), evidence, 0.0)
    crops = [face.crop for face in faces[:1]] + [pair.crop for pair in evidence]
    return next(filter(None, crops), "")


def _sentences(codes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((code, REASON_SENTENCES[Reason(code)]) for code in codes)


def _table_row(same: Sequence[ScoredFrame], tracks: Sequence[int]) -> TableRow:
    scores = {frame.track: frame.score for frame in same}
    return TableRow(same[0].frame, same[0].time_s, tuple(scores.get(track) for track in tracks))


def _frame(entry: dict[str, Any]) -> ScoredFrame:
    box = entry.get("box")
    return ScoredFrame(
        entry["frame"], entry["time_s"], entry["track"], entry["score"], tuple(box) if box else None
    )


def _frame_s(frames: Sequence[ScoredFrame]) -> float:
    times = sorted({frame.time_s for frame in frames})
    return median([after - before for before, after in pairwise(times)] or [0.0])


def _window(entry: dict[str, Any], frames: Sequence[ScoredFrame]) -> Window:
    inside = [frame for frame in frames if entry["first_frame"] <= frame.frame <= entry["last_frame"]]
    return Window(
        first_s=entry["first_s"],
        last_s=entry["last_s"],
        frames=entry["frames"],
        scored=len({frame.frame for frame in inside}),
        tracks=tuple(sorted({frame.track for frame in inside})),
    )


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
    document: Document, frames: Sequence[ScoredFrame], evidence: Sequence[EvidencePair], frame_s: float
) -> tuple[Face, ...]:
    """Those that count for the verdict before those seen too badly."""
    faces = (_face(entry, frames, evidence, frame_s, document["threshold"]) for entry in document["faces"])
    return tuple(sorted(faces, key=_rank))


def _rank(face: Face) -> tuple[bool, float, int]:
    """The clip's verdict goes by the highest score; where no face was seen well, by the one seen longest."""
    weight = (face.fake_probability or 0.0) if face.is_well_seen else float(face.frames)
    return not face.is_well_seen, -weight, face.track


def _face(
    entry: dict[str, Any],
    frames: Sequence[ScoredFrame],
    evidence: Sequence[EvidencePair],
    frame_s: float,
    threshold: float,
) -> Face:
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
        seen_s=frame_s * len(own),
        frames_fake=sum(frame.score >= threshold for frame in own),
        frames_real=sum(frame.score <= 1 - threshold + 1e-9 for frame in own),
    )
