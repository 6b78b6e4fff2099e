"""Who may sign up: everybody, the invited, nobody; and the life of an invitation."""

import re
from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts import invitations
from accounts.models import AuditEntry, Invitation, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SIGNUP = {"email": "carol@example.org", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@example.org", PASSWORD)


def invited(root: User, email: str = "carol@example.org") -> tuple[Invitation, str]:
    return invitations.create_invitation(email=email, created_by=root)


def sign_up(client: Client, **change: str) -> int:
    return client.post(reverse("account_signup"), SIGNUP | change).status_code


def follow(client: Client, token: str) -> int:
    return client.get(reverse("invitation_follow", args=[token])).status_code


@pytest.mark.parametrize("mode", ["invited", "closed"])
def test_without_an_invitation_nobody_signs_up(mode: str, client: Client, settings: Settings) -> None:
    settings.SIGNUP = mode
    page = client.post(reverse("account_signup"), SIGNUP).content.decode()
    assert "Sign-up is closed" in page
    assert not User.objects.exists()
    assert reverse("account_signup") not in client.get(reverse("home")).content.decode()
    assert reverse("account_signup") not in client.get(reverse("account_login")).content.decode()


def test_an_open_site_says_that_one_can_sign_up(client: Client) -> None:
    for name in ("home", "account_login"):
        assert reverse("account_signup") in client.get(reverse(name)).content.decode()


def test_the_invited_sign_up_once(client: Client, root: User, settings: Settings) -> None:
    settings.SIGNUP = "invited"
    invitation, token = invited(root)
    assert follow(client, token) == 302
    assert "carol@example.org" in client.get(reverse("account_signup")).content.decode()
    assert sign_up(client) == 302
    assert EmailAddress.objects.get(email="carol@example.org").verified
    invitation.refresh_from_db()
    assert invitation.accepted_at is not None
    other = Client()
    assert follow(other, token) == 404
    assert "Sign-up is closed" in other.get(reverse("account_signup")).content.decode()


def test_an_invitation_is_for_its_address_alone(client: Client, root: User, settings: Settings) -> None:
    settings.SIGNUP = "invited"
    follow(client, invited(root)[1])
    assert sign_up(client, email="mallory@example.org") == 302
    assert set(User.objects.values_list("email", flat=True)) == {"root@example.org", "carol@example.org"}


def test_the_invited_need_no_second_letter(client: Client, root: User, settings: Settings) -> None:
    settings.SIGNUP, settings.ACCOUNT_EMAIL_VERIFICATION = "invited", "mandatory"
    follow(client, invited(root)[1])
    mail.outbox.clear()
    assert sign_up(client) == 302
    assert "_auth_user_id" in client.session
    assert mail.outbox == []


@pytest.mark.parametrize("end", ["revoked", "expired", "replaced", "closed"])
def test_an_invitation_that_ended_lets_nobody_in(
    end: str, client: Client, root: User, settings: Settings
) -> None:
    settings.SIGNUP = "invited"
    invitation, token = invited(root)
    assert follow(client, token) == 302
    if end == "revoked":
        invitations.revoke_invitation(invitation=invitation, actor=root)
    elif end == "expired":
        past = timezone.now() - timedelta(days=8)
        Invitation.objects.update(created_at=past, expires_at=past + timedelta(days=7))
    elif end == "replaced":
        invited(root, "Carol@Example.org")
    else:
        settings.SIGNUP = "closed"
    sign_up(client)
    assert not User.objects.filter(email="carol@example.org").exists()
    assert follow(Client(), token) == 404


def test_two_who_use_one_invitation_at_once_make_one_account(
    client: Client, root: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGNUP = "invited"
    invitation, token = invited(root)
    follow(client, token)
    monkeypatch.setattr("accounts.adapter.invitation_of", lambda request: invitation)
    Invitation.objects.update(accepted_at=timezone.now())
    page = client.post(reverse("account_signup"), SIGNUP).content.decode()
    assert "Sign-up is closed" in page
    assert not User.objects.filter(email="carol@example.org").exists()


def test_the_token_is_not_kept(root: User) -> None:
    invitation, token = invited(root)
    assert token not in str(vars(Invitation.objects.get()))
    assert invitation.token_sha256 == invitations.token_hash(token)


def test_an_administrator_invites_by_letter_and_sees_the_link_once(client: Client, root: User) -> None:
    client.force_login(root)
    answer = client.post(reverse("invitations"), {"email": "Carol@Example.org"})
    (letter,) = mail.outbox
    link = re.search(r"http://testserver/account/join/\S+/", str(letter.body))
    assert answer.status_code == 201
    assert letter.to == ["carol@example.org"]
    assert letter.subject == "TruthLens: You are invited to TruthLens"
    assert link is not None
    assert link[0] in answer.content.decode()
    listed = client.get(reverse("invitations")).content.decode()
    assert "carol@example.org" in listed
    assert link[0] not in listed
    assert follow(Client(), link[0].split("/")[-2]) == 302


def test_a_mail_server_that_is_down_is_told_and_the_link_still_shown(
    client: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: object) -> None:
        raise SMTPServerDisconnected("gone")

    monkeypatch.setattr("accounts.adapter.AccountAdapter.send_mail", down)
    client.force_login(root)
    page = client.post(reverse("invitations"), {"email": "carol@example.org"}).content.decode()
    assert "didn’t take the letter" in page
    assert "/account/join/" in page


def test_invitations_stand_in_the_audit_log_without_the_address(client: Client, root: User) -> None:
    client.force_login(root)
    client.post(reverse("invitations"), {"email": "carol@example.org"})
    invitation = Invitation.objects.get()
    for _ in range(2):
        client.post(reverse("invitation_revoke", args=[invitation.uuid]))
    entries = list(AuditEntry.objects.all())
    assert [entry.action for entry in entries] == ["invite", "revoke_invitation"]
    assert {(entry.actor, entry.target) for entry in entries} == {(root.uuid, str(invitation.uuid))}
    assert "carol" not in str([vars(entry) for entry in entries])


def test_what_is_no_address_is_told_at_the_field(client: Client, root: User) -> None:
    client.force_login(root)
    answer = client.post(reverse("invitations"), {"email": "nobody"})
    assert answer.status_code == 400
    assert not Invitation.objects.exists()


def test_who_is_logged_in_keeps_the_account(alice_client: Client, root: User) -> None:
    answer = alice_client.get(reverse("invitation_follow", args=[invited(root)[1]]), follow=True)
    assert "Log out first" in answer.content.decode()
    assert "invitation" not in alice_client.session
