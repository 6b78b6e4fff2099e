"""Sign-up, login and logout, without a mail server."""

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SIGNUP = {"email": "carol@example.org", "password1": PASSWORD, "password2": PASSWORD}


def is_logged_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_stranger_signs_up_and_is_logged_in_at_once_without_a_letter(client: Client) -> None:
    answer = client.post(reverse("account_signup"), SIGNUP | {"email": "Carol@Example.org"})
    assert answer.status_code == 302
    assert answer["Location"] == reverse("analyses")
    assert is_logged_in(client)
    assert User.objects.get().email == "carol@example.org"
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"password1": "short", "password2": "short"}, "password1"),
        ({"password1": "1234567890123", "password2": "1234567890123"}, "password1"),
        ({"password1": "carol@example.org", "password2": "carol@example.org"}, "password1"),
        ({"password2": "something else"}, "password2"),
    ],
)
def test_what_can_not_be_taken_is_told_at_its_field(
    client: Client, change: dict[str, str], field: str
) -> None:
    answer = client.post(reverse("account_signup"), SIGNUP | change)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert not User.objects.exists()


def test_an_address_can_be_taken_once_whatever_its_case(client: Client, alice: User) -> None:
    answer = client.post(reverse("account_signup"), SIGNUP | {"email": "ALICE@example.org"})
    assert answer.status_code == 200
    assert not is_logged_in(client)
    assert User.objects.count() == 1


def test_alice_logs_in_with_her_address_in_any_case_and_out_again(client: Client, alice: User) -> None:
    answer = client.post(reverse("account_login"), {"login": "ALICE@example.org", "password": PASSWORD})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(alice.pk)
    client.get(reverse("account_logout"))
    assert is_logged_in(client), "a mere visit logs nobody out"
    client.post(reverse("account_logout"))
    assert not is_logged_in(client)


@pytest.mark.parametrize("login", ["alice@example.org", "nobody@example.org"])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    client: Client, alice: User, login: str
) -> None:
    answer = client.post(reverse("account_login"), {"login": login, "password": "wrong"})
    assert answer.context["form"].non_field_errors() == [
        "The email address and/or password you specified are not correct."
    ]
    assert not is_logged_in(client)


def test_a_forgotten_password_is_replaced_by_way_of_a_letter(client: Client, alice: User) -> None:
    client.post(reverse("account_reset_password"), {"email": "ALICE@example.org"})
    (letter,) = mail.outbox
    assert letter.to == [alice.email]
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(letter.body))
    assert link is not None
    form = client.get(link[1], follow=True)
    new = {"password1": "another good phrase", "password2": "another good phrase"}
    client.post(form.request["PATH_INFO"], new)
    client.post(reverse("account_login"), {"login": alice.email, "password": "another good phrase"})
    assert is_logged_in(client)


@pytest.mark.parametrize("signup", ["open", "invited", "closed"])
def test_who_has_no_account_is_led_to_sign_up_only_where_that_is_open(
    client: Client, db: None, settings: Settings, signup: str
) -> None:
    settings.SIGNUP = signup
    client.post(reverse("account_reset_password"), {"email": "nobody@example.org"})
    (letter,) = mail.outbox
    assert "nobody@example.org, which no account here has" in letter.body
    assert ("http://testserver/accounts/signup/" in letter.body) == (signup == "open")


def test_a_suspended_user_can_not_log_in(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    assert not is_logged_in(client)


def test_guessing_a_password_is_stopped_after_a_few_tries(client: Client, alice: User) -> None:
    for _ in range(5):
        client.post(reverse("account_login"), {"login": alice.email, "password": "wrong"})
    answer = client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    assert not is_logged_in(client)
    assert "Too many failed login attempts" in answer.content.decode()


def test_guesses_at_a_password_are_counted_in_all_web_processes_together(
    client: Client, alice: User, broker: str
) -> None:
    wrong = {"login": alice.email, "password": "not it"}
    for _ in range(5):
        assert "Too many" not in client.post(reverse("account_login"), wrong).content.decode()
        cache.clear()  # the next is another process: it remembers nothing
    assert "Too many failed login attempts" in client.post(reverse("account_login"), wrong).content.decode()


def test_another_port_in_the_host_header_gives_no_further_guesses(client: Client, alice: User) -> None:
    wrong = {"login": alice.email, "password": "not it"}
    for port in range(5):
        client.post(reverse("account_login"), wrong, headers={"host": f"testserver:{8000 + port}"})
    answer = client.post(reverse("account_login"), wrong, headers={"host": "testserver:9000"})
    assert "Too many failed login attempts" in answer.content.decode()


def test_a_sign_up_flood_is_stopped(client: Client) -> None:
    answers = [client.post(reverse("account_signup"), {"email": "nobody"}).status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]


def test_a_form_from_another_site_is_refused(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    assert answer.status_code == 403
