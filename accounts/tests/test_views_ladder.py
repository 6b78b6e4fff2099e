"""Every address of accounts, the library's too, climbed by everybody; an address that no list names fails."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.invitations import create_invitation
from accounts.models import Invitation, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
STRANGERS = {
    "account_login": 200,
    "account_signup": 200,
    "account_reset_password": 200,
    "account_reset_password_done": 200,
    "account_reset_password_from_key_done": 200,
    "account_reset_password_from_key": 200,
    "account_inactive": 200,
    "account_email_verification_sent": 200,
    "account_confirm_email": 200,
    "mfa_login_webauthn": 302,
    "invitation_follow": 302,
}
"""Pages for everybody, and what they answer to a visit."""
HALFWAY = ("mfa_authenticate", "account_confirm_login_code", "account_logout")
"""Between password and second factor, or for nobody: a visitor is led elsewhere."""
OWN = {
    "profile": 200,
    "security": 200,
    "api_tokens": 200,
    "api_token_revoke": 405,
    "account_email": 200,
    "account_change_password": 200,
    "account_reauthenticate": 200,
    "account_set_password": 302,
    "usersessions_list": 200,
    "mfa_index": 200,
    "mfa_reauthenticate": 302,
    "mfa_activate_totp": 200,
    "mfa_deactivate_totp": 404,
    "mfa_view_recovery_codes": 404,
    "mfa_download_recovery_codes": 404,
    "mfa_generate_recovery_codes": 200,
    "mfa_list_webauthn": 200,
    "mfa_add_webauthn": 200,
    "mfa_reauthenticate_webauthn": 302,
    "mfa_edit_webauthn": 404,
    "mfa_remove_webauthn": 404,
}
"""One's own pages, and what they answer to somebody without a second factor."""
ADMINISTRATORS = ("invitations", "invitation_revoke")
ARGUMENTS: dict[str, list[object]] = {
    "account_reset_password_from_key": ["zz", "set-password-x"],
    "account_confirm_email": ["nonsense"],
    "api_token_revoke": [uuid4()],
    "mfa_edit_webauthn": [1],
    "mfa_remove_webauthn": [1],
}


def names_under(*prefixes: str) -> Iterator[str]:
    """The names of all addresses below."""

    def walk(patterns: list[URLPattern | URLResolver], path: str) -> Iterator[str]:
        for pattern in patterns:
            below = path + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, below)
            elif below.startswith(prefixes) and "analyses" not in pattern.callback.__module__:
                yield str(pattern.name)

    yield from walk(get_resolver().url_patterns, "")


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@example.org", PASSWORD)


def invited() -> tuple[Invitation, str]:
    boss = User.objects.create_superuser("boss@example.org")
    return create_invitation(email="carol@example.org", created_by=boss)


def address(name: str) -> str:
    if name == "invitation_revoke":
        return reverse(name, args=[invited()[0].uuid])
    if name == "invitation_follow":
        return reverse(name, args=[invited()[1]])
    return reverse(name, args=ARGUMENTS.get(name, []))


def confirmed(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def test_every_address_is_on_one_of_the_lists() -> None:
    found = set(names_under("account/", "accounts/"))
    assert found == {*STRANGERS, *HALFWAY, *OWN, *ADMINISTRATORS}


@pytest.mark.parametrize("name", STRANGERS)
def test_everybody_gets_the_pages_for_everybody(name: str, client: Client) -> None:
    assert client.get(address(name)).status_code == STRANGERS[name]


@pytest.mark.parametrize("name", HALFWAY)
def test_half_a_login_is_led_elsewhere(name: str, client: Client) -> None:
    answer = client.get(address(name))
    assert answer.status_code == 302
    assert answer["Location"] in (reverse("account_login"), reverse("home"))


@pytest.mark.parametrize("name", [*OWN, *ADMINISTRATORS])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_sent_to_the_login(name: str, method: str, client: Client) -> None:
    url = address(name)
    answer = getattr(client, method)(url)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", OWN)
def test_the_owner_gets_their_own_pages_in_our_frame(name: str, alice: User) -> None:
    answer = confirmed(alice).get(address(name))
    assert answer.status_code == OWN[name]
    if answer.status_code == 200:
        page = answer.content.decode()
        assert 'class="site-header"' in page
        assert "css/account.css" in page
        assert " style=" not in page


@pytest.mark.parametrize("name", [*OWN, *ADMINISTRATORS])
def test_a_suspended_owner_is_nobody(name: str, alice: User) -> None:
    client = confirmed(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False, is_superuser=True)
    answer = client.get(address(name))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", ADMINISTRATORS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_invitations_are_the_administrators_alone(
    name: str, method: str, alice_client: Client, mo_client: Client
) -> None:
    url = address(name)
    expected = 405 if (name, method) == ("invitation_revoke", "get") else 404
    for client in (alice_client, mo_client):
        assert getattr(client, method)(url, {"email": "dave@example.org"}).status_code == expected
    assert not Invitation.objects.filter(revoked_at__isnull=False).exists()
    assert not Invitation.objects.filter(email="dave@example.org").exists()


def test_an_administrator_gets_the_invitations(root: User, client: Client) -> None:
    client.force_login(root)
    assert client.get(address("invitations")).status_code == 200
    assert client.post(address("invitation_revoke")).status_code == 302
    unknown = reverse("invitation_revoke", args=["00000000-0000-4000-8000-000000000000"])
    assert client.post(unknown).status_code == 404


@pytest.mark.parametrize("name", ["security", "invitation_follow"])
def test_pages_to_read_take_no_post(name: str, alice_client: Client) -> None:
    assert alice_client.post(address(name)).status_code == 405


@pytest.mark.parametrize("name", ["profile", "account_email", "invitations"])
def test_forms_take_no_put(name: str, root: User) -> None:
    assert confirmed(root).put(address(name)).status_code == 405


@pytest.mark.parametrize("name", ["mfa_edit_webauthn", "mfa_remove_webauthn"])
def test_a_passkey_of_somebody_else_is_404(name: str, alice: User, bob: User) -> None:
    from allauth.mfa.models import Authenticator

    key = Authenticator.objects.create(user=alice, type=Authenticator.Type.WEBAUTHN, data={"name": "A"})
    url = reverse(name, args=[key.pk])
    client = confirmed(bob)
    assert client.get(url).status_code == 404
    assert client.post(url, {"name": "B"}).status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()
