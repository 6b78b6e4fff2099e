import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from analyses import disputes
from analyses.models import COMMENT_LENGTH, Analysis, Dispute
from analyses.tests.factories import make_running


@pytest.fixture
def address(done: Analysis) -> str:
    return reverse("analysis_dispute", args=[done.uuid])


def test_the_owner_says_that_it_is_wrong_and_takes_it_back(
    alice: User, alice_client: Client, address: str, done: Analysis
) -> None:
    response = alice_client.post(address, {"opinion": "real", "comment": "It is <b>me</b>."}, follow=True)
    page = response.content.decode()
    assert "You said: Real." in page
    assert "It is &lt;b&gt;me&lt;/b&gt;." in page
    assert "Send to the moderators" not in page
    dispute = Dispute.objects.get()
    assert (dispute.author, dispute.analysis, dispute.state) == (alice, done, "open")
    page = alice_client.post(f"{address}withdraw/", follow=True).content.decode()
    assert "You took it back." in page
    assert "Send to the moderators" in page
    assert Dispute.objects.get().state == Dispute.State.WITHDRAWN


def test_the_form_says_what_is_missing(alice_client: Client, address: str) -> None:
    response = alice_client.post(address, {"comment": "because"})
    assert response.status_code == 400
    page = response.content.decode()
    assert "Choose one of the three." in page
    assert ">\nbecause</textarea>" in page
    assert not Dispute.objects.exists()


@pytest.mark.parametrize(("length", "kept"), [(COMMENT_LENGTH, True), (COMMENT_LENGTH + 1, False)])
def test_a_comment_has_a_limit(length: int, kept: bool, alice_client: Client, address: str) -> None:
    alice_client.post(address, {"opinion": "fake", "comment": "x" * length})
    assert Dispute.objects.exists() == kept


def test_a_second_one_is_refused_with_words(alice_client: Client, address: str) -> None:
    alice_client.post(address, {"opinion": "fake"})
    page = alice_client.post(address, {"opinion": "real"}, follow=True).content.decode()
    assert "You have already said that this verdict is wrong." in page
    assert Dispute.objects.get().opinion == "fake"


def test_nothing_to_take_back_is_no_error(alice_client: Client, address: str) -> None:
    page = alice_client.post(f"{address}withdraw/", follow=True).content.decode()
    assert "You took it back." not in page


def test_an_answer_stands_beside_the_result_and_another_try_is_open(
    alice: User, alice_client: Client, done: Analysis
) -> None:
    dispute = disputes.open_dispute(analysis=done, author=alice, opinion="real")
    disputes.resolve_dispute(dispute=dispute, answer="The second face decided.")
    page = alice_client.get(done.get_absolute_url()).content.decode()
    assert "The second face decided." in page
    assert "Likely manipulated" in page
    assert "Send to the moderators" in page


def test_what_has_no_verdict_has_no_form(alice: User, alice_client: Client) -> None:
    running = make_running(alice)
    assert alice_client.get(reverse("analysis_dispute", args=[running.uuid])).status_code == 404


def test_moderators_read_disputes_in_the_administration(done: Analysis, alice: User) -> None:
    dispute = disputes.open_dispute(analysis=done, author=alice, opinion="real", comment="It is me.")
    root = Client()
    root.force_login(User.objects.create_superuser("root@example.org", "correct horse battery"))
    assert str(dispute.uuid) in root.get("/admin/analyses/dispute/").content.decode()
    page = root.get(f"/admin/analyses/dispute/{dispute.pk}/change/").content.decode()
    assert "It is me." in page
    assert 'name="_save"' not in page
