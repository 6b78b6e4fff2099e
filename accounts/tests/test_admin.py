"""Users in the administration pages, and that no change there escapes the audit log."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import audit
from accounts.administration import NOT_KEPT, Audited
from accounts.models import AuditEntry, Role, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
LIST = "/admin/accounts/user/"
WHY = "Uploads of other people's files."


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@example.org", PASSWORD)


@pytest.fixture
def root_client(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


def act(client: Client, action: str, *users: User, **fields: str) -> str:
    """Choose an action for these users; with ``confirmed`` also fill its page in. What the page says."""
    posted = {"action": action, ACTION_CHECKBOX_NAME: [str(user.pk) for user in users], **fields}
    return client.post(LIST, posted, follow=True).content.decode()


def entry() -> AuditEntry:
    assert audit.verify().broken is None
    return AuditEntry.objects.get()


def test_an_administrator_finds_a_user(root_client: Client, alice: User, bob: User) -> None:
    page = root_client.get(LIST, {"q": "Alice"}).content.decode()
    assert alice.email in page
    assert bob.email not in page


def test_an_administrator_adds_a_user_who_can_log_in(root: User, root_client: Client) -> None:
    fields = {"email": "Carol@Example.org", "display_name": "", "password1": PASSWORD, "password2": PASSWORD}
    assert root_client.get(f"{LIST}add/").status_code == 200
    assert root_client.post(f"{LIST}add/", fields).status_code == 302
    client = Client()
    client.post("/accounts/login/", {"login": "carol@example.org", "password": PASSWORD})
    assert "_auth_user_id" in client.session
    carol = User.objects.get(email="carol@example.org")
    assert (entry().action, entry().actor, entry().target) == ("add", root.uuid, str(carol.uuid))
    assert PASSWORD not in str(audit.facts(entry()))


def test_an_administrator_makes_a_moderator(root_client: Client, alice: User) -> None:
    asked = act(root_client, "change_role", alice)
    assert alice.email in asked
    assert not AuditEntry.objects.exists(), "nothing happens before a reason is given"
    act(root_client, "change_role", alice, confirmed="yes", role="moderator", reason=WHY)
    alice.refresh_from_db()
    assert alice.role == Role.MODERATOR
    assert (entry().action, entry().reason) == ("set_role", WHY)


def test_an_administrator_suspends_and_reinstates(
    root_client: Client,
    alice: User,
    bob: User,
    alice_client: Client,
    bob_client: Client,
    mailoutbox: list[EmailMessage],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        act(root_client, "suspend", alice, bob, confirmed="yes", reason=WHY)
    assert [client.get(reverse("analyses")).status_code for client in (alice_client, bob_client)] == [302] * 2
    assert sorted(AuditEntry.objects.values_list("action", "target")) == sorted(
        ("suspend", str(user.uuid)) for user in (alice, bob)
    )
    assert sorted(letter.to[0] for letter in mailoutbox) == [alice.email, bob.email]
    assert all("suspended" in letter.subject and WHY in letter.body for letter in mailoutbox)
    with django_capture_on_commit_callbacks(execute=True):
        act(root_client, "reinstate", alice, confirmed="yes", reason="A mix-up.")
    alice.refresh_from_db()
    assert alice.is_active
    told = mailoutbox[-1]
    assert (told.to, "open again" in told.subject, "A mix-up." in told.body) == ([alice.email], True, True)


@pytest.mark.parametrize("action", ["suspend", "reinstate", "change_role"])
def test_without_a_reason_nothing_is_done(action: str, root_client: Client, alice: User) -> None:
    page = act(root_client, action, alice, confirmed="yes", role="moderator", reason=" ")
    assert "This field is required." in page
    assert not AuditEntry.objects.exists()


def test_a_refusal_is_told_and_the_others_are_done(root: User, root_client: Client, alice: User) -> None:
    page = act(root_client, "suspend", root, alice, confirmed="yes", reason=WHY)
    assert "ask another administrator" in page
    assert "Done for 1 user." in page
    root.refresh_from_db()
    assert root.is_active
    assert entry().target == str(alice.uuid)


def test_the_form_changes_neither_role_nor_suspension(root_client: Client, alice: User) -> None:
    """Fields that the page doesn't offer are not taken from whoever sends them all the same."""
    address = f"{LIST}{alice.pk}/change/"
    page = root_client.get(address).content.decode()
    assert alice.password not in page
    sent = {"is_staff": "on", "is_superuser": "on", "role": "administrator", "uuid": str(alice.uuid)[::-1]}
    fields = {"email": alice.email, "display_name": "Ally", **sent, "session_epoch": "7", "groups": "1"}
    assert root_client.post(address, fields).status_code == 302
    changed = User.objects.get(pk=alice.pk)
    assert (changed.role, changed.is_active, changed.uuid) == (Role.USER, True, alice.uuid)
    assert (changed.display_name, changed.session_epoch) == ("Ally", 0)


def test_a_change_is_recorded_without_what_was_typed(root: User, root_client: Client, alice: User) -> None:
    fields = {"email": "new@example.org", "display_name": alice.display_name}
    root_client.post(f"{LIST}{alice.pk}/change/", fields)
    assert (entry().action, entry().actor, entry().target) == ("change", root.uuid, str(alice.uuid))
    assert entry().before == entry().after == {"email": NOT_KEPT}


