"""Second factors and sessions, as one meets them."""

import re
from smtplib import SMTPServerDisconnected

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.mfa import MfaAdapter
from accounts.models import AuditEntry, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def logged_in(user: User) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return client


def confirmed(user: User) -> Client:
    """Logged in, and the password was just given once more."""
    client = logged_in(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def code_of(secret: str) -> str:
    """What an authenticator app shows now."""
    _, now, _ = sorted(yield_hotp_counters_from_time())  # half a minute earlier and later count too
    return str(format_hotp_value(hotp_value(secret, now)))


def with_app(client: Client) -> str:
    """Set up an authenticator app; returns its secret."""
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    found = re.search(r'<code class="key"[^>]*>(\w+)</code>', page)
    assert found
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(found[1])})
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    return found[1]


def codes_on(client: Client) -> list[str]:
    page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    return re.findall(r"<li><code>(\d+)</code>", page)


def test_with_an_app_the_password_alone_lets_nobody_in(alice: User) -> None:
    secret = with_app(confirmed(alice))
    client = Client()
    answer = client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    assert answer["Location"] == reverse("mfa_authenticate")
    page = client.get(reverse("mfa_authenticate")).content.decode()
    assert "authenticator app" in page
    assert "Use a passkey" not in page  # there is none
    assert "_auth_user_id" not in client.session
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "Incorrect code." in wrong.content.decode()
    assert "_auth_user_id" not in client.session
    cache.clear()  # a code counts once; this one stands for the next
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_a_recovery_code_lets_in_once(alice: User) -> None:
    first = confirmed(alice)
    with_app(first)
    code = codes_on(first)[0]
    assert len(codes_on(first)) == 10
    for result in (True, False):
        client = logged_in(alice)
        client.post(reverse("mfa_authenticate"), {"code": code})
        assert ("_auth_user_id" in client.session) is result


def test_recovery_codes_are_downloaded_as_text(alice: User) -> None:
    client = confirmed(alice)
    with_app(client)
    text = client.get(reverse("mfa_download_recovery_codes"))
    assert text["Content-Type"].startswith("text/plain")
    assert text.content.decode().split() == codes_on(client)


def test_an_app_is_turned_off_again_with_its_codes(alice: User) -> None:
    client = confirmed(alice)
    with_app(client)
    assert "Turn off the authenticator app?" in client.get(reverse("mfa_deactivate_totp")).content.decode()
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()
    assert "_auth_user_id" in logged_in(alice).session
    assert [letter.subject for letter in mail.outbox if "Deactivated" in letter.subject]


def test_a_mail_server_that_is_down_stops_no_change(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*args: object, **options: object) -> None:
        raise SMTPServerDisconnected("gone")

    client = confirmed(alice)
    monkeypatch.setattr("accounts.adapter.AccountAdapter.send_mail", down)
    with_app(client)
    assert Authenticator.objects.filter(type=Authenticator.Type.TOTP).exists()


def test_who_lost_their_factors_is_helped_by_an_administrator(alice: User) -> None:
    with_app(confirmed(alice))
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    client = Client()
    client.force_login(root)
    app = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    url = reverse("admin:mfa_authenticator_change", args=[app.pk])
    page = client.get(url).content.decode()
    assert app.data["secret"] not in page
    assert client.post(url, {"data": "{}"}).status_code == 403
    assert client.get(reverse("admin:mfa_authenticator_add")).status_code == 403
    client.post(reverse("admin:mfa_authenticator_delete", args=[app.pk]), {"post": "yes"})
    assert not Authenticator.objects.exists(), "recovery codes alone protect nothing"
    entry = AuditEntry.objects.get(action="remove_factor")
    assert (entry.actor, entry.target) == (root.uuid, str(alice.uuid))
    assert entry.before == {"factor": "totp"}
    assert "_auth_user_id" in logged_in(alice).session


def test_several_factors_are_removed_at_once(alice: User) -> None:
    with_app(confirmed(alice))
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    client = Client()
    client.force_login(root)
    keys = list(Authenticator.objects.values_list("pk", flat=True))
    form = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    client.post(reverse("admin:mfa_authenticator_changelist"), form)
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.filter(action="remove_factor").exists()


def test_secrets_are_encrypted_in_the_database(alice: User, settings: Settings) -> None:
    secret = with_app(confirmed(alice))
    stored = Authenticator.objects.get(type=Authenticator.Type.TOTP).data["secret"]
    assert secret not in stored
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key"
    assert MfaAdapter().decrypt(stored) == secret


def test_what_protects_the_account_asks_who_one_is_once_in_a_while(alice: User) -> None:
    client = confirmed(alice)
    session = client.session
    for method in session["account_authentication_methods"]:
        method["at"] -= 3600
    session.save()
    for name in ("mfa_activate_totp", "mfa_add_webauthn"):
        answer = client.get(reverse(name))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_reauthenticate"))
    client.post(reverse("account_email"), {"email": "new@example.org", "action_add": ""})
    assert not EmailAddress.objects.filter(email="new@example.org").exists()
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


