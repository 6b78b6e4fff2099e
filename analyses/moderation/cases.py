"""Who works on which case. Two can't hold one, and whoever forgets one loses it after half an hour."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.audit import Target
from accounts.locks import take_turn
from accounts.models import User
from analyses.models import Analysis, Video
from analyses.moderation.models import Case

HELD_FOR = timedelta(minutes=30)
OWN = _("You uploaded this: a colleague decides about it.")
HELD = _("{name} is working on this case. You can decide once it is released, or after half an hour.")
GONE = _("It was deleted meanwhile.")
JOINED = ("held_by", "last__moderator", "judgement", "hiding", "kept_by")


class NotAllowed(ValueError):
    """What a moderator may not do now. Its text is one sentence for the page."""


def case_of(analysis: Analysis) -> Case:
    """The analysis' case; an empty one, not stored, where no moderator has touched it."""
    found = Case.objects.select_related(*JOINED).filter(analysis_id=analysis.pk).first()
    return found or Case(analysis_id=analysis.pk)


def cases_of(analyses: Iterable[Analysis]) -> dict[int, Case]:
    """The cases of a page of rows, by the analysis' key."""
    keys = [analysis.pk for analysis in analyses]
    found = Case.objects.select_related(*JOINED).filter(analysis_id__in=keys)
    return {case.analysis_id: case for case in found}


def claim(*, analysis: Analysis, moderator: User) -> None:
    """Take the case, or hold it longer. Raises :class:`NotAllowed` where a colleague holds it."""
    refuse_own(analysis, moderator)
    with transaction.atomic():
        case = locked_case(analysis, moderator)
        refuse_held(case, moderator)
        is_mine = case.is_held
        case.held_by, case.held_until = moderator, timezone.now() + HELD_FOR
        case.save(update_fields=["held_by", "held_until"])
        if not is_mine:
            record(moderator, "claim", analysis)


def release(*, analysis: Analysis, moderator: User) -> None:
    """Give it back. What somebody else holds stays theirs."""
    with transaction.atomic():
        mine = Case.objects.filter(analysis_id=analysis.pk, held_by=moderator)
        if mine.update(held_by=None, held_until=None):
            record(moderator, "release", analysis)


def locked_case(analysis: Analysis, moderator: User) -> Case:
    """The row, made where it is missing, nobody else's until the end of the transaction.

    Raises :class:`NotAllowed` where the analysis was deleted.
    """
    lock(analysis, moderator)
    Case.objects.get_or_create(analysis_id=analysis.pk)
    return Case.objects.select_for_update(of=("self",)).select_related("last").get(analysis_id=analysis.pk)


def lock(analysis: Analysis, moderator: User) -> None:
    """All that a moderator's act may touch, in the order of ``accounts.locks``, before anything of the case.

    Raises :class:`NotAllowed` where the analysis was deleted, and PermissionDenied as that turn does.
    """
    take_turn(user=moderator, others=[analysis.owner_id], administrators=True)
    Video.objects.select_for_update().filter(pk=analysis.video_id).first()
    if not Analysis.objects.filter(pk=analysis.pk).exists():
        raise NotAllowed(GONE)


def refuse_own(analysis: Analysis, moderator: User) -> None:
    if analysis.owner_id == moderator.pk:
        raise NotAllowed(OWN)


def refuse_held(case: Case, moderator: User) -> None:
    """Raises :class:`NotAllowed` where a colleague holds the case."""
    if case.is_held and case.held_by != moderator and case.held_by is not None:
        raise NotAllowed(HELD.format(name=case.held_by.get_short_name()))


def record(
    moderator: User,
    action: str,
    analysis: Analysis,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
    reason: str = "",
) -> None:
    """Tell the audit log, in the transaction of what is recorded."""
    target = Target("analysis", analysis.uuid)
    audit.record(actor=moderator, action=action, target=target, before=before, after=after, reason=reason)


def for_each(
    analyses: Iterable[Analysis], do: Callable[[Analysis], None]
) -> tuple[int, list[tuple[Analysis, str]]]:
    """Do it to each, apart from those where it is refused. Returns how many it was, and the refusals."""
    done, refused = 0, []
    for analysis in analyses:
        try:
            do(analysis)
            done += 1
        except NotAllowed as error:
            refused.append((analysis, str(error)))
    return done, refused
