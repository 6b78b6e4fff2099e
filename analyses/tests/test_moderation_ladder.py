"""Every address of moderation, climbed by everybody: moderator, administrator, owner, stranger, nobody."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts import roles
from accounts.models import AuditEntry, User
from analyses.models import Analysis
from analyses.moderation.decisions import decide
from analyses.moderation.models import Case, Decision, Kind, Notice

PAGES = ("moderation", "moderation_dashboard", "moderation_review")
BUTTONS = (
    "moderation_bulk",
    "moderation_claim",
    "moderation_release",
    "moderation_decide",
    "moderation_second",
    "moderation_hold",
    "moderation_dismiss",
)
ADMINISTRATORS = ("audit_log", "audit_log_csv", "audit_log_jsonl")
ALL = (*PAGES, *BUTTONS, *ADMINISTRATORS)
WITHOUT_PARTS = ("moderation", "moderation_dashboard", "moderation_bulk", *ADMINISTRATORS)


@pytest.fixture
def address(done: Analysis) -> Callable[[str], str]:
    def of(name: str) -> str:
        return reverse(name, args=[] if name in WITHOUT_PARTS else [done.uuid])

    return of


@pytest.fixture
def ada_client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada@example.org", display_name="Ada"))
    return client


def posted(done: Analysis) -> dict[str, str]:
    return {"kind": "confirm", "reason": "A test.", "seen": "", "action": "claim", "uuid": str(done.uuid)}


def test_the_ladder_misses_no_address() -> None:
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert {name for name in names if name.startswith(("moderation", "audit_log"))} == set(ALL)
    assert {name for name in names if name.startswith("notice")} == {"notices", "notices_read", "notice_open"}


@pytest.mark.parametrize("name", PAGES)
def test_moderators_and_administrators_get_the_pages(
    name: str, address: Callable[[str], str], mo_client: Client, ada_client: Client
) -> None:
    assert [client.get(address(name)).status_code for client in (mo_client, ada_client)] == [200, 200]


@pytest.mark.parametrize("name", ADMINISTRATORS)
def test_the_log_is_for_administrators(
    name: str, address: Callable[[str], str], mo_client: Client, ada_client: Client
) -> None:
    assert [client.get(address(name)).status_code for client in (mo_client, ada_client)] == [404, 200]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_for_owners_and_strangers_they_do_not_exist(
    name: str,
    method: str,
    done: Analysis,
    address: Callable[[str], str],
    alice_client: Client,
    bob_client: Client,
) -> None:
    for client in (alice_client, bob_client):
        assert getattr(client, method)(address(name), posted(done)).status_code == 404
    assert not any(model.objects.exists() for model in (Case, Decision, AuditEntry))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_and_the_suspended_are_sent_to_the_login(
    name: str,
    method: str,
    done: Analysis,
    address: Callable[[str], str],
    client: Client,
    mo: User,
    mo_client: Client,
) -> None:
    roles.suspend_user(user=mo, actor=None, reason="A test.")
    url = address(name)
    for asker in (client, mo_client):
        response = getattr(asker, method)(url, posted(done))
        assert response.status_code == 302
        assert response["Location"].startswith(f"{reverse('account_login')}?next={url}")
    assert not Case.objects.exists()


@pytest.mark.parametrize("name", [*PAGES, *ADMINISTRATORS])
def test_pages_take_no_post(name: str, address: Callable[[str], str], ada_client: Client) -> None:
    assert ada_client.post(address(name)).status_code == 405


@pytest.mark.parametrize("name", BUTTONS)
@pytest.mark.parametrize("method", ["get", "put"])
def test_buttons_take_nothing_but_post(
    name: str, method: str, address: Callable[[str], str], mo_client: Client
) -> None:
    assert getattr(mo_client, method)(address(name)).status_code == 405


@pytest.mark.parametrize("name", BUTTONS)
def test_a_change_without_the_sites_own_token_is_refused(
    name: str, done: Analysis, address: Callable[[str], str], mo: User
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mo)
    assert strict.post(address(name), posted(done)).status_code == 403
    assert not Case.objects.exists()


@pytest.mark.parametrize("name", [name for name in ALL if name not in WITHOUT_PARTS])
def test_what_is_not_done_has_no_case(name: str, running: Analysis, mo_client: Client) -> None:
    url = reverse(name, args=[running.uuid])
    method = "get" if name in PAGES else "post"
    assert getattr(mo_client, method)(url, {"kind": "confirm"}).status_code == 404


@pytest.fixture
def notice(done: Analysis, mo: User) -> Notice:
    decide(analysis=done, moderator=mo, kind=Kind.OVERRULE_REAL, reason="I know it.", seen=None)
    return Notice.objects.get()


def test_a_notice_is_its_readers_alone(
    notice: Notice, client: Client, alice_client: Client, bob_client: Client, mo_client: Client
) -> None:
    url = reverse("notice_open", args=[notice.uuid])
    assert [asker.post(url).status_code for asker in (client, bob_client, mo_client)] == [302, 404, 404]
    assert alice_client.get(url).status_code == 405
    assert Notice.objects.unread().exists()
    assert alice_client.post(url)["Location"] == notice.decision.analysis.get_absolute_url()
    assert not Notice.objects.unread().exists()


def test_notices_are_listed_and_marked_for_oneself(
    notice: Notice, client: Client, alice_client: Client, bob_client: Client
) -> None:
    assert client.get(reverse("notices")).status_code == 302
    assert "I know it." not in bob_client.get(reverse("notices")).content.decode()
    assert "I know it." in alice_client.get(reverse("notices")).content.decode()
    assert [asker.get(reverse("notices_read")).status_code for asker in (client, bob_client)] == [302, 405]
    bob_client.post(reverse("notices_read"))
    assert Notice.objects.unread().exists()
    alice_client.post(reverse("notices_read"))
    assert not Notice.objects.unread().exists()


@pytest.mark.parametrize("name", ["notices_read", "notice_open"])
def test_reading_without_the_sites_own_token_is_refused(name: str, notice: Notice, alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    url = reverse(name, args=[notice.uuid] if name == "notice_open" else [])
    assert strict.post(url).status_code == 403
