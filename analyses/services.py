"""Every write that touches more than one row, or a row and a file or the queue.

Page, command and job call the same functions. What a worker writes is in ``analyses.claims``.
"""

import logging
from collections.abc import Iterable
from functools import partial

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext

from accounts import audit
from accounts.audit import Target
from accounts.locks import lock_users, take_turn
from accounts.models import User
from analyses import quotas
from analyses.claims import end_without_result
from analyses.commits import after_commit
from analyses.detection import Failure
from analyses.models import Analysis, State, Upload, Video
from analyses.patience import is_in_doubt
from analyses.queue import enqueue
from analyses.quotas import QuotaExceeded
from analyses.storage import delete_evidence
from analyses.uploads import UploadRejected, check_model, check_upload, sha256_of, shown_name

__all__ = ["QuotaExceeded", "UploadRejected"]

logger = logging.getLogger(__name__)


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
        if end_without_result(same.filter(state=State.QUEUED), analysis, State.CANCELLED, Failure.CANCELLED):
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