def test_the_security_page_says_what_is_on(alice: User) -> None:
    client = confirmed(alice)
    assert "Off. Whoever learns your password is in." in client.get(reverse("security")).content.decode()
    with_app(client)
    page = client.get(reverse("security")).content.decode()
    assert "On: an authenticator app." in page
    assert "You are logged in on 1 device." in page


def test_other_sessions_are_listed_and_ended(alice: User, bob: User) -> None:
    here, there, other = logged_in(alice), logged_in(alice), logged_in(bob)
    page = here.get(reverse("usersessions_list")).content.decode()
    assert page.count("Since <time") == 2
    assert page.count("This one") == 1
    here.post(reverse("usersessions_list"))
    assert here.get(reverse("profile")).status_code == 200
    assert there.get(reverse("profile")).status_code == 302
    assert other.get(reverse("profile")).status_code == 200


def test_a_new_address_counts_once_its_owner_has_confirmed_it(alice: User) -> None:
    client = confirmed(alice)
    client.post(reverse("account_email"), {"email": "new@example.org", "action_add": ""})
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    assert "new@example.org takes its place" in client.get(reverse("profile")).content.decode()
    assert "Waiting for new@example.org" in client.get(reverse("account_email")).content.decode()
    letter = next(letter for letter in mail.outbox if letter.to == ["new@example.org"])
    link = next(word for word in str(letter.body).split() if word.startswith("http://testserver/"))
    client.post(link)
    alice.refresh_from_db()
    assert alice.email == "new@example.org"
    assert list(EmailAddress.objects.values_list("email", flat=True)) == ["new@example.org"]


def letters() -> list[tuple[str, str]]:
    sent = [(letter.to[0], letter.subject.removeprefix("TruthLens: ")) for letter in mail.outbox]
    mail.outbox.clear()
    return sent


def test_an_address_of_somebody_else_is_not_taken_over_nor_told(alice: User, bob: User) -> None:
    client = confirmed(alice)
    client.get(reverse("account_email"))  # with the greeting
    pages = []
    for email in (bob.email, "new@example.org"):
        client.post(reverse("account_email"), {"email": email, "action_add": ""})
        pages.append(client.get(reverse("account_email")).content.decode().replace(email, "x"))
    known, unknown = ([line for line in page.splitlines() if "csrf" not in line] for page in pages)
    assert known == unknown
    assert letters() == [
        (bob.email, "Account Already Exists"),
        ("new@example.org", "Please Confirm Your Email Address"),
    ]


def test_a_letter_is_sent_again_or_the_change_forgotten(alice: User) -> None:
    client = confirmed(alice)
    client.post(reverse("account_email"), {"email": "new@example.org", "action_add": ""})
    client.post(reverse("account_email"), {"action_send": ""})
    assert [to for to, _ in letters()] == ["new@example.org"] * 2
    client.post(reverse("account_email"), {"action_remove": ""})
    assert "Waiting for" not in client.get(reverse("account_email")).content.decode()
    for posted in ({"action_send": ""}, {"action_remove": ""}, {"action_primary": "", "email": alice.email}):
        client.post(reverse("account_email"), posted)
    assert letters() == []
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"


@pytest.mark.parametrize("email", ["nobody", "ALICE@example.org", ""])
def test_what_can_not_be_an_address_is_told_at_its_field(email: str, alice: User) -> None:
    client = confirmed(alice)
    answer = client.post(reverse("account_email"), {"email": email, "action_add": ""})
    assert answer.status_code == 400
    assert "field__error" in answer.content.decode()


def test_who_signs_up_with_an_address_has_it_before_whoever_waits_for_it(alice: User) -> None:
    client = confirmed(alice)
    client.post(reverse("account_email"), {"email": "new@example.org", "action_add": ""})
    link = next(word for word in str(mail.outbox[-1].body).split() if word.startswith("http://testserver/"))
    form = {"email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD}
    Client().post(reverse("account_signup"), form)
    assert "This link is no longer valid" in client.get(link).content.decode()
    assert client.post(link).status_code == 404


def test_letters_are_limited(alice: User) -> None:
    client = confirmed(alice)
    client.post(reverse("account_email"), {"email": "new@example.org", "action_add": ""})
    answers = [client.post(reverse("account_email"), {"action_send": ""}).status_code for _ in range(10)]
    assert answers == [302] * 9 + [429]


def test_a_long_name_is_told_at_its_field(alice_client: Client) -> None:
    answer = alice_client.post(reverse("profile"), {"display_name": "x" * 81})
    assert answer.status_code == 400
    assert "field__error" in answer.content.decode()
