"""What a worker writes about the analysis that it claimed.

All of it is conditional on the claim: a worker that was taken for dead, or whose analysis was deleted,
changes nothing any more.
"""

import json
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from analyses import quotas, tallies
from analyses.detection import AnalysisResult, Document, Failure, Verdict
from analyses.models import Analysis, State, Video
from analyses.querysets import AnalysisQuerySet
from analyses.storage import delete_evidence, save_evidence
from analyses.thumbnails import with_thumbnail
from analyses.webhooks.events import tell
from analyses.webhooks.models import Event

MAX_ATTEMPTS = 2
MAX_LOSSES = 5
NO_PROGRESS = {
    "stage": "",
    "progress_done": 0,
    "progress_total": 0,
    "stage_started_at": None,
    "live_scores": None,
}


def claim(*, uuid: UUID, worker: str) -> Analysis | None:
    """Take a queued analysis; None when it isn't queued (delivered twice, cancelled, deleted)."""
    now = timezone.now()
    claimed = Analysis.objects.filter(uuid=uuid, state=State.QUEUED).update(
        state=State.RUNNING,
        claimed_by=worker,
        started_at=now,
        heartbeat_at=now,
        **NO_PROGRESS,
    )
    if claimed != 1:
        return None
    return Analysis.objects.with_video().get(uuid=uuid)


def record_progress(*, analysis: Analysis, stage: str, done: int, total: int) -> bool:
    """Write how far it is, which is the sign of life too. False: cancelled, deleted or no longer ours."""
    now = timezone.now()
    same_stage = When(stage=stage, stage_started_at__isnull=False, then=F("stage_started_at"))
    ours = _claimed(analysis).update(
        stage=stage,
        progress_done=done,
        progress_total=total,
        heartbeat_at=now,
        stage_started_at=Case(same_stage, default=Value(now)),
    )
    return bool(ours) and not _claimed(analysis).filter(cancel_requested=True).exists()


def record_live_scores(*, analysis: Analysis, scores: Document) -> None:
    """Show the scores of the frames so far, until the analysis ends (see ``analyses.live``)."""
    _claimed(analysis).update(live_scores=scores)


def record_result(*, analysis: Analysis, result: AnalysisResult) -> bool:
    """Write the result and its images. False: the analysis is no longer ours.

    Raises ValueError for a result that isn't one of this video.
    """
    document = _document(analysis, result)
    images = {entry.crop: entry.crop_jpeg for entry in result.evidence}
    images |= {entry.heatmap: entry.heatmap_png for entry in result.evidence}
    thumbnail, images = with_thumbnail(document, images)
    fields = _result_fields(result) | {"document": document, "thumbnail": thumbnail}
    with transaction.atomic():
        if not _claimed(analysis).update(**fields):
            return False
        quotas.count_length(analysis=analysis, seconds=result.video.duration_s)
        tell(Event.COMPLETED, analysis)
        try:
            save_evidence(analysis.uuid, images)
        except BaseException:
            delete_evidence(analysis.uuid)
            raise
    # Where the commit itself fails, nobody knows whether the images are needed.
    tallies.count_result(result.verdict, document["timing"])
    return True


def _document(analysis: Analysis, result: AnalysisResult) -> Document:
    """The document as plain JSON values; no NaN gets in."""
    if result.video.sha256 != analysis.video.sha256:
        raise ValueError("the stored file is no longer the one that was uploaded")
    document = result.to_document(analysis.video.original_name)
    plain: Document = json.loads(json.dumps(document, allow_nan=False))
    return plain


def _result_fields(result: AnalysisResult) -> dict[str, object]:
    return {
        "state": State.DONE,
        "verdict": str(Verdict(result.verdict)),
        "fake_probability": result.fake_probability,
        "threshold": result.threshold,
        "model_name": result.model.name,
        "model_version": result.model.version,
        "model_sha256": result.model.sha256,
        "duration_s": result.video.duration_s,
        "finished_at": timezone.now(),
        **NO_PROGRESS,
    }


