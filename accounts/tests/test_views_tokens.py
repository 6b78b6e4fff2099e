"""The page of one's tokens, for everybody who may ask for it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, Scope, User
from accounts.tokens import create_token

pytestmark = pytest.mark.django_db
PAGE = "/account/tokens/"
FORM = {"name": "newsroom script", "scope": "write", "lifetime": "30"}


def revoke_address(token: ApiToken) -> str:
    return reverse("api_token_revoke", args=[token.uuid])


@pytest.fixture
def token(alice: User) -> ApiToken:
    return create_token(owner=alice, name="script of Alice", scope=Scope.READ)[0]


def test_alice_makes_a_token_and_sees_it_once(alice: User, alice_client: Client) -> None:
    answer = alice_client.post(PAGE, FORM)
    shown = re.search(r"tl_[0-9a-f]{64}", answer.content.decode())
    assert shown is not None
    assert "no-store" in answer["Cache-Control"]
    made = ApiToken.objects.get()
    assert (made.user, made.name, made.scope) == (alice, "newsroom script", "write")
    assert made.expiry is not None
    assert abs(made.expiry - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    page = alice_client.get(PAGE).content.decode()
    assert "newsroom script" in page
    assert shown[0] not in page
    assert made.digest not in page


def test_a_token_may_have_no_end(alice_client: Client) -> None:
    alice_client.post(PAGE, FORM | {"lifetime": ""})
    assert ApiToken.objects.get().expiry is None
    assert "no end" in alice_client.get(PAGE).content.decode()


def test_last_use_and_expiry_are_shown(alice_client: Client, token: ApiToken) -> None:
    assert "never used" in alice_client.get(PAGE).content.decode()
    now = timezone.now()
    ApiToken.objects.update(last_used_at=now, expiry=now - timedelta(days=1))
    page = alice_client.get(PAGE).content.decode()
    assert "last used" in page
    assert "expired" in page


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"name": "x" * 61}, {"scope": "all"}, {"scope": ""}, {"lifetime": "9999"}]
)
def test_what_can_not_be_taken_is_told_at_the_form(alice_client: Client, change: dict[str, str]) -> None:
    answer = alice_client.post(PAGE, FORM | change)
    assert answer.status_code == 400
    assert 'class="field__error"' in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_too_many_tokens_are_told_at_the_form(
    alice_client: Client, token: ApiToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    answer = alice_client.post(PAGE, FORM)
    assert answer.status_code == 400
    assert "Revoke one" in answer.content.decode()
    assert ApiToken.objects.count() == 1


def test_alice_revokes_her_token(alice_client: Client, token: ApiToken) -> None:
    answer = alice_client.post(revoke_address(token), follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    assert "opens nothing any more" in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_somebody_else_neither_sees_nor_revokes_it(
    bob_client: Client, mo_client: Client, token: ApiToken
) -> None:
    for client in (bob_client, mo_client):
        assert token.name not in client.get(PAGE).content.decode()
        assert client.post(revoke_address(token)).status_code == 404
    assert ApiToken.objects.exists()


def test_nobody_is_sent_to_the_login(client: Client, token: ApiToken) -> None:
    for answer in (client.get(PAGE), client.post(PAGE, FORM), client.post(revoke_address(token))):
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))
    assert ApiToken.objects.count() == 1


def test_a_suspended_user_is_nobody(alice: User, alice_client: Client, token: ApiToken) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert alice_client.get(PAGE).status_code == 302
    assert alice_client.post(revoke_address(token)).status_code == 302
    assert ApiToken.objects.exists()


def test_wrong_methods_and_forms_of_other_sites_are_refused(alice: User, token: ApiToken) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(PAGE, FORM).status_code == 403
    assert strict.post(revoke_address(token)).status_code == 403
    assert strict.get(revoke_address(token)).status_code == 405
    assert ApiToken.objects.count() == 1


def test_the_account_leads_there(alice_client: Client) -> None:
    assert f'href="{PAGE}"' in alice_client.get(reverse("profile")).content.decode()
