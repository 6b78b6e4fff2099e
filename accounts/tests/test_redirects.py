"""No page of an account leads to another site, whatever address it is given to lead to."""

import re

import pytest
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from accounts.tests.test_attacks import EVIL, PASSWORD, SIGNUP
from accounts.tests.test_security_pages import code_of, confirmed, with_app

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("evil", [*EVIL, "///evil.example", "http:///evil"]),
]
NEW = {"oldpassword": PASSWORD, "password1": f"{PASSWORD} staple", "password2": f"{PASSWORD} staple"}


def leads_to(client: Client, name: str, form: dict[str, str], evil: str) -> set[str]:
    """Where a form leads that names the address beside its fields, and in its own address."""
    url = reverse(name)
    answers = (
        client.post(url, {**form, REDIRECT_FIELD_NAME: evil}),
        client.post(url, form, query_params={REDIRECT_FIELD_NAME: evil}),
    )
    return {answer["Location"] for answer in answers}


def test_the_login_leads_home(evil: str, alice: User) -> None:
    form = {"login": alice.email, "password": PASSWORD}
    assert leads_to(Client(), "account_login", form, evil) == {reverse("analyses")}
    page = Client().get(reverse("account_login"), {REDIRECT_FIELD_NAME: evil}).content.decode()
    assert not re.search(r'(href|action)="[^"]*evil', page)


@pytest.mark.parametrize("name", ["account_login", "account_signup"])
def test_so_does_the_login_of_those_who_are_in_already(name: str, evil: str, alice_client: Client) -> None:
    answer = alice_client.get(reverse(name), {REDIRECT_FIELD_NAME: evil})
    assert answer["Location"] == reverse("analyses")


def test_so_does_the_second_factor(evil: str, alice: User) -> None:
    secret = with_app(confirmed(alice))
    client = Client()
    form = {"login": alice.email, "password": PASSWORD, REDIRECT_FIELD_NAME: evil}
    assert client.post(reverse("account_login"), form)["Location"] == reverse("mfa_authenticate")
    code = {"code": code_of(secret), REDIRECT_FIELD_NAME: evil}
    assert client.post(reverse("mfa_authenticate"), code)["Location"] == reverse("analyses")


def test_giving_the_password_or_a_code_once_more_leads_to_the_site(evil: str, alice: User) -> None:
    client = confirmed(alice)
    secret = with_app(client)
    assert leads_to(client, "account_reauthenticate", {"password": PASSWORD}, evil) == {reverse("analyses")}
    code = {"code": code_of(secret), REDIRECT_FIELD_NAME: evil}
    assert client.post(reverse("mfa_reauthenticate"), code)["Location"] == reverse("analyses")


def test_a_changed_or_forgotten_password_leads_to_the_site(evil: str, alice: User) -> None:
    client = confirmed(alice)
    changed = client.post(reverse("account_change_password"), {**NEW, REDIRECT_FIELD_NAME: evil})
    assert changed["Location"].startswith("/account")
    asked = {"email": alice.email, REDIRECT_FIELD_NAME: evil}
    answer = Client().post(reverse("account_reset_password"), asked)
    assert answer["Location"] == reverse("account_reset_password_done")
    assert "evil" not in str(mail.outbox[-1].body)


def test_sign_up_and_the_letter_that_confirms_it_lead_to_the_site(evil: str, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client = Client()
    answer = client.post(reverse("account_signup"), {**SIGNUP, REDIRECT_FIELD_NAME: evil})
    assert "evil" not in answer["Location"]
    link = next(word for word in str(mail.outbox[0].body).split() if word.startswith("http://testserver/"))
    confirmed_at = client.post(link, query_params={REDIRECT_FIELD_NAME: evil})
    assert confirmed_at["Location"].startswith("/")
    assert "evil" not in confirmed_at["Location"]


def test_the_ways_out_lead_to_the_site(evil: str, alice_client: Client) -> None:
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    left = alice_client.post(reverse("account_logout"), {REDIRECT_FIELD_NAME: evil})
    assert left["Location"] == reverse("home")
    client = Client()
    client.force_login(root)
    answer = client.post("/admin/logout/", {REDIRECT_FIELD_NAME: evil})
    assert "evil" not in answer.get("Location", "") + answer.content.decode()


def test_the_choice_of_a_language_leads_to_the_profile(evil: str, alice: User, alice_client: Client) -> None:
    form = {"display_name": "Alice", "time_zone": "", "language": "en"}
    assert leads_to(alice_client, "profile", form, evil) == {reverse("profile")}
    alice.refresh_from_db()
    assert alice.language == "en"
