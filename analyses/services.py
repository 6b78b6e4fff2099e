"""Every write that touches more than one row, or a row and a file or the queue.

Page, command and job call the same functions. What a worker writes is conditional on its claim, so that a
worker that was taken for dead, or whose analysis was deleted, changes nothing any more.
"""

import json
import logging
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone
from django.utils.translation import gettext

from accounts import audit
from accounts.audit import Target
from accounts.locks import lock_users, take_turn
from accounts.models import User
from analyses import quotas, tallies
from analyses.commits import after_commit
from analyses.detection import AnalysisResult, Document, Failure, Verdict
from analyses.models import Analysis, State, Upload, Video
from analyses.patience import is_in_doubt
from analyses.querysets import AnalysisQuerySet
from analyses.queue import enqueue
from analyses.quotas import QuotaExceeded
from analyses.storage import (
    delete_evidence,
    evidence_path,
    open_evidence_file,
    save_evidence,
    stored_evidence_sizes,
)
from analyses.thumbnails import with_thumbnail
from analyses.uploads import UploadRejected, check_model, check_upload, sha256_of, shown_name
from analyses.webhooks.events import tell
from analyses.webhooks.models import Event

__all__ = ["QuotaExceeded", "UploadRejected"]

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 2
MAX_LOSSES = 5


class EvidenceMissing(LookupError):
    """The result names no such image."""


class FileGone(Video.DoesNotExist):
    """The result is there, the video file was deleted."""


class StillNeeded(ValueError):
    """What an analysis that waits or runs reads, or a hold keeps. Its text is one sentence for the page."""


class UploadGone(LookupError):
    """Nothing more of this upload is taken: it was discarded, refused or finished, or it has expired."""


def submit_analysis(
    *,
    owner: User,
    upload: "UploadedFile[bytes]",
    backbone: str = "",
    stability: bool = False,
    arrival: Upload | None = None,
) -> Analysis:
    """Store the upload and queue its analysis.

    Where a new one would only repeat another (:func:`find_earlier`), that is given back in its place.
    ``arrival`` is the row of an upload in pieces, which is finished with it. Raises :class:`UploadRejected`
    with a failure code for a file that isn't taken, and :class:`QuotaExceeded`. A broker that is down delays
    the analysis and nothing else.
    """
    check_upload(upload, backbone)
    sha256 = sha256_of(upload)
    find = partial(find_earlier, owner=owner, sha256=sha256, backbone=backbone, stability=stability)
    analysis = _taken(find(), arrival)
    if analysis is not None:
        return analysis
    quotas.check(user=owner, size=upload.size or 0, arrival=arrival)  # before the file is stored
    video = Video(
        owner=owner, sha256=sha256, original_name=shown_name(upload.name), size_bytes=upload.size or 0
    )
    video.file.save("upload", upload, save=False)
    try:
        with transaction.atomic():
            current = take_turn(user=owner)
            analysis = _taken(find(), arrival)  # handed in at the same moment
            if analysis is None:
                quotas.check(user=current, size=video.size_bytes, arrival=arrival)
                video.save(force_insert=True)
                analysis = _queue(video, backbone, stability, owner)
                _finish_arrival(arrival, analysis)
    except BaseException as error:
        if not is_in_doubt(error):
            video.file.delete(save=False)
        raise
    if analysis.video_id != video.pk:
        video.file.delete(save=False)
    return analysis


def _taken(found: Analysis | None, arrival: Upload | None) -> Analysis | None:
    """The analysis, with which the arrival is finished; None where it was deleted at this moment."""
    if found is None or arrival is None:
        return found
    with transaction.atomic():
        if not Analysis.objects.select_for_update(no_key=True).filter(pk=found.pk).values_list("pk"):
            return None
        _finish_arrival(arrival, found)
    return found


def find_earlier(*, owner: User, sha256: str, backbone: str, stability: bool) -> Analysis | None:
    """The owner's latest analysis of these bytes with the same model and settings.

    One with a result, else one that waits or runs and that nobody asked to cancel.
    """
    same = Analysis.objects.for_user(owner).filter(video__sha256=sha256, stability=stability)
    same = same.exclude(video__file="").with_video()
    model, threshold = check_model(backbone).sha256, settings.DETECTOR.threshold
    results = same.filter(state=State.DONE, model_sha256=model, threshold=threshold)
    return results.first() or same.awaited().filter(backbone=backbone).first()


