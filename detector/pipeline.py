"""The whole way from a file to a result, stage by stage."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import av
import cv2
import torch
from torch import Tensor

import detector
from detector.codes import Reason, Verdict
from detector.config import DetectorConfig
from detector.engine import Engine, engine_for
from detector.explain import explain
from detector.looking import Look, check, look
from detector.result import (
    AnalysisResult,
    Evidence,
    FaceResult,
    FrameScore,
    ModelFacts,
    ProgressHook,
    ScoresHook,
    Stability,
    StopHook,
    Timing,
    VideoFacts,
)
from detector.scoring import FeatureStream, ScoredTrack, one_core, score_tracks
from detector.stability import VARIANTS, compare, variant_logits
from detector.tracks import Sighting
from detector.verdict import Decision, TrackEvidence, decide, judge_face, probability


@dataclass(frozen=True, slots=True)
class Case:
    """One analysis under way: what it runs with and whom it tells."""

    engine: Engine
    config: DetectorConfig
    report: ProgressHook
    should_stop: StopHook

    def on_crops(self, crops: int) -> "CropHook":
        """For all passes over the crops together, those of the stability check with them."""
        return CropHook(self, crops * (1 + len(VARIANTS) if self.config.stability else 1))


@dataclass(frozen=True, slots=True)
class CropHook:
    """Reports scored crops, and stops between batches."""

    case: Case
    total: int

    def __call__(self, done: int) -> None:
        check(self.case.should_stop)
        self.case.report("model", min(done, self.total), self.total)


@dataclass(slots=True)
class Preview:
    """Tells the scores of frames while faces are still being sought."""

    engine: Engine
    tell: ScoresHook
    duration_s: float = 0.0

    def begin(self, video: VideoFacts) -> None:
        self.duration_s = video.duration_s
        self.tell(self.duration_s, ())

    @torch.inference_mode()
    def hear(self, sightings: Sequence[Sighting], features: Tensor) -> None:
        logits = self.engine.model.frame_logits(features).tolist()
        pairs = zip(sightings, logits, strict=True)
        self.tell(self.duration_s, [frame_score(self.engine, seen, logit) for seen, logit in pairs])


def run(
    path: str | Path,
    *,
    config: DetectorConfig,
    on_progress: ProgressHook | None = None,
    on_scores: ScoresHook | None = None,
    should_stop: StopHook | None = None,
) -> AnalysisResult:
    """See :func:`detector.analyze`."""
    began = perf_counter()
    case = Case(engine_for(config), config, on_progress or _tell_nobody, should_stop or _never)
    case.report("probe", 0, 0)
    preview = Preview(case.engine, on_scores) if on_scores else None
    with FeatureStream(case.engine, config.batch_size, preview) as features:
        with one_core():
            finder, margin = case.engine.finder, case.engine.card.margin
            seen = look(Path(path), finder, margin, config, case.report, case.should_stop, features)
        model_began = perf_counter()
        tracks = score(case, seen, features)
    faces, decision = judge(case, seen, [track.evidence() for track in tracks])
    stability = None
    if config.stability and decision.deciding_track is not None:
        stability, decision = check_stability(case, seen, tracks, decision)
    explain_began = perf_counter()
    evidence = gather_evidence(case, tracks, decision)

    ended = perf_counter()
    return AnalysisResult(
        verdict=decision.verdict,
        fake_probability=decision.fake_probability,
        threshold=config.threshold,
        reasons=decision.reasons,
        model=model_facts(case.engine),
        video=seen.video,
        faces=faces,
        frames=tuple(frame_scores(case.engine, tracks)),
        evidence=evidence,
        stability=stability,
        timing=timing(seen, explain_began - model_began, ended - explain_began, ended - began),
        software=software(),
        windows=seen.windows,
        provenance=seen.provenance,
    )


def score(case: Case, seen: Look, features: FeatureStream) -> list[ScoredTrack]:
    on_crops = case.on_crops(len(seen.sightings))
    on_crops(0)
    return score_tracks(case.engine, seen.sightings, features.finish(on_crops))


def judge(
    case: Case, seen: Look, evidence: Sequence[TrackEvidence]
) -> tuple[tuple[FaceResult, ...], Decision]:
    threshold = case.config.threshold
    faces = tuple(judge_face(face, case.engine.card.calibration, threshold) for face in evidence)
    decision = decide(faces, threshold, bits_per_pixel=seen.bits_per_pixel, truncated=seen.truncated)
    return faces, decision


def check_stability(
    case: Case, seen: Look, tracks: Sequence[ScoredTrack], decision: Decision
) -> tuple[Stability, Decision]:
    """Judge the clip again under each variant; a verdict that changes is taken back."""
    on_crops = case.on_crops(len(seen.sightings))
    logits = variant_logits(case.engine, seen.sightings, case.config.batch_size, on_crops)
    outcomes = {}
    for name, by_track in logits.items():
        evidence = [replace(track.evidence(), logit=by_track[track.track]) for track in tracks]
        _, other = judge(case, seen, evidence)
        outcomes[name] = (str(other.verdict), other.fake_probability)
    stability = compare(str(decision.verdict), outcomes)
    if stability.stable or decision.verdict == Verdict.INCONCLUSIVE:
        return stability, decision
    reasons = (*decision.reasons, Reason.UNSTABLE)
    return stability, replace(decision, verdict=Verdict.INCONCLUSIVE, reasons=reasons)


def gather_evidence(case: Case, tracks: Sequence[ScoredTrack], decision: Decision) -> tuple[Evidence, ...]:
    limit = case.config.explain_frames
    gathered: list[Evidence] = []
    for entry in explain(case.engine, tracks, decision.deciding_track, decision.verdict, limit):
        check(case.should_stop)
        gathered.append(entry)
        case.report("explain", len(gathered), limit)
    return tuple(gathered)


def frame_scores(engine: Engine, tracks: Sequence[ScoredTrack]) -> list[FrameScore]:
    """Every scored frame, by frame and then by track."""
    scores = [
        frame_score(engine, seen, logit)
        for track in tracks
        for window in track.windows
        for seen, logit in zip(window.sightings, window.frame_logits, strict=True)
    ]
    return sorted(scores, key=lambda score: (score.frame, score.track))


def frame_score(engine: Engine, seen: Sighting, logit: float) -> FrameScore:
    return FrameScore(
        frame=seen.frame,
        time_s=round(seen.time_s, 3),
        track=seen.track,
        box=whole_box(seen.box),
        score=probability(logit, engine.card.calibration),
    )


def whole_box(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(value) for value in box)
    return left, top, right - left, bottom - top


def model_facts(engine: Engine) -> ModelFacts:
    card = engine.card
    return ModelFacts(card.name, card.version, card.sha256, card.calibration.label)


def timing(seen: Look, model_s: float, explain_s: float, total_s: float) -> Timing:
    parts = (seen.probe_s, seen.decode_s, seen.faces_s, model_s, explain_s, total_s)
    return Timing(*(round(seconds, 3) for seconds in parts))


def software() -> dict[str, str]:
    return {
        "truthlens": detector.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "opencv": str(cv2.__version__),
        "pyav": str(av.__version__),
    }


def _tell_nobody(stage: str, done: int, total: int) -> None: ...


def _never() -> bool:
    return False
