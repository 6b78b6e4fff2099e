"""What a moderator decides, and what follows from it. The model's result is never touched.

    decide(analysis=analysis, moderator=mo, kind=Kind.OVERRULE_REAL, reason="I know the original.", seen=None)

``seen`` is the newest decision that the moderator's page showed. Where there is a newer one by now nothing is
decided, so nobody overwrites a colleague without knowing it.
"""

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import roles
from accounts.models import User
from analyses import disputes, services
from analyses.models import Analysis, Dispute
from analyses.moderation.cases import NotAllowed, locked_case, record, refuse_held, refuse_own
from analyses.moderation.complaints import close_by
from analyses.moderation.models import JUDGEMENTS, OVERRULES, Case, Decision, Kind, Label
from analyses.moderation.notices import notify
from analyses.webhooks.events import tell
from analyses.webhooks.models import Event

AGREES = "A moderator looked at it and agrees with the model."
OVERTAKEN = _("A colleague decided meanwhile. Read what they wrote; nothing of yours was saved.")
NO_REASON = _("Give a reason: the owner reads it, and it goes into the audit log.")
OVERRULED = _(
    "A moderator overruled the model here. To agree with the model after all, open the case and say why."
)
NOTHING_PROPOSED = _("There is nothing that waits for a second moderator.")
NOT_TWICE = _("You proposed it yourself: another moderator has to agree.")
NEEDS_ADMINISTRATOR = _("One of the two who suspend an account has to be an administrator.")
HIDDEN_ALREADY = _("It is hidden already.")
NOT_HIDDEN = _("It isn’t hidden.")
FILE_GONE = _("The file was deleted already.")

CONFIRMED: dict[str, Label] = {"real": Label.REAL, "fake": Label.FAKE, "inconclusive": Label.UNKNOWN}


class Overtaken(NotAllowed):
    """The moderator decided on something that is no longer the newest."""


def decide(*, analysis: Analysis, moderator: User, kind: Kind, reason: str, seen: UUID | None) -> Decision:
    """Raises :class:`NotAllowed`, and then nothing has changed."""
    reason = reason.strip()
    with transaction.atomic():
        case = _open_case(analysis, moderator, seen)
        _check(kind, reason, case, analysis)
        decision = Decision.objects.create(
            analysis=analysis,
            moderator=moderator,
            kind=kind,
            reason=reason,
            supersedes=case.last,
            needs_second=_needs_second(kind, moderator),
        )
        _follow(case, decision, moderator)
    return decision


def second(*, analysis: Analysis, moderator: User, seen: UUID | None) -> Decision:
    """Agree to what a colleague proposed, which is in force from now on. Raises :class:`NotAllowed`."""
    with transaction.atomic():
        case = _open_case(analysis, moderator, seen)
        proposed = case.last
        if proposed is None or not case.awaits_second:
            raise NotAllowed(NOTHING_PROPOSED)
        if proposed.moderator == moderator:
            raise NotAllowed(NOT_TWICE)
        decision = Decision.objects.create(
            analysis=analysis, moderator=moderator, kind=proposed.kind, supersedes=proposed, seconds=proposed
        )
        _follow(case, decision, moderator)
    return decision


def _open_case(analysis: Analysis, moderator: User, seen: UUID | None) -> Case:
    refuse_own(analysis, moderator)
    case = locked_case(analysis, moderator)
    refuse_held(case, moderator)
    if (case.last.uuid if case.last else None) != seen:
        raise Overtaken(OVERTAKEN)
    return case


def _check(kind: Kind, reason: str, case: Case, analysis: Analysis) -> None:
    refusals = {
        NO_REASON: kind not in (Kind.CONFIRM, Kind.DECLINE) and not reason,
        OVERRULED: kind == Kind.CONFIRM and case.is_overruled and not reason,
        NOTHING_PROPOSED: kind == Kind.DECLINE and not case.awaits_second,
        HIDDEN_ALREADY: kind == Kind.HIDE and case.is_hidden,
        NOT_HIDDEN: kind == Kind.UNHIDE and not case.is_hidden,
        FILE_GONE: kind == Kind.DELETE_FILE and not analysis.video.file,
    }
    for sentence, applies in refusals.items():
        if applies:
            raise NotAllowed(sentence)