def rerun_analysis(
    *, analysis: Analysis, backbone: str = "", stability: bool = False, asked_by: User | None = None
) -> Analysis:
    """Queue another analysis of the same video; the one that there is stays as it is.

    It belongs to the video's owner, and counts against the quotas of ``asked_by``, or of the owner. One that
    waits or runs and was asked for the same is given back in place of a second one, unless somebody asked to
    cancel it. Raises :class:`UploadRejected` without the model's weights, :class:`QuotaExceeded`,
    ``Video.DoesNotExist`` where it was deleted, and :class:`FileGone`, which is one too, where its file was.
    """
    check_model(backbone)
    with transaction.atomic():
        lock_users(asked_by.pk if asked_by else analysis.owner_id, analysis.owner_id)
        video = Video.objects.select_for_update().get(pk=analysis.video_id)
        if not video.file:
            raise FileGone(str(video.uuid))
        same = Analysis.objects.filter(video=video, backbone=backbone, stability=stability).awaited()
        under_way = same.first()
        if under_way is not None:
            return under_way
        asking = asked_by or video.owner
        quotas.admit(user=asking)
        _tell(asked_by, "rerun_analysis", analysis)
        return _queue(video, backbone, stability, asking)


def _queue(video: Video, backbone: str, stability: bool, asked_by: User) -> Analysis:
    analysis = Analysis.objects.create(owner=video.owner, video=video, backbone=backbone, stability=stability)
    quotas.count_start(user=asked_by, analysis=analysis)
    after_commit(enqueue, analysis.uuid)
    return analysis


def _finish_arrival(arrival: Upload | None, analysis: Analysis) -> None:
    """Raises :class:`UploadGone` where the upload was discarded meanwhile."""
    if arrival is None:
        return
    rows = Upload.objects.filter(pk=arrival.pk)
    if not rows.update(analysis=analysis, received_bytes=arrival.size_bytes):
        raise UploadGone(str(arrival.uuid))


def request_cancel(*, analysis: Analysis, by: User | None = None) -> None:
    """Cancel at once what waits; ask the worker to stop what runs. What is finished stays as it is.

    Where ``by`` isn't the owner the audit log is told, here and in the next ones.
    """
    with transaction.atomic():
        same = Analysis.objects.filter(pk=analysis.pk)
        if _end(same.filter(state=State.QUEUED), analysis, State.CANCELLED, Failure.CANCELLED):
            quotas.give_back(analysis.uuid)
            _tell(by, "cancel_analysis", analysis)
        elif same.filter(state=State.RUNNING, cancel_requested=False).update(cancel_requested=True):
            _tell(by, "cancel_analysis", analysis)
    analysis.refresh_from_db()


def delete_analysis(*, analysis: Analysis, by: User | None = None) -> None:
    """Remove the row, its evidence and, with the video's last analysis, the video and its files.

    A worker that runs it notices within a second that its claim is gone, and stops. Raises
    :class:`StillNeeded` where it is on hold and ``by`` isn't the owner.
    """
    with transaction.atomic():
        video = Video.objects.select_for_update().filter(pk=analysis.video_id).first()
        if video is not None and by is not None and by.pk != analysis.owner_id:
            _refuse_on_hold(video)
        rows = Analysis.objects.filter(pk=analysis.pk)
        list(rows.select_for_update().values_list("pk"))  # nothing new comes to hang on it from here on
        if rows.queued().exists():
            quotas.give_back(analysis.uuid)
        if rows.delete()[0]:
            _tell(by, "delete_analysis", analysis)
        after_commit(delete_evidence, analysis.uuid)
        if video is not None and not video.analyses.exists():
            Video.objects.filter(pk=video.pk).delete()
            after_commit(_delete_files, video)


def _tell(by: User | None, action: str, analysis: Analysis) -> None:
    if by is not None and by.pk != analysis.owner_id:
        before = {"state": analysis.state, "verdict": analysis.verdict}
        audit.record(actor=by, action=action, target=Target("analysis", analysis.uuid), before=before)


def delete_analyses(*, analyses: Iterable[Analysis]) -> int:
    """Delete each in a transaction of its own. Returns how many were there to be deleted."""
    deleted = 0
    for analysis in analyses:
        deleted += Analysis.objects.filter(pk=analysis.pk).exists()
        delete_analysis(analysis=analysis)
    return deleted