def test_a_password_set_for_somebody_is_recorded_and_logs_them_out(
    root_client: Client, alice: User, alice_client: Client
) -> None:
    fields = {"password1": "another horse battery", "password2": "another horse battery"}
    address = f"{LIST}{alice.pk}/password/"
    assert root_client.post(address, {**fields, "password2": "other"}).status_code == 200
    assert not AuditEntry.objects.exists()
    assert root_client.post(address, {**fields, "usable_password": "true"}).status_code == 302
    assert (entry().action, entry().target, entry().after) == (
        "change_password", str(alice.uuid), {"password": NOT_KEPT},
    )  # fmt: skip
    assert alice_client.get(reverse("analyses")).status_code == 302


def test_no_password_is_set_for_nobody(root_client: Client) -> None:
    assert root_client.get(f"{LIST}nobody/password/").status_code == 404


@pytest.mark.parametrize("way", ["page", "list"])
def test_a_deletion_is_recorded(way: str, root_client: Client, alice: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        if way == "page":
            root_client.post(f"{LIST}{alice.pk}/delete/", {"post": "yes"})
        else:
            act(root_client, "delete_selected", alice, post="yes")
    asked = [query["sql"] for query in queries if query["sql"].startswith(("DELETE", "INSERT"))]
    tables = [sql.split('"')[1] for sql in asked]
    assert tables.index("accounts_user") < tables.index("accounts_auditentry"), "the log is locked last"
    assert not User.objects.filter(pk=alice.pk).exists()
    assert (entry().action, entry().target) == ("delete", str(alice.uuid))


@pytest.mark.parametrize("way", ["page", "list"])
def test_an_administrator_does_not_delete_themselves(way: str, root: User, root_client: Client) -> None:
    if way == "page":
        assert root_client.post(f"{LIST}{root.pk}/delete/", {"post": "yes"}).status_code == 403
    else:
        act(root_client, "delete_selected", root, post="yes")
    assert User.objects.filter(pk=root.pk).exists()
    assert not AuditEntry.objects.exists()


def test_a_library_s_own_rows_are_recorded_too(root_client: Client, alice: User) -> None:
    address = "/admin/account/emailaddress/"
    fields = {"user": alice.pk, "email": "second@example.org", "verified": "on"}
    assert root_client.post(f"{address}add/", fields).status_code == 302
    assert (entry().action, entry().target_kind) == ("add", "emailaddress")
    assert entry().after == {"user": str(alice.uuid), "email": NOT_KEPT, "verified": True}


def test_an_address_marked_as_confirmed_is_recorded(root_client: Client, alice: User) -> None:
    rows = [
        EmailAddress.objects.create(user=alice, email=f"{verified}@example.org", verified=verified)
        for verified in (False, True)
    ]
    posted = {"action": "make_verified", ACTION_CHECKBOX_NAME: [str(row.pk) for row in rows]}
    assert root_client.post("/admin/account/emailaddress/", posted).status_code == 302
    assert EmailAddress.objects.filter(user=alice, verified=True).count() == 2
    assert (entry().target, entry().after) == (str(rows[0].pk), {"verified": True})


def test_no_action_of_a_list_is_unknown() -> None:
    """Each of them tells the log, as tests here show; so does the deletion that every list has."""
    known = {"suspend", "reinstate", "change_role", "make_verified"}
    assert {action for page in admin.site._registry.values() for action in page.actions or ()} == known
    assert [name for name, _ in admin.site.actions] == ["delete_selected"]


def test_no_registered_model_escapes_the_log() -> None:
    assert [model for model, page in admin.site._registry.items() if not isinstance(page, Audited)] == []


def test_a_moderator_does_not_administer_users(mo_client: Client, alice: User) -> None:
    assert mo_client.get(LIST).status_code == 403
    assert mo_client.get(f"{LIST}{alice.pk}/change/").status_code == 403
    for action in ("suspend", "reinstate", "change_role"):
        act(mo_client, action, alice, confirmed="yes", role="moderator", reason=WHY)
    alice.refresh_from_db()
    assert (alice.role, alice.is_active) == (Role.USER, True)


@pytest.mark.parametrize("action", ["suspend", "reinstate", "change_role"])
def test_others_are_sent_to_the_login(action: str, client: Client, alice_client: Client, bob: User) -> None:
    posted = {"action": action, ACTION_CHECKBOX_NAME: [str(bob.pk)], "confirmed": "yes", "reason": WHY}
    for asker in (client, alice_client):
        assert asker.post(LIST, posted)["Location"] == f"/admin/login/?next={LIST}"
    bob.refresh_from_db()
    assert bob.is_active
    assert not AuditEntry.objects.exists()


def test_an_action_without_the_sites_own_token_is_refused(root: User, alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(root)
    posted = {"action": "suspend", ACTION_CHECKBOX_NAME: [str(alice.pk)], "confirmed": "yes", "reason": WHY}
    assert strict.post(LIST, posted).status_code == 403