def set_proxy_due(*, video: Video, due: bool) -> None:
    """Tell the page whether a copy that browsers can play may still come."""
    Video.objects.filter(pk=video.pk).update(proxy_due=due)


def take_over_copy(*, uuid: UUID, worker: str) -> Analysis | None:
    """Sign for a video's playable copy that is still to be made; None where it is not, or no longer."""
    waiting = Analysis.objects.awaiting_copy().filter(uuid=uuid)
    if not waiting.update(claimed_by=worker):
        return None
    return Analysis.objects.with_video().get(uuid=uuid)


def record_proxy(*, video: Video, proxy: File) -> None:  # type: ignore[type-arg]
    """Keep a copy that browsers can play, unless the video or its file was deleted meanwhile."""
    video.proxy.save("proxy", proxy, save=False)
    if not Video.objects.filter(pk=video.pk).exclude(file="").update(proxy=video.proxy.name):
        video.proxy.delete(save=False)


def record_failure(*, analysis: Analysis, code: Failure) -> None:
    """End the analysis without a result."""
    state = State.CANCELLED if code == Failure.CANCELLED else State.FAILED
    if not end_without_result(_claimed(analysis), analysis, state, code):
        return
    tallies.count_failure(code)
    if code == Failure.NO_WEIGHTS:
        quotas.give_back(analysis.uuid)


def record_attempt(*, analysis: Analysis, code: Failure) -> bool:
    """Count that this clip killed or overran the process. True: it may try once more."""
    ours = _claimed(analysis)
    ours.update(attempts=F("attempts") + 1, heartbeat_at=timezone.now(), **NO_PROGRESS)
    if ours.filter(attempts__lt=MAX_ATTEMPTS).exists():
        return True
    record_failure(analysis=analysis, code=code)
    return False


def requeue_lost(*, analysis: Analysis, if_silent: bool = False) -> None:
    """Count a loss that is not the clip's fault and queue it again, or give up after the fifth.

    if_silent: only as long as its worker gives no sign of life.
    """
    ours = _claimed(analysis).stuck() if if_silent else _claimed(analysis)
    if analysis.losses + 1 >= MAX_LOSSES and not analysis.cancel_requested:
        if end_without_result(ours, analysis, State.FAILED, Failure.WORKER_LOST, losses=F("losses") + 1):
            tallies.count_loss()
            tallies.count_failure(Failure.WORKER_LOST)
            quotas.give_back(analysis.uuid)
    elif _requeue(ours, analysis, losses=analysis.losses + 1):
        tallies.count_loss()


def release(*, analysis: Analysis) -> None:
    """Queue it again because the worker was asked to stop: nobody's fault, nothing is counted."""
    _requeue(_claimed(analysis), analysis, losses=analysis.losses)


def _requeue(ours: AnalysisQuerySet, analysis: Analysis, losses: int) -> bool:
    """Back to the queue, unless somebody asked meanwhile to cancel it. False: it was no longer ours."""
    cancelled = end_without_result(
        ours.filter(cancel_requested=True), analysis, State.CANCELLED, Failure.CANCELLED
    )
    queued = ours.update(
        state=State.QUEUED, losses=losses, claimed_by="", heartbeat_at=None, started_at=None, **NO_PROGRESS
    )
    return cancelled or queued > 0


def _claimed(analysis: Analysis) -> AnalysisQuerySet:
    """The row, as long as it is still the claim that ``analysis`` was made with."""
    return Analysis.objects.filter(pk=analysis.pk, state=State.RUNNING, claimed_by=analysis.claimed_by)


def end_without_result(
    rows: AnalysisQuerySet, analysis: Analysis, state: State, code: Failure, **more: object
) -> bool:
    """End it without a result, where it is among ``rows``, and tell its owner's programs."""
    ended = {"state": state, "failure": str(code), "live_scores": None, "finished_at": timezone.now()}
    with transaction.atomic():
        if not rows.update(**ended, **more):
            return False
        tell(Event.FAILED, analysis)
    return True