def delete_video_files(*, video: Video) -> bool:
    """Remove what was uploaded and the copy of it; rows, results and evidence stay.

    False: that was done before. Raises :class:`StillNeeded` while an analysis of it waits or runs,
    or one is on hold.
    """
    with transaction.atomic():
        stored = Video.objects.select_for_update().filter(pk=video.pk).exclude(file="").first()
        if stored is None:
            return False
        if stored.analyses.unfinished().exists():
            raise StillNeeded(gettext("This file is being analysed. Wait until that is done, or cancel it."))
        _refuse_on_hold(stored)
        Video.objects.filter(pk=stored.pk).update(file="", proxy="", proxy_due=False)
        after_commit(_delete_files, stored)
    return True


def _refuse_on_hold(video: Video) -> None:
    if video.analyses.on_hold().exists():
        raise StillNeeded(gettext("It is on hold. Lift the hold first."))


def _delete_files(video: Video) -> None:
    for file in (video.file, video.proxy):
        if file:
            file.delete(save=False)


def evidence_names(analysis: Analysis) -> list[str]:
    """The evidence images that the result names."""
    entries = (analysis.document or {}).get("evidence", [])
    return [entry[kind] for entry in entries for kind in ("crop", "heatmap")]


def evidence_sizes(analysis: Analysis) -> dict[str, int]:
    """Bytes of each evidence image that is there."""
    found = stored_evidence_sizes(analysis.uuid)
    return {name: found[name] for name in evidence_names(analysis) if name in found}


def evidence_place(analysis: Analysis, name: str) -> str:
    """Where the storage keeps an image that the result names. Raises :class:`EvidenceMissing`."""
    if name not in evidence_names(analysis):
        raise EvidenceMissing(name)
    return evidence_path(analysis.uuid, name)


def thumbnail_place(analysis: Analysis) -> str:
    """Where the storage keeps the small picture for lists. Raises :class:`EvidenceMissing`."""
    if not analysis.thumbnail:
        raise EvidenceMissing("thumbnail")
    return evidence_path(analysis.uuid, analysis.thumbnail)


def open_evidence(analysis: Analysis, name: str) -> File:  # type: ignore[type-arg]
    """An evidence image that the result names. Raises :class:`EvidenceMissing`."""
    if name not in evidence_names(analysis):
        raise EvidenceMissing(name)
    try:
        return open_evidence_file(analysis.uuid, name)
    except FileNotFoundError as error:
        raise EvidenceMissing(name) from error


def open_thumbnail(analysis: Analysis) -> File:  # type: ignore[type-arg]
    """The small picture for lists. Raises :class:`EvidenceMissing`."""
    if not analysis.thumbnail:
        raise EvidenceMissing("thumbnail")
    try:
        return open_evidence_file(analysis.uuid, analysis.thumbnail)
    except FileNotFoundError as error:
        raise EvidenceMissing(analysis.thumbnail) from error


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


NO_PROGRESS = {
    "stage": "",
    "progress_done": 0,
    "progress_total": 0,
    "stage_started_at": None,
    "live_scores": None,
}


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
    if not _end(_claimed(analysis), analysis, state, code):
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
        if _end(ours, analysis, State.FAILED, Failure.WORKER_LOST, losses=F("losses") + 1):
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
    cancelled = _end(ours.filter(cancel_requested=True), analysis, State.CANCELLED, Failure.CANCELLED)
    queued = ours.update(
        state=State.QUEUED, losses=losses, claimed_by="", heartbeat_at=None, started_at=None, **NO_PROGRESS
    )
    return cancelled or queued > 0


def _claimed(analysis: Analysis) -> AnalysisQuerySet:
    """The row, as long as it is still the claim that ``analysis`` was made with."""
    return Analysis.objects.filter(pk=analysis.pk, state=State.RUNNING, claimed_by=analysis.claimed_by)


def _end(rows: AnalysisQuerySet, analysis: Analysis, state: State, code: Failure, **more: object) -> bool:
    """End it without a result, where it is among ``rows``, and tell its owner's programs."""
    ended = {"state": state, "failure": str(code), "live_scores": None, "finished_at": timezone.now()}
    with transaction.atomic():
        if not rows.update(**ended, **more):
            return False
        tell(Event.FAILED, analysis)
    return True
