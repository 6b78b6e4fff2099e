"""How long files and results are kept: by the site's policy, and longer where a moderator holds them.

Files go so many days after their upload, results so many days after their end. A hold stops that, and keeps
moderators from deleting them. It doesn't stop owners from deleting what is theirs.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.audit import Target
from accounts.models import User
from analyses import services
from analyses.models import UNFINISHED, Analysis, Video
from analyses.moderation.cases import NotAllowed, locked_case, record

logger = logging.getLogger(__name__)

BATCH = 200
"""So many of each at a time; the rest at the next round."""
NO_REASON = _("Give a reason for the hold: it goes into the audit log.")
HELD_ALREADY = _("It is on hold already.")
NOT_HELD = _("It isn’t on hold.")


@dataclass(frozen=True, slots=True)
class Clock:
    """When the policy deletes the file and the result; None: never, or the file is gone already."""

    file_at: datetime | None
    result_at: datetime | None
    is_kept: bool

    @property
    def is_running(self) -> bool:
        return not self.is_kept and (self.file_at is not None or self.result_at is not None)


def clock_of(analysis: Analysis) -> Clock:
    """Of an analysis with its video. Without a policy nothing is deleted, so nothing is kept from that."""
    if not (settings.RETENTION_FILES_DAYS or settings.RETENTION_RESULTS_DAYS):
        return Clock(None, None, False)
    return Clock(
        _after(analysis.video.created_at if analysis.video.file else None, settings.RETENTION_FILES_DAYS),
        _after(analysis.finished_at, settings.RETENTION_RESULTS_DAYS),
        Analysis.objects.on_hold().filter(video=analysis.video_id).exists(),
    )


def hold(*, analysis: Analysis, moderator: User, reason: str) -> None:
    """Stop the policy for this result and its file. Raises :class:`NotAllowed`."""
    reason = reason.strip()
    if not reason:
        raise NotAllowed(NO_REASON)
    with transaction.atomic():
        case = locked_case(analysis, moderator)
        if case.is_kept:
            raise NotAllowed(HELD_ALREADY)
        case.kept_since, case.kept_by, case.kept_reason = timezone.now(), moderator, reason
        case.save(update_fields=["kept_since", "kept_by", "kept_reason"])
        record(moderator, "hold", analysis, before={"hold": False}, after={"hold": True}, reason=reason)


def lift_hold(*, analysis: Analysis, moderator: User, reason: str) -> None:
    """Let the policy go on. Raises :class:`NotAllowed`."""
    reason = reason.strip()
    if not reason:
        raise NotAllowed(NO_REASON)
    with transaction.atomic():
        case = locked_case(analysis, moderator)
        if not case.is_kept:
            raise NotAllowed(NOT_HELD)
        case.kept_since, case.kept_by, case.kept_reason = None, None, ""
        case.save(update_fields=["kept_since", "kept_by", "kept_reason"])
        record(moderator, "lift_hold", analysis, before={"hold": True}, after={"hold": False}, reason=reason)


def purge() -> tuple[int, int]:
    """Delete what is over its time. Returns how many files and how many results it was."""
    files = sum(purge_file(video) for video in _files_over())
    results = sum(purge_result(analysis) for analysis in _results_over())
    if files or results:
        logger.info("By the policy, %d files and %d results were deleted.", files, results)
    return files, results


def purge_file(video: Video) -> bool:
    """False: it was held, needed again or deleted meanwhile."""
    with transaction.atomic():
        try:
            deleted = services.delete_video_files(video=video)
        except services.StillNeeded:
            return False
        if deleted:
            before = {"sha256": video.sha256, "size_bytes": video.size_bytes}
            _record("purge_file", Target("video", video.uuid), before, settings.RETENTION_FILES_DAYS)
    return deleted


def purge_result(analysis: Analysis) -> bool:
    """With its evidence, and with the video where it was the last one. False: it was held meanwhile."""
    with transaction.atomic():
        Video.objects.select_for_update().filter(pk=analysis.video_id).first()
        there = Analysis.objects.filter(pk=analysis.pk).exists()
        if not there or Analysis.objects.on_hold().filter(video=analysis.video_id).exists():
            return False
        before: dict[str, object] = {"state": analysis.state, "verdict": analysis.verdict}
        services.delete_analysis(analysis=analysis)
        target = Target("analysis", analysis.uuid)
        _record("purge_result", target, before, settings.RETENTION_RESULTS_DAYS)
    return True


def _files_over() -> list[Video]:
    limit = _before(settings.RETENTION_FILES_DAYS)
    if limit is None:
        return []
    rows = Video.objects.filter(created_at__lte=limit).exclude(file="")
    rows = rows.exclude(analyses__state__in=UNFINISHED).exclude(pk__in=_videos_on_hold())
    return list(rows.order_by("created_at", "pk")[:BATCH])


def _results_over() -> list[Analysis]:
    limit = _before(settings.RETENTION_RESULTS_DAYS)
    if limit is None:
        return []
    rows = Analysis.objects.filter(finished_at__lte=limit).exclude(state__in=UNFINISHED)
    rows = rows.exclude(video__in=_videos_on_hold()).for_list()
    return list(rows.order_by("finished_at", "pk")[:BATCH])


def _videos_on_hold() -> QuerySet[Analysis, int]:
    return Analysis.objects.on_hold().values_list("video", flat=True)


def _record(action: str, target: Target, before: dict[str, object], days: int) -> None:
    audit.record(actor=None, action=action, target=target, before=before, reason=f"Kept for {days} d.")


def _after(start: datetime | None, days: int) -> datetime | None:
    return start + timedelta(days=days) if start and days else None


def _before(days: int) -> datetime | None:
    return timezone.now() - timedelta(days=days) if days else None
