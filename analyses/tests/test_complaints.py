"""Reports of results: from strangers with a link, from people with an account; and what moderators do."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from analyses.account_deletion import delete_account
from analyses.models import Analysis
from analyses.moderation import complaints, decisions
from analyses.moderation.cases import NotAllowed
from analyses.moderation.models import Complaint, Concern, Kind
from analyses.tests.factories import make_done, make_link

pytestmark = pytest.mark.django_db
FORM = {"concern": "privacy", "comment": "That is me. <b>Take it down</b>", "website": ""}


@pytest.fixture
def link(done: Analysis) -> str:
    """The address where the shared result is reported."""
    return reverse("shared_report", args=[make_link(done)[1]])


def report(analysis: Analysis, *concerns: Concern) -> None:
    for concern in concerns:
        complaints.complain(analysis=analysis, concern=concern, comment="")


def still_open() -> set[str]:
    return set(Complaint.objects.open().values_list("concern", flat=True))


def test_a_stranger_with_a_link_reports_it(client: Client, done: Analysis, link: str) -> None:
    shared = link.removesuffix("report/")
    assert f'href="{link}"' in client.get(shared).content.decode()
    assert client.get(link).status_code == 200
    answer = client.post(link, FORM, follow=True)
    assert answer.redirect_chain == [(shared, 302)]
    assert "Thank you." in answer.content.decode()
    complaint = Complaint.objects.get()
    assert (complaint.analysis, complaint.author, complaint.concern) == (done, None, Concern.PRIVACY)
    assert complaint.comment == FORM["comment"]


def test_the_form_can_prove_where_it_was_sent_from(client: Client, link: str) -> None:
    answer = client.get(link)
    assert answer["Referrer-Policy"] == "same-origin", "no-referrer would send an Origin of null"
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    page = answer.content.decode()
    assert 'name="referrer"' not in page
    assert "clip.mp4" not in page, "the link doesn't show the name"
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link, FORM).status_code == 403
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get(link).content.decode())[0]
    assert strict.post(link, {**FORM, "csrfmiddlewaretoken": token}).status_code == 302


def test_somebody_logged_in_is_known_and_has_one_report_open(
    alice_client: Client, alice: User, done: Analysis
) -> None:
    url = reverse("analysis_report", args=[done.uuid])
    assert url in alice_client.get(done.get_absolute_url()).content.decode()
    for _ in range(2):
        assert alice_client.post(url, FORM)["Location"] == done.get_absolute_url()
    assert Complaint.objects.get().author == alice


def test_a_link_knows_who_is_logged_in(bob_client: Client, bob: User, link: str) -> None:
    bob_client.post(link, FORM)
    assert Complaint.objects.get().author == bob


@pytest.mark.parametrize("form", [{}, {"concern": "nonsense"}, {**FORM, "comment": "x" * 2001}])
def test_what_makes_no_sense_is_not_taken(form: dict[str, str], client: Client, link: str) -> None:
    assert client.post(link, form).status_code == 400
    assert not Complaint.objects.exists()


def test_a_program_that_fills_in_everything_is_thanked_and_forgotten(client: Client, link: str) -> None:
    assert client.post(link, {**FORM, "website": "https://spam.example"}).status_code == 302
    assert not Complaint.objects.exists()


def test_one_address_reports_ten_times_an_hour(client: Client, link: str) -> None:
    answers = [client.post(link, FORM).status_code for _ in range(12)]
    assert answers == [302] * 10 + [429] * 2
    assert Complaint.objects.count() == 10


def test_of_one_result_no_flood_is_kept(done: Analysis) -> None:
    report(done, *[Concern.OTHER] * (complaints.MOST_OPEN + 5))
    assert Complaint.objects.count() == complaints.MOST_OPEN


def test_fields_that_are_not_ones_own_to_set_are_passed_over(bob_client: Client, mo: User, link: str) -> None:
    bob_client.post(link, {**FORM, "author": mo.pk, "closed_at": "2026-01-01", "closed_by": mo.pk})
    complaint = Complaint.objects.get()
    assert complaint.author != mo
    assert (complaint.closed_at, complaint.closed_by) == (None, None)


# What moderators do with them


def test_reports_are_in_the_queue_and_on_the_page_of_the_case(mo_client: Client, done: Analysis) -> None:
    reported = reverse("moderation") + "?show=reported"
    assert "Nothing here." in mo_client.get(reported).content.decode()
    complaints.complain(analysis=done, concern=Concern.PRIVACY, comment=FORM["comment"])
    report(done, Concern.OTHER)
    queue = mo_client.get(reported).content.decode()
    assert done.video.original_name in queue
    assert "2 reports" in queue
    case = mo_client.get(reverse("moderation_review", args=[done.uuid])).content.decode()
    assert "That is me. &lt;b&gt;Take it down&lt;/b&gt;" in case
    assert "Somebody without an account" in case
    assert "show=reported" in mo_client.get(reverse("moderation_dashboard")).content.decode()


def test_the_owner_learns_nothing_of_reports(alice_client: Client, bob: User, done: Analysis) -> None:
    complaints.complain(analysis=done, concern=Concern.OTHER, comment="Something of Bob", author=bob)
    page = alice_client.get(done.get_absolute_url()).content.decode()
    assert "Something of Bob" not in page
    assert b"Something of Bob" not in alice_client.get(f"/api/v1/analyses/{done.uuid}/").content


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        (Kind.CONFIRM, {"privacy"}),
        (Kind.OVERRULE_REAL, {"privacy"}),
        (Kind.HIDE, set()),
        (Kind.DELETE_FILE, set()),
    ],
)
def test_a_decision_closes_what_it_answers(kind: Kind, left: set[str], done: Analysis, mo: User) -> None:
    report(done, Concern.WRONG, Concern.PRIVACY)
    decisions.decide(analysis=done, moderator=mo, kind=kind, reason="I looked.", seen=None)
    assert still_open() == left
    assert set(Complaint.objects.exclude(closed_at=None).values_list("closed_by", flat=True)) == {mo.pk}


def test_a_proposal_closes_nothing(done: Analysis, mo: User) -> None:
    report(done, Concern.PRIVACY)
    decisions.decide(analysis=done, moderator=mo, kind=Kind.SUSPEND_ACCOUNT, reason="No.", seen=None)
    assert still_open() == {"privacy"}


def test_reports_are_closed_without_a_decision_and_the_log_knows(
    mo_client: Client, done: Analysis, mo: User
) -> None:
    report(done, Concern.OTHER, Concern.PRIVACY)
    url = reverse("moderation_dismiss", args=[done.uuid])
    for _ in range(2):
        assert mo_client.post(url).status_code == 302
    assert not still_open()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.before) == ("dismiss_reports", mo.uuid, {"open": 2})


def test_nobody_closes_the_reports_of_their_own_upload(mo: User) -> None:
    own = make_done(mo)
    report(own, Concern.OTHER)
    with pytest.raises(NotAllowed):
        complaints.dismiss_complaints(analysis=own, moderator=mo)
    assert still_open()


def test_who_deletes_their_account_leaves_a_report_without_a_name(done: Analysis, bob: User) -> None:
    complaints.complain(analysis=done, concern=Concern.OTHER, comment="", author=bob)
    delete_account(user=bob)
    assert Complaint.objects.get().author is None
