"""What people try against the doors of a site."""

from typing import ClassVar

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import roles
from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SIGNUP = {"email": "carol@example.org", "password1": PASSWORD, "password2": PASSWORD}
EVIL = (
    "https://evil.example/",
    "//evil.example/",
    "javascript:alert(1)",
    "https:evil.example",
    "/\\evil.example",
)


def log_in(client: Client, user: User, **more: str) -> str:
    form = {"login": user.email, "password": PASSWORD, **more}
    return str(client.post(reverse("account_login"), form)["Location"])


def told(client: Client, name: str, form: dict[str, str]) -> tuple[int, str, str]:
    """What an asker sees: status, where it leads, and the page without what differs anyway."""
    answer = client.post(reverse(name), form)
    page = client.get(answer["Location"]) if answer.status_code == 302 else answer
    text = page.content.decode().replace(form.get("email", "-"), "").replace(form.get("login", "-"), "")
    lines = [line for line in text.splitlines() if "csrfmiddlewaretoken" not in line]
    return answer.status_code, answer.get("Location", ""), "\n".join(lines)


def test_login_says_the_same_of_known_and_unknown_addresses(alice: User) -> None:
    known = told(Client(), "account_login", {"login": alice.email, "password": "wrong"})
    assert known == told(Client(), "account_login", {"login": "nobody@example.org", "password": "wrong"})


def test_a_forgotten_password_says_the_same_of_known_and_unknown_addresses(alice: User) -> None:
    known = told(Client(), "account_reset_password", {"email": alice.email})
    assert known == told(Client(), "account_reset_password", {"email": "nobody@example.org"})
    assert known[0] == 302


def test_a_forgotten_password_is_a_letter_to_known_and_unknown_addresses(alice: User) -> None:
    """Sending one takes most of the time."""
    for email in (alice.email, "nobody@example.org"):
        told(Client(), "account_reset_password", {"email": email})
    assert [letter.to for letter in mail.outbox] == [[alice.email], ["nobody@example.org"]]
    assert "reset/key" in str(mail.outbox[0].body)
    assert "reset/key" not in str(mail.outbox[1].body)


