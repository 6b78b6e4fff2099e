"""What owners say against a verdict. The verdict itself is never touched."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from accounts.locks import take_turn
from accounts.models import User
from analyses.models import Analysis, Dispute


class DisputeRefused(ValueError):
    """There is no result to dispute, or a dispute of the same person is still open."""


class DisputeClosed(ValueError):
    """It was withdrawn or answered before."""


def open_dispute(*, analysis: Analysis, author: User, opinion: str, comment: str = "") -> Dispute:
    """Raises :class:`DisputeRefused`; where the analysis was deleted meanwhile ``Analysis.DoesNotExist``, and
    PermissionDenied where its author was suspended."""
    if not analysis.is_done:
        raise DisputeRefused(gettext("There is no verdict yet."))
    try:
        with transaction.atomic():
            take_turn(user=author)
            Analysis.objects.lock_row(analysis.pk)
            return Dispute.objects.create(
                analysis=analysis, author=author, opinion=Dispute.Opinion(opinion), comment=comment.strip()
            )
    except IntegrityError as error:
        raise DisputeRefused(gettext("You have already said that this verdict is wrong.")) from error


def withdraw_dispute(*, dispute: Dispute) -> None:
    """Raises :class:`DisputeClosed`."""
    _close(dispute, state=Dispute.State.WITHDRAWN)


def resolve_dispute(*, dispute: Dispute, answer: str) -> None:
    """A moderator's answer, which the author reads beside the result. Raises :class:`DisputeClosed`."""
    if not answer.strip():
        raise ValueError("an answer needs words")
    _close(dispute, state=Dispute.State.RESOLVED, answer=answer.strip(), resolved_at=timezone.now())


def _close(dispute: Dispute, **fields: object) -> None:
    """One of two who close it at the same moment does; the other is told."""
    if not Dispute.objects.filter(pk=dispute.pk, state=Dispute.State.OPEN).update(**fields):
        raise DisputeClosed(str(dispute.uuid))
    dispute.refresh_from_db()
