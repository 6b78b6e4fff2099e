"""The pages of the accounts library, in the site's own frame and words."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User

OPEN = ("account_login", "account_signup", "account_reset_password", "account_reset_password_done",
        "account_reset_password_from_key_done", "account_inactive")  # fmt: skip
CLOSED = ("account_logout", "account_change_password", "account_reauthenticate", "account_email")


def is_ours(page: str) -> bool:
    return 'class="site-header"' in page and 'class="account"' in page


@pytest.mark.parametrize("name", OPEN)
@pytest.mark.django_db
def test_pages_for_everybody_stand_in_our_frame(name: str, client: Client) -> None:
    assert is_ours(client.get(reverse(name)).content.decode())


@pytest.mark.parametrize("name", CLOSED)
def test_pages_for_users_stand_in_our_frame(name: str, alice_client: Client) -> None:
    assert is_ours(alice_client.get(reverse(name), follow=True).content.decode())


def test_a_wrong_password_is_said_at_the_form(alice: User, client: Client) -> None:
    response = client.post(reverse("account_login"), {"login": alice.email, "password": "wrong"})
    assert 'class="alert" role="alert"' in response.content.decode()


def test_a_short_password_is_said_at_its_field(db: None, client: Client) -> None:
    form = {"email": "new@example.org", "password1": "short", "password2": "short"}
    page = client.post(reverse("account_signup"), form).content.decode()
    assert re.search(r'class="field__error"[^>]*>This password is too short', page)
    assert not User.objects.exists()


def test_signing_up_leads_to_ones_analyses(db: None, client: Client) -> None:
    password = "a long enough one 7"
    form = {"email": "new@example.org", "password1": password, "password2": password}
    response = client.post(reverse("account_signup"), form, follow=True)
    assert "Nothing analysed yet." in response.content.decode()


def test_a_forgotten_password_is_replaced_by_the_link_in_the_mail(alice: User, client: Client) -> None:
    page = client.post(reverse("account_reset_password"), {"email": alice.email}, follow=True)
    assert "Look into your mail" in page.content.decode()
    link = re.search(r"http://testserver(\S+)", str(mail.outbox[0].body))
    assert link
    form = client.get(link[1], follow=True)
    assert "Choose a new password" in form.content.decode()
    password = "a long enough one 7"
    done = client.post(
        form.redirect_chain[-1][0], {"password1": password, "password2": password}, follow=True
    )
    assert "Your password is changed" in done.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(password)


def test_a_used_link_is_explained(db: None, client: Client) -> None:
    url = reverse("account_reset_password_from_key", kwargs={"uidb36": "zz", "key": "set-password-x"})
    assert "This link is no longer valid" in client.get(url, follow=True).content.decode()