def test_sign_up_says_the_same_of_known_and_unknown_addresses_where_addresses_are_verified(
    alice: User, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    known = told(Client(), "account_signup", SIGNUP | {"email": alice.email})
    assert known == told(Client(), "account_signup", SIGNUP)
    assert known[0] == 302
    letters = {letter.to[0]: letter.subject for letter in mail.outbox}
    assert set(letters) == {alice.email, "carol@example.org"}
    assert letters[alice.email] == "TruthLens: Account Already Exists"


class CountingHasher(MD5PasswordHasher):
    hashed: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        self.hashed.append(password)
        return super().encode(password, salt)


@pytest.mark.parametrize("name", ["account_login", "account_signup"])
def test_known_and_unknown_addresses_cost_the_same_work(name: str, alice: User, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    alice.set_password(PASSWORD)
    alice.save()
    work = []
    for email in (alice.email, "carol@example.org"):
        CountingHasher.hashed.clear()
        Client().post(reverse(name), SIGNUP | {"email": email, "login": email, "password": "wrong"})
        work.append(len(CountingHasher.hashed))
    assert work == [1, 1]


def test_where_addresses_are_verified_nobody_is_in_before(client: Client, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client.post(reverse("account_signup"), SIGNUP)
    assert "_auth_user_id" not in client.session
    log_in(client, User.objects.get())
    assert "_auth_user_id" not in client.session
    link = next(word for word in str(mail.outbox[0].body).split() if word.startswith("http://testserver/"))
    assert "Is this your address?" in client.get(link).content.decode()
    client.post(link)
    log_in(client, User.objects.get())
    assert "_auth_user_id" in client.session


@pytest.mark.parametrize("evil", EVIL)
def test_no_page_leads_to_another_site(evil: str, alice: User, alice_client: Client) -> None:
    assert log_in(Client(), alice, next=evil) == reverse("analyses")
    signed_up = Client().post(reverse("account_signup"), SIGNUP | {"next": evil})
    assert signed_up["Location"] == reverse("analyses")
    confirmed = alice_client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": evil})
    assert "evil" not in confirmed["Location"]
    assert "evil" not in alice_client.post(reverse("account_logout"), {"next": evil})["Location"]


@pytest.mark.parametrize("evil", EVIL)
def test_the_administrators_login_leads_to_no_other_site(evil: str, client: Client) -> None:
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    first = client.get("/admin/login/", {"next": evil})
    assert first["Location"].startswith(reverse("account_login"))
    form = {"login": root.email, "password": PASSWORD}
    answer = client.post(first["Location"], form, follow=True)
    hops = [url.split("?")[0] for url, _ in answer.redirect_chain]
    assert hops
    assert all(hop.startswith(("/admin/", "/analyses/")) for hop in hops), hops


def test_a_page_of_this_site_is_led_to(alice: User, client: Client) -> None:
    assert log_in(client, alice, next="/exports/") == "/exports/"


def test_a_session_that_was_there_before_the_login_is_worth_nothing_after(
    alice: User, client: Client
) -> None:
    client.get(reverse("account_login"))
    session = client.session
    session["planted"] = "yes"
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = str(before)
    log_in(client, alice)
    assert client.cookies["sessionid"].value != before
    planted = Client()
    planted.cookies["sessionid"] = str(before)
    assert planted.get(reverse("profile")).status_code == 302


def test_a_changed_password_ends_the_other_sessions(alice: User, alice_client: Client) -> None:
    other = Client()
    other.force_login(alice)
    new = "another good phrase"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    alice_client.post(reverse("account_change_password"), form)
    assert alice_client.get(reverse("profile")).status_code == 200
    assert other.get(reverse("profile")).status_code == 302
    assert [letter.to for letter in mail.outbox] == [[alice.email]]


def test_a_suspension_empties_the_list_of_sessions(alice: User) -> None:
    clients = [Client(), Client()]
    for client in clients:
        log_in(client, alice)
    assert len(UserSession.objects.purge_and_list(alice)) == 2
    roles.suspend_user(user=alice, actor=None, reason="A test.")
    assert UserSession.objects.purge_and_list(alice) == []
    roles.reinstate_user(user=alice, actor=None, reason="A test.")
    assert [client.get(reverse("profile")).status_code for client in clients] == [302, 302]


RIGHTS = {
    "is_staff": "on",
    "is_superuser": "on",
    "is_active": "",
    "uuid": "x",
    "id": "1",
    "role": "administrator",
}


def test_nobody_signs_up_with_rights(client: Client) -> None:
    client.post(reverse("account_signup"), SIGNUP | RIGHTS)
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)


def test_nobody_gives_themselves_rights_or_an_unconfirmed_address(alice: User, alice_client: Client) -> None:
    form = RIGHTS | {"display_name": "Ali", "email": "mallory@example.org", "password": "x"}
    assert alice_client.post(reverse("profile"), form).status_code == 302
    changed = User.objects.get()
    assert (changed.display_name, changed.email) == ("Ali", alice.email)
    assert (changed.is_staff, changed.is_superuser, changed.is_active) == (False, False, True)
    assert (changed.uuid, changed.password) == (alice.uuid, alice.password)


def test_letters_never_lead_to_a_host_that_the_asker_made_up(alice: User, client: Client) -> None:
    answer = client.post(
        reverse("account_reset_password"), {"email": alice.email}, headers={"host": "evil.example"}
    )
    assert answer.status_code == 400
    forwarded = {"x-forwarded-host": "evil.example"}
    client.post(reverse("account_reset_password"), {"email": alice.email}, headers=forwarded)
    (letter,) = mail.outbox
    assert "evil.example" not in str(letter.body)


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_logout",
        "account_signup",
        "account_reset_password",
        "account_change_password",
        "account_reauthenticate",
        "account_email",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_login_webauthn",
        "usersessions_list",
        "profile",
        "invitations",
    ],
)
def test_a_form_of_another_site_is_refused(name: str, alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    if name not in ("account_login", "account_signup", "account_reset_password", "mfa_login_webauthn"):
        strict.force_login(alice)
    assert strict.post(reverse(name)).status_code == 403
