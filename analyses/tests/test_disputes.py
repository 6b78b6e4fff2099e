import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from analyses import disputes, services
from analyses.models import Analysis, Dispute


@pytest.fixture
def dispute(done: Analysis, alice: User) -> Dispute:
    return disputes.open_dispute(analysis=done, author=alice, opinion="real", comment=" It is me. ")


def test_a_dispute_is_kept_beside_the_result_and_changes_nothing_of_it(done: Analysis, alice: User) -> None:
    before = Analysis.objects.filter(pk=done.pk).values().get()
    dispute = disputes.open_dispute(analysis=done, author=alice, opinion="real", comment=" It is me. ")
    disputes.resolve_dispute(dispute=dispute, answer="You are right.")
    assert (dispute.state, dispute.opinion, dispute.comment) == ("resolved", "real", "It is me.")
    assert Analysis.objects.filter(pk=done.pk).values().get() == before


def test_one_is_open_at_a_time(dispute: Dispute, done: Analysis, alice: User) -> None:
    with pytest.raises(disputes.DisputeRefused, match="already"):
        disputes.open_dispute(analysis=done, author=alice, opinion="fake")
    disputes.withdraw_dispute(dispute=dispute)
    again = disputes.open_dispute(analysis=done, author=alice, opinion="fake")
    disputes.resolve_dispute(dispute=again, answer="No.")
    disputes.open_dispute(analysis=done, author=alice, opinion="unsure")
    assert sorted(Dispute.objects.values_list("state", flat=True)) == ["open", "resolved", "withdrawn"]


def test_what_has_no_verdict_cannot_be_disputed(running: Analysis, alice: User) -> None:
    with pytest.raises(disputes.DisputeRefused, match="no verdict"):
        disputes.open_dispute(analysis=running, author=alice, opinion="real")


def test_what_was_deleted_meanwhile_cannot_be_disputed(done: Analysis, alice: User) -> None:
    services.delete_analysis(analysis=done)
    with pytest.raises(Analysis.DoesNotExist):
        disputes.open_dispute(analysis=done, author=alice, opinion="real")


def test_an_unknown_opinion_is_refused(done: Analysis, alice: User) -> None:
    with pytest.raises(ValueError, match="perhaps"):
        disputes.open_dispute(analysis=done, author=alice, opinion="perhaps")


def test_an_answer_has_words_and_a_time(dispute: Dispute) -> None:
    with pytest.raises(ValueError, match="words"):
        disputes.resolve_dispute(dispute=dispute, answer="  ")
    assert dispute.is_open
    disputes.resolve_dispute(dispute=dispute, answer=" Thank you. ")
    assert (dispute.answer, dispute.is_open) == ("Thank you.", False)
    assert dispute.resolved_at is not None


def test_what_was_closed_stays_closed(dispute: Dispute) -> None:
    meanwhile = Dispute.objects.get()
    disputes.withdraw_dispute(dispute=meanwhile)
    with pytest.raises(disputes.DisputeClosed):
        disputes.resolve_dispute(dispute=dispute, answer="Too late.")
    assert Dispute.objects.get().state == Dispute.State.WITHDRAWN


def test_a_dispute_goes_with_its_analysis(dispute: Dispute, done: Analysis) -> None:
    services.delete_analysis(analysis=done)
    assert not Dispute.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"opinion": "perhaps"}, {"state": "lost"}, {"state": "resolved"}], ids=lambda value: str(value)
)
def test_what_makes_no_sense_is_refused_by_the_database(dispute: Dispute, fields: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Dispute.objects.update(**fields)
