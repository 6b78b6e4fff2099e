"""Claims and decisions: who may, who is faster, what follows, and what the log says."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from pytest_django import Settings

from accounts import audit
from accounts.managers import AppendOnly
from accounts.models import AuditEntry, User
from analyses import disputes, services
from analyses.access import get_moderated, get_share_link
from analyses.account_deletion import delete_account
from analyses.models import Analysis, Dispute
from analyses.moderation import decisions
from analyses.moderation.cases import NotAllowed, case_of, claim, release
from analyses.moderation.models import Case, Decision, Kind, Notice
from analyses.moderation.notices import NO_LONGER, WORDS, words_of
from analyses.tests.factories import make_analysis, make_done, make_link


@pytest.fixture
def mia(db: None) -> User:
    """Another moderator."""
    return User.objects.create_user("mia@example.org", display_name="Mia", is_staff=True)


@pytest.fixture
def ada(db: None) -> User:
    """An administrator."""
    return User.objects.create_superuser("ada@example.org", display_name="Ada")


def decide(analysis: Analysis, moderator: User, kind: Kind, reason: str = "I know it.") -> Decision:
    """On what is newest."""
    last = case_of(analysis).last
    return decisions.decide(
        analysis=analysis, moderator=moderator, kind=kind, reason=reason, seen=last.uuid if last else None
    )


def second(analysis: Analysis, moderator: User) -> Decision:
    last = case_of(analysis).last
    return decisions.second(analysis=analysis, moderator=moderator, seen=last.uuid if last else None)


def stored(analysis: Analysis) -> dict[str, Any]:
    return dict(Analysis.objects.filter(pk=analysis.pk).values().get())


def actions() -> list[str]:
    return list(AuditEntry.objects.values_list("action", flat=True))


def test_one_holds_a_case_and_the_other_is_told_who(done: Analysis, mo: User, mia: User) -> None:
    claim(analysis=done, moderator=mo)
    with pytest.raises(NotAllowed, match="Mo is working on this case"):
        claim(analysis=done, moderator=mia)
    release(analysis=done, moderator=mia)
    assert case_of(done).held_by == mo
    release(analysis=done, moderator=mo)
    claim(analysis=done, moderator=mia)
    assert case_of(done).held_by == mia
    assert actions() == ["claim", "release", "claim"]


def test_a_forgotten_claim_ends(done: Analysis, mo: User, mia: User) -> None:
    claim(analysis=done, moderator=mo)
    Case.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert not case_of(done).is_held
    claim(analysis=done, moderator=mia)
    assert case_of(done).held_by == mia


def test_claiming_again_holds_it_longer_and_is_logged_once(done: Analysis, mo: User) -> None:
    claim(analysis=done, moderator=mo)
    Case.objects.update(held_until=timezone.now() + timedelta(minutes=1))
    claim(analysis=done, moderator=mo)
    held_until = case_of(done).held_until
    assert held_until is not None
    assert held_until > timezone.now() + timedelta(minutes=29)
    assert actions() == ["claim"]


def test_nobody_decides_about_their_own(mo: User) -> None:
    own = make_done(mo)
    for attempt in (lambda: claim(analysis=own, moderator=mo), lambda: decide(own, mo, Kind.CONFIRM)):
        with pytest.raises(NotAllowed, match="a colleague decides"):
            attempt()
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (Kind.CONFIRM, "fake"),
        (Kind.OVERRULE_REAL, "real"),
        (Kind.OVERRULE_FAKE, "fake"),
        (Kind.OVERRULE_UNKNOWN, "unknown"),
    ],
)
def test_a_judgement_stands_beside_the_result_and_changes_nothing_of_it(
    kind: Kind, label: str, done: Analysis, mo: User
) -> None:
    before = stored(done)
    decision = decide(done, mo, kind)
    assert stored(done) == before
    case = case_of(done)
    assert (case.judgement, case.label, case.is_held) == (decision, label, False)
    assert case.is_overruled == (kind != Kind.CONFIRM)


def test_the_log_says_who_did_what_why_and_what_was_before(done: Analysis, mo: User) -> None:
    decide(done, mo, Kind.OVERRULE_REAL, " It is my neighbour. ")
    decision = decide(done, mo, Kind.HIDE, "He asked for it.")
    first, last = AuditEntry.objects.all()
    assert (first.actor, first.action, first.target) == (mo.uuid, "decide_overrule_real", str(done.uuid))
    assert (first.before["label"], first.after["label"], first.reason) == ("", "real", "It is my neighbour.")
    assert (last.before["hidden"], last.after["hidden"]) == (False, True)
    assert last.after["decision"] == str(decision.uuid)
    assert audit.verify().broken is None


def test_of_two_who_saw_the_same_the_second_is_told(done: Analysis, mo: User, mia: User) -> None:
    decide(done, mo, Kind.OVERRULE_REAL)
    with pytest.raises(decisions.Overtaken, match="A colleague decided meanwhile"):
        decisions.decide(analysis=done, moderator=mia, kind=Kind.CONFIRM, reason="", seen=None)
    assert [decision.moderator for decision in Decision.objects.all()] == [mo]
    assert len(actions()) == 1


def test_the_database_lets_no_two_follow_the_same(done: Analysis, mo: User) -> None:
    first = decide(done, mo, Kind.CONFIRM)
    decide(done, mo, Kind.OVERRULE_REAL)
    fields = {"analysis": done, "moderator": mo, "kind": Kind.CONFIRM}
    for supersedes in (first, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            Decision.objects.create(supersedes=supersedes, **fields)


def test_what_a_colleague_holds_cannot_be_decided(done: Analysis, mo: User, mia: User) -> None:
    claim(analysis=done, moderator=mo)
    with pytest.raises(NotAllowed, match="Mo is working"):
        decide(done, mia, Kind.CONFIRM)
    decide(done, mo, Kind.CONFIRM)


def test_a_decision_is_never_edited_and_never_deleted(done: Analysis, mo: User) -> None:
    decision = decide(done, mo, Kind.CONFIRM)
    decision.reason = "Something else."
    attempts = (
        decision.save,
        decision.delete,
        Decision.objects.all().delete,
        lambda: Decision.objects.update(reason=""),
    )
    for attempt in attempts:
        with pytest.raises(AppendOnly):
            attempt()


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.CONFIRM, Kind.DECLINE)])
def test_all_but_agreeing_needs_a_reason(kind: Kind, done: Analysis, mo: User) -> None:
    with pytest.raises(NotAllowed, match="Give a reason"):
        decide(done, mo, kind, "  ")
    assert not Decision.objects.exists()


def test_a_dispute_is_answered_with_the_reason(done: Analysis, alice: User, mo: User) -> None:
    dispute = disputes.open_dispute(analysis=done, author=alice, opinion="real")
    decide(done, mo, Kind.OVERRULE_REAL, "You are right.")
    dispute.refresh_from_db()
    assert (dispute.state, dispute.answer) == (Dispute.State.RESOLVED, "You are right.")


def test_agreeing_without_words_still_answers(done: Analysis, alice: User, mo: User) -> None:
    disputes.open_dispute(analysis=done, author=alice, opinion="real")
    decide(done, mo, Kind.CONFIRM, "")
    assert Dispute.objects.get().answer == decisions.AGREES
    assert Notice.objects.get().user == alice


def test_agreeing_where_nobody_asked_bothers_nobody(done: Analysis, mo: User) -> None:
    decide(done, mo, Kind.CONFIRM, "")
    assert not Notice.objects.exists()


def told() -> list[str]:
    return [words_of(notice) for notice in Notice.objects.with_earlier().order_by("pk")]


def test_who_was_told_of_an_overruling_is_told_when_it_no_longer_stands(done: Analysis, mo: User) -> None:
    decide(done, mo, Kind.OVERRULE_REAL)
    decide(done, mo, Kind.HIDE)
    decide(done, mo, Kind.CONFIRM, "I looked again.")
    decide(done, mo, Kind.CONFIRM, "")
    decide(done, mo, Kind.OVERRULE_UNKNOWN)
    assert Notice.objects.count() == 4
    first, _, agreed, last = told()
    assert NO_LONGER not in first
    assert agreed == f"{WORDS[Kind.CONFIRM]} {NO_LONGER}"
    assert last == f"{WORDS[Kind.OVERRULE_UNKNOWN]} {NO_LONGER}"


def test_the_same_finding_again_says_nothing_of_an_earlier_one(done: Analysis, mo: User) -> None:
    decide(done, mo, Kind.OVERRULE_REAL)
    decide(done, mo, Kind.OVERRULE_REAL, "I found the original too.")
    assert told() == [WORDS[Kind.OVERRULE_REAL]] * 2


def test_a_proposal_to_agree_after_all_is_told_once_it_counts(
    done: Analysis, mo: User, mia: User, settings: Settings
) -> None:
    decide(done, mo, Kind.OVERRULE_REAL)
    settings.SECOND_MODERATOR = True
    decide(done, mo, Kind.CONFIRM, "I looked again.")
    assert len(told()) == 1
    second(done, mia)
    assert told()[1:] == [f"{WORDS[Kind.CONFIRM]} {NO_LONGER}"]


def test_who_takes_an_overruling_back_says_why(done: Analysis, mo: User, mia: User) -> None:
    decide(done, mo, Kind.OVERRULE_REAL, "I know the original.")
    with pytest.raises(NotAllowed, match="overruled"):
        decide(done, mia, Kind.CONFIRM, " ")
    assert case_of(done).label == "real"


def test_hidden_is_hidden_from_share_links_until_it_is_shown_again(done: Analysis, mo: User) -> None:
    token = make_link(done)[1]
    decide(done, mo, Kind.HIDE)
    with pytest.raises(Http404):
        get_share_link(token)
    with pytest.raises(NotAllowed, match="hidden already"):
        decide(done, mo, Kind.HIDE)
    decide(done, mo, Kind.UNHIDE)
    assert get_share_link(token).analysis == done
    with pytest.raises(NotAllowed, match="isn’t hidden"):
        decide(done, mo, Kind.UNHIDE)


def test_a_deleted_file_leaves_the_result(
    done: Analysis, mo: User, django_capture_on_commit_callbacks: Any
) -> None:
    path, before = str(done.video.file.name), stored(done)
    with django_capture_on_commit_callbacks(execute=True):
        decide(done, mo, Kind.DELETE_FILE)
    assert not default_storage.exists(path)
    assert stored(done) == before
    again = Analysis.objects.with_video().get(pk=done.pk)
    with pytest.raises(NotAllowed, match="deleted already"):
        decide(again, mo, Kind.DELETE_FILE)
    with pytest.raises(services.FileGone):
        services.rerun_analysis(analysis=again)


def test_a_file_that_is_being_analysed_again_stays(done: Analysis, alice: User, mo: User) -> None:
    make_analysis(alice, video=done.video)
    with pytest.raises(NotAllowed, match="is being analysed"):
        decide(done, mo, Kind.DELETE_FILE)
    done.video.refresh_from_db()
    assert done.video.file
    assert (actions(), Decision.objects.count()) == ([], 0)


def test_a_proposal_changes_nothing_until_another_agrees(
    done: Analysis, alice: User, mo: User, mia: User, settings: Settings
) -> None:
    settings.SECOND_MODERATOR = True
    disputes.open_dispute(analysis=done, author=alice, opinion="real")
    proposed = decide(done, mo, Kind.OVERRULE_REAL, "The original was found.")
    case = case_of(done)
    assert (case.label, case.awaits_second, proposed.is_in_force) == ("", True, False)
    assert Dispute.objects.get().is_open
    with pytest.raises(NotAllowed, match="another moderator"):
        second(done, mo)
    second(done, mia)
    case = case_of(done)
    assert (case.label, case.awaits_second, case.judgement) == ("real", False, proposed)
    assert Decision.objects.get(pk=proposed.pk).is_in_force
    assert Dispute.objects.get().answer == "The original was found."
    assert actions() == ["propose_overrule_real", "second_overrule_real"]
    with pytest.raises(NotAllowed, match="nothing that waits"):
        second(done, mo)


def test_a_declined_proposal_is_never_in_force(
    done: Analysis, mo: User, mia: User, settings: Settings
) -> None:
    settings.SECOND_MODERATOR = True
    proposed = decide(done, mo, Kind.HIDE)
    decide(done, mia, Kind.DECLINE, "")
    case = case_of(done)
    assert (case.is_hidden, case.awaits_second) == (False, False)
    assert not Decision.objects.get(pk=proposed.pk).is_in_force
    with pytest.raises(NotAllowed, match="nothing that waits"):
        decide(done, mia, Kind.DECLINE, "")


def test_an_administrator_suspends_at_once(done: Analysis, alice: User, ada: User) -> None:
    decide(done, ada, Kind.SUSPEND_ACCOUNT, "Spam.")
    alice.refresh_from_db()
    assert not alice.is_active
    assert actions() == ["suspend", "decide_suspend_account"]


def test_a_moderator_only_proposes_to_suspend(
    done: Analysis, alice: User, mo: User, mia: User, ada: User
) -> None:
    decide(done, mo, Kind.SUSPEND_ACCOUNT, "Spam.")
    alice.refresh_from_db()
    assert alice.is_active
    with pytest.raises(NotAllowed, match="has to be an administrator"):
        second(done, mia)
    second(done, ada)
    alice.refresh_from_db()
    assert not alice.is_active


def test_a_refused_suspension_changes_nothing(ada: User) -> None:
    other = User.objects.create_superuser("eve@example.org")
    analysis = make_done(other)
    User.objects.filter(pk=ada.pk).update(is_superuser=False)
    ada.refresh_from_db()
    boss = User.objects.create_superuser("ida@example.org", is_active=False)
    with pytest.raises(PermissionDenied):
        decide(analysis, boss, Kind.SUSPEND_ACCOUNT, "Spam.")
    assert not Decision.objects.exists()
    assert not AuditEntry.objects.exists()


def test_decisions_go_with_their_analysis_and_the_log_stays(done: Analysis, mo: User) -> None:
    decide(done, mo, Kind.OVERRULE_REAL)
    decide(done, mo, Kind.HIDE)
    services.delete_analysis(analysis=done)
    assert not any(model.objects.exists() for model in (Decision, Case, Notice))
    assert len(actions()) == 2


def test_a_moderator_who_leaves_leaves_their_decisions(done: Analysis, mo: User, ada: User) -> None:
    decide(done, mo, Kind.OVERRULE_REAL)
    claim(analysis=done, moderator=mo)
    delete_account(user=mo)
    case = case_of(done)
    assert (case.label, case.is_held) == ("real", False)
    assert Decision.objects.get().moderator is None


@pytest.mark.parametrize(
    "fields", [{"label": "real"}, {"label": "perhaps"}, {"kept_reason": "A court."}], ids=str
)
def test_a_case_that_makes_no_sense_is_refused_by_the_database(
    fields: dict[str, str], done: Analysis
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.create(analysis=done, **fields)


def test_only_moderators_get_a_case(done: Analysis, alice: User, bob: User, mo: User) -> None:
    assert get_moderated(mo, done.uuid) == done
    for stranger in (alice, bob):
        with pytest.raises(Http404):
            get_moderated(stranger, done.uuid)
    running = make_analysis(alice)
    with pytest.raises(Http404):
        get_moderated(mo, running.uuid)
