"""Roles and suspension: what they change, what they end, and who may."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.hashers import make_password
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import roles
from accounts.models import ApiToken, AuditEntry, Role, Scope, User
from accounts.roles import NotAllowed
from accounts.tokens import create_token
from truthlens_site.tests.site import printed_by

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
WHY = "Uploads of other people's files."


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@example.org", PASSWORD)


def log_in(client: Client, email: str) -> bool:
    client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    return "_auth_user_id" in client.session


def is_let_in(client: Client) -> bool:
    return client.get(reverse("account_change_password")).status_code == 200


def test_everybody_has_one_role(alice: User, mo: User, root: User) -> None:
    assert [user.role for user in (alice, mo, root)] == [Role.USER, Role.MODERATOR, Role.ADMINISTRATOR]


@pytest.mark.parametrize(
    ("role", "flags"),
    [(Role.USER, (False, False)), (Role.MODERATOR, (True, False)), (Role.ADMINISTRATOR, (True, True))],
)
def test_a_role_is_set_and_recorded(role: Role, flags: tuple[bool, bool], bob: User, root: User) -> None:
    bob.is_staff = True
    bob.save()
    roles.set_role(user=bob, role=Role.USER, actor=root, reason=WHY)
    roles.set_role(user=bob, role=role, actor=root, reason=f" {WHY} ")
    assert (bob.is_staff, bob.is_superuser, bob.role) == (*flags, role)
    newest = AuditEntry.objects.last()
    assert newest is not None
    assert (newest.action, newest.target, newest.reason) == ("set_role", str(bob.uuid), WHY)
    assert newest.actor == root.uuid


def test_the_log_tells_the_role_before_and_after(mo: User, root: User) -> None:
    roles.set_role(user=mo, role=Role.ADMINISTRATOR, actor=root, reason=WHY)
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"role": "moderator"}, {"role": "administrator"})


def test_the_same_role_again_changes_and_records_nothing(mo: User, root: User) -> None:
    roles.set_role(user=mo, role=Role.MODERATOR, actor=root, reason=WHY)
    assert not AuditEntry.objects.exists()


def test_suspension_ends_every_session_from_the_next_request_on(alice: User, root: User) -> None:
    clients = [Client(), Client()]
    for client in clients:
        assert log_in(client, alice.email)
        assert is_let_in(client)
    roles.suspend_user(user=alice, actor=root, reason=WHY)
    assert not any(is_let_in(client) for client in clients)
    assert not log_in(Client(), alice.email)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.target) == ("suspend", root.uuid, str(alice.uuid))
    assert (entry.before, entry.after, entry.reason) == ({"active": True}, {"active": False}, WHY)


def test_who_is_reinstated_logs_in_anew(alice: User, alice_client: Client, root: User) -> None:
    roles.suspend_user(user=alice, actor=root, reason=WHY)
    roles.reinstate_user(user=alice, actor=root, reason="A mix-up.")
    assert alice.is_active
    assert not is_let_in(alice_client), "a session from before the suspension is over for good"
    assert log_in(alice_client, alice.email)
    assert is_let_in(alice_client)
    assert [entry.action for entry in AuditEntry.objects.all()] == ["suspend", "reinstate"]


def test_others_stay_logged_in(alice: User, bob_client: Client, root: User) -> None:
    roles.suspend_user(user=alice, actor=root, reason=WHY)
    assert is_let_in(bob_client)


def test_a_session_from_under_an_earlier_secret_key_can_be_ended_too(
    alice: User, alice_client: Client, settings: Settings
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 50, [settings.SECRET_KEY]
    assert is_let_in(alice_client)
    roles.end_sessions(user=alice)
    assert not is_let_in(alice_client)


def test_a_suspended_user_gets_no_letter_to_set_a_password(
    alice: User, root: User, mailoutbox: list[EmailMessage], client: Client
) -> None:
    roles.suspend_user(user=alice, actor=root, reason=WHY)
    client.post(reverse("account_reset_password"), {"email": alice.email})
    assert not any("reset/key" in letter.body for letter in mailoutbox)


def test_only_whoever_knows_the_password_learns_of_a_suspension(alice: User, root: User) -> None:
    roles.suspend_user(user=alice, actor=root, reason=WHY)
    address = reverse("account_login")
    told = [
        Client().post(address, {"login": login, "password": "a wrong password"}).context["form"].errors
        for login in (alice.email, "nobody@example.org")
    ]
    assert told[0] == told[1]
    right = Client().post(address, {"login": alice.email, "password": PASSWORD}, follow=True)
    assert right.request["PATH_INFO"] == reverse("account_inactive")
    assert WHY not in right.content.decode()


def test_a_suspension_ends_the_tokens_with_it_or_not_at_all(
    alice: User, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, text = create_token(owner=alice, name="script", scope=Scope.WRITE)
    headers = {"Authorization": f"Token {text}"}

    def fail(user: User) -> None:
        raise RuntimeError("the tokens can't be revoked")

    with monkeypatch.context() as patched:
        patched.setattr(roles, "revoke_all", fail)
        with pytest.raises(RuntimeError):
            roles.suspend_user(user=alice, actor=root, reason=WHY)
    alice.refresh_from_db()
    assert alice.is_active, "both happen or neither does"
    assert not AuditEntry.objects.exists()
    assert Client().get("/api/v1/usage/", headers=headers).status_code == 200

    roles.suspend_user(user=alice, actor=root, reason=WHY)
    assert Client().get("/api/v1/usage/", headers=headers).status_code == 401
    roles.reinstate_user(user=alice, actor=root, reason="A mistake.")
    assert Client().get("/api/v1/usage/", headers=headers).status_code == 401
    assert not ApiToken.objects.filter(pk=token.pk).exists()


@pytest.mark.parametrize("act", [roles.suspend_user, roles.reinstate_user])
def test_doing_it_twice_records_it_once(act: Callable[..., None], alice: User, root: User) -> None:
    if act is roles.reinstate_user:
        roles.suspend_user(user=alice, actor=root, reason=WHY)
    before = AuditEntry.objects.count()
    for _ in range(2):
        act(user=alice, actor=root, reason=WHY)
    assert AuditEntry.objects.count() == before + 1


def acts(user: User, actor: User | None, reason: str = WHY) -> list[Callable[[], None]]:
    """Each of the three changes, to be tried."""
    return [
        lambda: roles.suspend_user(user=user, actor=actor, reason=reason),
        lambda: roles.reinstate_user(user=user, actor=actor, reason=reason),
        lambda: roles.set_role(user=user, role=Role.MODERATOR, actor=actor, reason=reason),
    ]


def refused(tried: list[Callable[[], None]]) -> None:
    for act in tried:
        with pytest.raises(NotAllowed):
            act()
    assert not AuditEntry.objects.exists()


def test_only_administrators_may(alice: User, bob: User, mo: User, root: User) -> None:
    refused([*acts(alice, bob), *acts(alice, mo), *acts(alice, alice)])


def test_a_suspended_administrator_may_not(alice: User, root: User) -> None:
    User.objects.filter(pk=root.pk).update(is_active=False)  # the object in hand still says active
    refused(acts(alice, root))


def test_nobody_does_it_to_themselves(root: User) -> None:
    User.objects.create_superuser("second@example.org", PASSWORD)
    refused(acts(root, root))


def test_a_reason_is_needed(alice: User, root: User) -> None:
    refused(acts(alice, root, reason=" \n"))


def test_the_last_administrator_stays_even_for_the_site_itself(root: User) -> None:
    suspend, _, set_role = acts(root, None)
    refused([suspend, set_role])
    second = User.objects.create_superuser("second@example.org", PASSWORD)
    roles.suspend_user(user=second, actor=None, reason=WHY)
    assert AuditEntry.objects.get().actor is None


def test_a_new_password_ends_sessions_as_before(alice: User, alice_client: Client) -> None:
    User.objects.filter(pk=alice.pk).update(password=make_password("another horse battery"))
    assert not is_let_in(alice_client)


DUEL = """
import sys, django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.db import connection
from accounts import audit, roles
from accounts.models import User
make = User.objects.create_superuser
people = [make(f"root{number}@example.org", "correct horse battery") for number in range(4)]
barrier = Barrier(4)
def dismiss(number):
    barrier.wait()
    try:
        roles.suspend_user(user=people[(number + 1) % 4], actor=people[number], reason="A duel.")
        return True
    except roles.NotAllowed:
        return False
    finally:
        connection.close()
with ThreadPoolExecutor(4) as pool:
    done = sum(pool.map(dismiss, range(4)))
active = User.objects.filter(is_active=True).count()
print(active >= 1, done == 4 - active == audit.verify().entries, audit.verify().broken)
"""


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_of_administrators_who_dismiss_each_other_at_once_somebody_stays(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(f"migrated_{database}_url")
    printed = printed_by(DUEL, url=url, state=tmp_path)
    assert printed.split() == ["True", "True", "None"]