def _needs_second(kind: Kind, moderator: User) -> bool:
    """By the site's setting; and who isn't an administrator can only propose to suspend somebody."""
    if kind == Kind.DECLINE:
        return False
    return settings.SECOND_MODERATOR or (kind == Kind.SUSPEND_ACCOUNT and not moderator.is_superuser)


def _follow(case: Case, decision: Decision, moderator: User) -> None:
    """Carry out what is in force, release the case and tell the audit log."""
    before = _facts(case)
    case.last, case.awaits_second = decision, decision.needs_second
    case.held_by = case.held_until = None
    if not decision.needs_second:
        close_by(decision, moderator)  # before a suspension, which tells the audit log
        _enforce(case, decision.seconds or decision, moderator)
    case.save()
    if not decision.needs_second and decision.kind in JUDGEMENTS:
        tell(Event.DECIDED, decision.analysis)
    verb = "second" if decision.seconds else "propose" if decision.needs_second else "decide"
    after = _facts(case) | {"decision": str(decision.uuid)}
    action = f"{verb}_{decision.kind}"
    record(moderator, action, decision.analysis, before=before, after=after, reason=decision.reason)


def _facts(case: Case) -> dict[str, object]:
    return {"label": case.label, "hidden": case.is_hidden, "awaits_second": case.awaits_second}


def _enforce(case: Case, decision: Decision, moderator: User) -> None:
    consequences = {
        Kind.HIDE: _hide,
        Kind.UNHIDE: _unhide,
        Kind.DELETE_FILE: _delete_file,
        Kind.SUSPEND_ACCOUNT: _suspend,
    }
    is_told = decision.kind not in (Kind.CONFIRM, Kind.DECLINE)
    if decision.kind in JUDGEMENTS:
        is_told |= case.is_overruled  # which its owner was told, and which no longer stands
        case.judgement = decision
        case.label = OVERRULES.get(decision.kind) or CONFIRMED[decision.analysis.verdict]
        is_told |= _answer_disputes(decision)
    elif decision.kind in consequences:
        consequence: Callable[[Case, Decision, User], None] = consequences[Kind(decision.kind)]
        consequence(case, decision, moderator)
    if is_told:
        notify(decision)


def _hide(case: Case, decision: Decision, moderator: User) -> None:
    case.hiding = decision


def _unhide(case: Case, decision: Decision, moderator: User) -> None:
    case.hiding = None


def _delete_file(case: Case, decision: Decision, moderator: User) -> None:
    try:
        services.delete_video_files(video=decision.analysis.video)
    except services.StillNeeded as error:
        raise NotAllowed(str(error)) from error


def _suspend(case: Case, decision: Decision, moderator: User) -> None:
    """``roles`` asks for an administrator: the one who proposed it, or the one who seconds it."""
    asking = [person for person in (moderator, decision.moderator) if person and person.is_superuser]
    if not asking:
        raise NotAllowed(NEEDS_ADMINISTRATOR)
    owner, reason = decision.analysis.owner, decision.reason
    try:
        roles.suspend_user(user=owner, actor=asking[0], reason=reason, tell=False)  # the notice tells
    except roles.NotAllowed as error:
        raise NotAllowed(str(error)) from error


def _answer_disputes(decision: Decision) -> bool:
    """Whether somebody waited for it."""
    waiting = list(decision.analysis.disputes.filter(state=Dispute.State.OPEN))
    for dispute in waiting:
        with suppress(disputes.DisputeClosed):  # withdrawn at this very moment
            disputes.resolve_dispute(dispute=dispute, answer=decision.reason or AGREES)
    return bool(waiting)
