"""Rows and results for tests. Files are really stored, under the test's own folder."""

import hashlib
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from accounts.models import User
from analyses import claims
from analyses.detection import AnalysisResult, Failure, Reason, Verdict
from analyses.models import Analysis, Export, ExportState, ShareLink, State, Upload, Video
from analyses.webhooks.models import ASKED_FOR, Delivery, Event
from detector.result import (
    Evidence,
    FaceQuality,
    FaceResult,
    FrameScore,
    ModelFacts,
    Timing,
    VideoFacts,
)

MP4_HEAD = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"
MP4_BYTES = MP4_HEAD + b"not really a video, but it begins like one" * 20
JPEG = b"\xff\xd8\xff\xe0 a crop"
PNG = b"\x89PNG\r\n\x1a\n a heatmap"


def make_video(owner: User, *, name: str = "clip.mp4", content: bytes = MP4_BYTES) -> Video:
    video = Video(
        owner=owner,
        sha256=hashlib.sha256(content).hexdigest(),
        original_name=name,
        size_bytes=len(content),
    )
    video.file.save("upload", ContentFile(content), save=False)
    video.save()
    return video


def make_analysis(
    owner: User, *, name: str = "clip.mp4", content: bytes = MP4_BYTES, **fields: Any
) -> Analysis:
    """A waiting analysis, unless ``fields`` say otherwise."""
    video = fields.pop("video", None) or make_video(owner, name=name, content=content)
    return Analysis.objects.create(owner=owner, video=video, **fields)


def make_running(owner: User, *, worker: str = "worker-1", **fields: Any) -> Analysis:
    now = timezone.now()
    claim = {"state": State.RUNNING, "claimed_by": worker, "started_at": now, "heartbeat_at": now}
    return make_analysis(owner, **{**claim, **fields})


def make_upload(owner: User, *, name: str = "clip.mp4", size: int = 1000, **fields: Any) -> Upload:
    """One under way, without its file."""
    return Upload.objects.create(
        owner=owner,
        original_name=name,
        size_bytes=size,
        **{"expires_at": timezone.now() + timedelta(hours=20), **fields},
    )


def make_failed(owner: User, *, code: Failure = Failure.UNREADABLE, **fields: Any) -> Analysis:
    state = State.CANCELLED if code == Failure.CANCELLED else State.FAILED
    return make_analysis(owner, state=state, failure=str(code), finished_at=timezone.now(), **fields)


def make_done(owner: User, *, result: AnalysisResult | None = None, **fields: Any) -> Analysis:
    """A finished analysis with its result recorded as the worker does it."""

    analysis = make_running(owner, **fields)
    result = result or make_result(analysis.video)
    assert claims.record_result(analysis=analysis, result=result)
    return Analysis.objects.with_video().get(pk=analysis.pk)


def make_link(analysis: Analysis, *, days: int = 7, shows_name: bool = False) -> tuple[ShareLink, str]:
    """A link to a finished analysis, made by its owner, and its token."""
    from analyses import sharing

    return sharing.create_share_link(
        analysis=analysis, created_by=analysis.owner, days=days, shows_name=shows_name
    )


def make_result(
    video: Video,
    *,
    verdict: Verdict = Verdict.FAKE,
    fake_probability: float | None = 0.92,
    reasons: tuple[Reason, ...] = (),
    scores: tuple[float, ...] = (0.88, 0.93, 0.95),
) -> AnalysisResult:
    """A result for this video: one face, one frame a score, one frame of evidence."""
    seen = bool(scores)
    return AnalysisResult(
        verdict=verdict,
        fake_probability=fake_probability,
        threshold=0.7,
        reasons=reasons,
        model=ModelFacts("tiny_lstm", "test", "a" * 64, "none (a test model)"),
        video=VideoFacts(video.sha256, "mp4", "h264", 640, 360, 25.0, 4.0, 100, 0),
        faces=(make_face(fake_probability, verdict, len(scores)),) if seen else (),
        frames=tuple(
            FrameScore(10 * number, 0.4 * number, 1, (200, 80, 90, 120), score)
            for number, score in enumerate(scores)
        ),
        evidence=(Evidence(1, 0, 0.0, "1-0-crop.jpg", "1-0-heatmap.png", JPEG, PNG),) if seen else (),
        stability=None,
        timing=Timing(0.1, 0.9, 1.4, 1.1, 0.3, 3.9),
        software={"truthlens": "0.1.0", "torch": "2.14.1"},
    )


def make_face(fake_probability: float | None, verdict: Verdict, frames: int) -> FaceResult:
    return FaceResult(
        1, 0.0, 0.4 * frames, frames, fake_probability, verdict, FaceQuality(120, 210.0, 8.0, 1.0)
    )


def without_faces(video: Video) -> AnalysisResult:
    return make_result(
        video,
        verdict=Verdict.INCONCLUSIVE,
        fake_probability=None,
        reasons=(Reason.NO_FACE,),
        scores=(),
    )


def make_export(owner: User, *, content: bytes = b"file\r\n", **fields: Any) -> Export:
    """One that is ready, as a worker records it, unless ``fields`` name another state."""
    from analyses import export_services

    if "state" in fields:
        return Export.objects.create(owner=owner, **fields)
    now = timezone.now()
    claim = {"state": ExportState.RUNNING, "claimed_by": "worker-1", "heartbeat_at": now}
    export = Export.objects.create(owner=owner, **claim, **fields)
    assert export_services.record_export(export=export, file=ContentFile(content), rows=1)
    return Export.objects.get(pk=export.pk)


def make_delivery(owner: User, **fields: Any) -> Delivery:
    """A message that a new webhook of this user was given up on, unless ``fields`` say otherwise."""
    from analyses.webhooks import endpoints

    webhook, _ = endpoints.create_webhook(
        owner=owner, url="https://hooks.example.org/", events=ASKED_FOR, site="https://desk.example.org"
    )
    given_up = {"event": Event.COMPLETED, "body": "{}", "state": "failed", "due_at": None}
    return Delivery.objects.create(webhook=webhook, **{**given_up, **fields})
