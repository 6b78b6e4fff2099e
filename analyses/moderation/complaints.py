"""Reports of results by people who saw them: taken from anybody, read by moderators, closed by decisions."""

from contextlib import suppress

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from analyses.models import Analysis
from analyses.moderation.cases import lock, record, refuse_own
from analyses.moderation.models import JUDGEMENTS, Complaint, Concern, Decision, Kind

MOST_OPEN = 50
"""Of one result. More of them would tell moderators nothing new."""
CLOSES_ALL = (Kind.HIDE, Kind.DELETE_FILE, Kind.SUSPEND_ACCOUNT)


def complain(*, analysis: Analysis, concern: Concern, comment: str, author: User | None = None) -> None:
    """Leave it for the moderators. One that is open of the same person stays as it is."""
    if Complaint.objects.open().filter(analysis=analysis).count() >= MOST_OPEN:
        return
    with suppress(IntegrityError), transaction.atomic():
        Complaint.objects.create(analysis=analysis, concern=concern, comment=comment.strip(), author=author)


def dismiss_complaints(*, analysis: Analysis, moderator: User) -> int:
    """Close all that are open, without a decision. How many it was.

    Raises :class:`NotAllowed` for one's own upload.
    """
    refuse_own(analysis, moderator)
    with transaction.atomic():
        lock(analysis, moderator)
        closed = _close(analysis, moderator)
        if closed:
            record(moderator, "dismiss_reports", analysis, before={"open": closed}, after={"open": 0})
    return closed


def close_by(decision: Decision, moderator: User) -> None:
    """What a decision in force answers: all of them once nobody sees the result or the file any more; a
    judgement of the clip those that say that the verdict is wrong."""
    if decision.kind in CLOSES_ALL:
        _close(decision.analysis, moderator)
    elif decision.kind in JUDGEMENTS:
        _close(decision.analysis, moderator, concern=Concern.WRONG)


def _close(analysis: Analysis, moderator: User, **which: object) -> int:
    rows = Complaint.objects.open().filter(analysis=analysis, **which)
    return rows.update(closed_at=timezone.now(), closed_by=moderator)
