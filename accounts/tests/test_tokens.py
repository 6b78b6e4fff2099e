"""Tokens are told once, kept as a hash, and end when they should."""

import hashlib
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import tokens
from accounts.authentication import TokenAuthentication
from accounts.models import ApiToken, Scope, User
from accounts.tokens import TooManyTokens, create_token, revoke_all, revoke_token

pytestmark = pytest.mark.django_db


def user_of(header: str) -> tuple[User, ApiToken] | None:
    """Who the API takes the sender of this header for."""
    request = RequestFactory().get("/api/v1/", headers={"Authorization": header})
    found: tuple[User, ApiToken] | None = TokenAuthentication().authenticate(Request(request))
    return found


def test_a_token_stands_in_for_its_owner(alice: User) -> None:
    token, text = create_token(owner=alice, name="script", scope=Scope.WRITE)
    assert user_of(f"Token {text}") == (alice, token)
    assert (token.scope, token.expiry, token.has_expired) == (Scope.WRITE, None, False)


def test_the_database_holds_the_hash_alone(alice: User) -> None:
    token, text = create_token(owner=alice, name="script", scope=Scope.READ)
    assert text.startswith("tl_")
    assert token.digest == hashlib.sha512(text.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_apitoken")
        (row,) = cursor.fetchall()
    assert text not in map(str, row)
    assert len(token.token_key) < len(text) / 2


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token a b",
        "Token nonsense",
        "Token tl_" + "0" * 64,
        "Token \xff\xfe",
        "Token tl_\x00",
        "Token " + "a" * 500,
    ],
)
def test_what_is_no_token_opens_nothing(alice: User, header: str) -> None:
    create_token(owner=alice, name="script", scope=Scope.READ)
    with pytest.raises(AuthenticationFailed):
        user_of(header)


def test_another_scheme_is_left_to_others() -> None:
    assert user_of("Bearer tl_0123") is None


def test_a_revoked_token_opens_nothing(alice: User) -> None:
    token, text = create_token(owner=alice, name="script", scope=Scope.READ)
    _, other = create_token(owner=alice, name="other", scope=Scope.READ)
    revoke_token(token=token)
    with pytest.raises(AuthenticationFailed):
        user_of(f"Token {text}")
    assert user_of(f"Token {other}")


def test_an_expired_token_opens_nothing_and_stays_listed(alice: User) -> None:
    token, text = create_token(owner=alice, name="script", scope=Scope.READ, lifetime=timedelta(days=7))
    assert user_of(f"Token {text}")
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    with pytest.raises(AuthenticationFailed):
        user_of(f"Token {text}")
    token.refresh_from_db()
    assert token.has_expired


def test_a_suspended_users_token_opens_nothing(alice: User) -> None:
    _, text = create_token(owner=alice, name="script", scope=Scope.READ)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(AuthenticationFailed):
        user_of(f"Token {text}")


def test_revoking_all_ends_ones_own_and_nobody_elses(alice: User, bob: User) -> None:
    for name in ("one", "two"):
        create_token(owner=alice, name=name, scope=Scope.READ)
    kept, _ = create_token(owner=bob, name="script", scope=Scope.READ)
    assert revoke_all(alice) == 2
    assert list(ApiToken.objects.all()) == [kept]


def test_the_last_use_is_written_down_once_a_minute(alice: User) -> None:
    token, text = create_token(owner=alice, name="script", scope=Scope.READ)
    assert token.last_used_at is None
    user_of(f"Token {text}")
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    with CaptureQueriesContext(connection) as queries:
        user_of(f"Token {text}")
    assert not any(query["sql"].startswith("UPDATE") for query in queries)
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    user_of(f"Token {text}")
    token.refresh_from_db()
    assert token.last_used_at >= first


def test_nobody_has_more_than_so_many_tokens(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    create_token(owner=alice, name="one", scope=Scope.READ)
    with pytest.raises(TooManyTokens):
        create_token(owner=alice, name="two", scope=Scope.READ)
    assert create_token(owner=bob, name="one", scope=Scope.READ)


@pytest.mark.parametrize("change", [{"scope": "all"}, {"name": ""}])
def test_the_database_refuses_a_token_of_no_known_kind(alice: User, change: dict[str, str]) -> None:
    create_token(owner=alice, name="script", scope=Scope.READ)
    with pytest.raises(IntegrityError):
        ApiToken.objects.update(**change)
