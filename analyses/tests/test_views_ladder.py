"""Every address, climbed by everybody: owner, somebody else, moderator, nobody; and by the wrong method."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts import roles
from accounts.models import User
from analyses.models import Analysis, Dispute, Export, ShareLink, Upload
from analyses.tests.factories import make_delivery, make_done, make_link, make_running, make_upload
from analyses.webhooks.models import ASKED_FOR, Webhook

ON_FINISHED = (
    "analysis",
    "analysis_state",
    "analysis_fragment",
    "analysis_delete",
    "analysis_json",
    "analysis_csv",
    "analysis_pdf",
    "analysis_zip",
    "analysis_video",
)
IMAGES = ("analysis_evidence", "analysis_thumbnail")
READ_ONLY = (*(name for name in ON_FINISHED if name != "analysis_delete"), *IMAGES, "analysis_compare")
WEBHOOK_BUTTONS = ("webhook_secret", "webhook_test", "webhook_delete", "webhook_resend")
OWNERS_FORMS = ("analysis_share", "analysis_dispute", "webhook")
OWNERS_BUTTONS = ("share_revoke", "dispute_withdraw", *WEBHOOK_BUTTONS)
SELECTIONS = ("analyses_delete", "analyses_export")
UPLOADS = ("upload_discard",)
SHARED = ("shared", "shared_video", "shared_evidence")
SHARED_FORMS = ("shared_report",)
ACCOUNT = ("account_data", "account_delete", "webhooks")
PAGES = ("analyses", "analysis_new", "analysis_webcam", "usage", *ACCOUNT)
POST_ONLY = ("analysis_cancel", "analysis_rerun")
CHANGES = ("analysis_delete", "analysis_report", "analysis_new", "uploads", *POST_ONLY, *ACCOUNT)
SPECIAL = (*IMAGES, "analysis_compare", "analysis_report")
POSTED = {"days": "7", "opinion": "real", "url": "https://hooks.example.org/", "events": "analysis.failed"}


def shared_address(name: str, token: str) -> str:
    return reverse(name, args=[token, *(["1-0-crop.jpg"] if name == "shared_evidence" else [])])


@pytest.fixture
def address(alice: User) -> Callable[[str], str]:
    """The address of a view, of an analysis that suits it."""

    def of(name: str) -> str:
        if name in (*PAGES, *SELECTIONS, "uploads"):
            return reverse(name)
        if name in UPLOADS:
            return reverse(name, args=[make_upload(alice).uuid])
        if name in ("webhook", *WEBHOOK_BUTTONS):
            delivery = make_delivery(alice)
            extra = [delivery.uuid] if name == "webhook_resend" else []
            return reverse(name, args=[delivery.webhook.uuid, *extra])
        analysis = make_running(alice) if name == "analysis_cancel" else make_done(alice)
        if name == "analysis_evidence":
            return reverse(name, args=[analysis.uuid, "1-0-crop.jpg"])
        if name == "analysis_compare":
            return reverse(name, args=[analysis.uuid, make_done(alice, video=analysis.video).uuid])
        if name == "share_revoke":
            return reverse(name, args=[analysis.uuid, make_link(analysis)[0].uuid])
        return reverse(name, args=[analysis.uuid])

    return of


@pytest.mark.parametrize("name", [*PAGES, *ON_FINISHED, *SPECIAL, *OWNERS_FORMS])
def test_the_owner_gets_it(name: str, address: Callable[[str], str], alice_client: Client) -> None:
    assert alice_client.get(address(name)).status_code == 200


@pytest.mark.parametrize("name", [*ON_FINISHED, *SPECIAL, *OWNERS_FORMS])
def test_somebody_else_gets_404(name: str, address: Callable[[str], str], bob_client: Client) -> None:
    assert bob_client.get(address(name)).status_code == 404


@pytest.mark.parametrize("name", [*ON_FINISHED, *SPECIAL])
def test_a_moderator_gets_it(name: str, address: Callable[[str], str], mo_client: Client) -> None:
    assert mo_client.get(address(name)).status_code == 200


@pytest.mark.parametrize("name", [*PAGES, *ON_FINISHED, *SPECIAL, *OWNERS_FORMS])
def test_nobody_is_sent_to_the_login(name: str, address: Callable[[str], str], client: Client) -> None:
    url = address(name)
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('account_login')}?next={url}"


@pytest.mark.parametrize("name", [*PAGES, *ON_FINISHED, *SPECIAL, *OWNERS_FORMS])
def test_a_suspended_owner_is_nobody(
    name: str, address: Callable[[str], str], alice: User, alice_client: Client
) -> None:
    url = address(name)
    assert alice_client.get(url).status_code == 200
    roles.suspend_user(user=alice, actor=None, reason="A test.")
    assert alice_client.get(url)["Location"] == f"{reverse('account_login')}?next={url}"


@pytest.mark.parametrize("name", [*POST_ONLY, *OWNERS_FORMS, *OWNERS_BUTTONS, *SELECTIONS, *UPLOADS])
def test_a_suspended_owner_changes_nothing(
    name: str, address: Callable[[str], str], alice: User, alice_client: Client
) -> None:
    url = address(name)
    roles.suspend_user(user=alice, actor=None, reason="A test.")
    response = alice_client.post(url, POSTED)
    assert response["Location"] == f"{reverse('account_login')}?next={url}"


@pytest.mark.parametrize("name", [*SHARED, *SHARED_FORMS])
def test_a_suspended_owner_shares_nothing(name: str, done: Analysis, client: Client) -> None:
    url = shared_address(name, make_link(done)[1])
    roles.suspend_user(user=done.owner, actor=None, reason="A test.")
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("name", [*READ_ONLY, "analyses", "analysis_webcam", "usage"])
def test_reading_views_take_no_post(name: str, address: Callable[[str], str], alice_client: Client) -> None:
    assert alice_client.post(address(name)).status_code == 405


@pytest.mark.parametrize(
    "name", ["analysis_delete", "analysis_report", "analysis_new", *OWNERS_FORMS, *ACCOUNT]
)
def test_forms_take_no_put(name: str, address: Callable[[str], str], alice_client: Client) -> None:
    assert alice_client.put(address(name)).status_code == 405


@pytest.mark.parametrize("name", [*POST_ONLY, *OWNERS_BUTTONS, *SELECTIONS, *UPLOADS])
def test_buttons_take_no_get(name: str, address: Callable[[str], str], alice_client: Client) -> None:
    assert alice_client.get(address(name)).status_code == 405


@pytest.mark.parametrize("name", [*OWNERS_FORMS, *OWNERS_BUTTONS])
@pytest.mark.parametrize("method", ["get", "post"])
def test_sharing_disputing_and_webhooks_are_the_owners_alone(
    name: str, method: str, address: Callable[[str], str], bob_client: Client, mo_client: Client
) -> None:
    url = address(name)
    expected = 405 if name in OWNERS_BUTTONS and method == "get" else 404
    assert getattr(bob_client, method)(url, POSTED).status_code == expected
    assert getattr(mo_client, method)(url, POSTED).status_code == expected
    assert not Dispute.objects.exists()
    assert not ShareLink.objects.filter(revoked_at__isnull=False).exists()
    assert not Webhook.objects.exclude(events=list(ASKED_FOR), is_active=True).exists()


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_is_its_owners_alone(
    name: str, address: Callable[[str], str], alice_client: Client, bob_client: Client, mo_client: Client
) -> None:
    url = address(name)
    assert [client.post(url).status_code for client in (bob_client, mo_client)] == [404] * 2
    assert Upload.objects.exists()
    assert alice_client.post(url).status_code == 302
    assert not Upload.objects.exists()


@pytest.mark.parametrize("name", [*OWNERS_FORMS, *OWNERS_BUTTONS, *SELECTIONS, *UPLOADS])
def test_nobody_shares_disputes_or_selects(name: str, address: Callable[[str], str], client: Client) -> None:
    url = address(name)
    assert client.post(url, POSTED)["Location"] == f"{reverse('account_login')}?next={url}"


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_selection_of_somebody_elses_is_404(name: str, done: Analysis, bob_client: Client) -> None:
    posted = {"uuid": str(done.uuid), "confirmed": "yes"}
    assert bob_client.post(reverse(name), posted).status_code == 404
    assert Analysis.objects.filter(pk=done.pk).exists()


@pytest.mark.parametrize("name", SHARED)
def test_a_share_link_is_for_everybody_and_read_only(name: str, done: Analysis, client: Client) -> None:
    url = shared_address(name, make_link(done)[1])
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 405


@pytest.mark.parametrize("name", [*SHARED, *SHARED_FORMS])
def test_a_guessed_share_link_is_404(
    name: str, done: Analysis, client: Client, alice_client: Client, mo_client: Client
) -> None:
    make_link(done)
    url = shared_address(name, "guessed")
    assert [asker.get(url).status_code for asker in (client, alice_client, mo_client)] == [404] * 3


@pytest.mark.parametrize("name", ["analysis_delete", *POST_ONLY])
def test_somebody_else_changes_nothing(name: str, address: Callable[[str], str], bob_client: Client) -> None:
    assert bob_client.post(address(name)).status_code == 404
    assert Analysis.objects.filter(cancel_requested=False).count() == 1


@pytest.mark.parametrize("name", ["analysis_delete", *POST_ONLY])
def test_nobody_changes_nothing(name: str, address: Callable[[str], str], client: Client) -> None:
    assert client.post(address(name)).status_code == 302
    assert Analysis.objects.filter(cancel_requested=False).count() == 1


@pytest.mark.parametrize("name", [*CHANGES, *OWNERS_FORMS, *OWNERS_BUTTONS, *SELECTIONS, *UPLOADS])
def test_a_change_without_the_sites_own_token_is_refused(
    name: str, address: Callable[[str], str], alice: User
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(address(name)).status_code == 403


@pytest.mark.parametrize("name", ACCOUNT)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_and_the_suspended_take_and_delete_no_account(
    name: str, method: str, alice: User, alice_client: Client, client: Client
) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    for asker in (client, alice_client):
        posted = {"password": "correct horse battery", **POSTED} if method == "post" else {}
        answer = getattr(asker, method)(reverse(name), posted)
        assert answer["Location"] == f"{reverse('account_login')}?next={reverse(name)}"
    assert User.objects.filter(pk=alice.pk).exists()
    assert not Export.objects.exists()
    assert not Webhook.objects.exists()


def test_the_ladder_misses_no_address() -> None:
    """Those of the history, exports, moderation, model cards and notices have ladders of their own."""
    names = {name for name in get_resolver("analyses.urls").reverse_dict if isinstance(name, str)}
    elsewhere = ("moderation", "audit_log", "notice", "export", "model", "home", "upload")
    own = {name for name in names if not name.startswith(elsewhere)}
    here = {*PAGES, *ON_FINISHED, *SPECIAL, *OWNERS_FORMS, *OWNERS_BUTTONS, *SELECTIONS, *POST_ONLY}
    assert own - here == {*SHARED, *SHARED_FORMS}
    assert here <= names


def test_an_unknown_analysis_is_404(alice_client: Client) -> None:
    url = reverse("analysis", args=["00000000-0000-4000-8000-000000000000"])
    assert alice_client.get(url).status_code == 404
