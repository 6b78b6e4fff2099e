"""Every address of the API and every method, climbed by everybody who may ask."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.models import ApiToken, Scope, User
from accounts.tokens import create_token, revoke_all
from analyses.models import Analysis, Upload
from analyses.resumable import begin_upload
from analyses.tests.factories import MP4_BYTES, make_delivery, make_done, make_running
from analyses.webhooks.models import Delivery, Webhook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed_weights")]

OPEN = ("api_schema", "api_docs", "api_redoc")
OF_ONE = {
    ("api_analysis", "get"): 200,
    ("api_analysis", "delete"): 204,
    ("api_cancel", "post"): 200,
    ("api_rerun", "post"): 202,
    ("api_result", "get"): 200,
    ("api_frames", "get"): 200,
    ("api_json", "get"): 200,
    ("api_csv", "get"): 200,
    ("api_pdf", "get"): 200,
    ("api_zip", "get"): 200,
    ("api_evidence", "get"): 200,
}
OF_UPLOADS = {("api_upload", "get"): 200, ("api_upload", "patch"): 204, ("api_upload", "delete"): 204}
OF_WEBHOOKS = {
    ("api_webhook", "get"): 200,
    ("api_webhook", "patch"): 200,
    ("api_webhook", "delete"): 204,
    ("api_webhook_secret", "post"): 200,
    ("api_webhook_test", "post"): 202,
    ("api_deliveries", "get"): 200,
    ("api_resend", "post"): 202,
}
OF_ALL = {
    ("api_analyses", "get"): 200,
    ("api_analyses", "post"): 202,
    ("api_uploads", "post"): 201,
    ("api_models", "get"): 200,
    ("api_usage", "get"): 200,
    ("api_webhooks", "get"): 200,
    ("api_webhooks", "post"): 201,
    ("api_detect", "post"): 202,
}
RUNGS = {**OF_ONE, **OF_UPLOADS, **OF_WEBHOOKS, **OF_ALL}
CHANGES = [rung for rung in RUNGS if rung[1] != "get"]
METHODS = ("get", "post", "put", "patch", "delete", "options")
TUS = {"Tus-Resumable": "1.0.0"}
HOOK = {"url": "https://hooks.example.org/", "events": ["analysis.completed"]}


@pytest.fixture
def address(alice: User) -> Callable[[str], str]:
    """The address of a view, of an analysis, an upload or a webhook of Alice that suits it."""

    def of(name: str) -> str:
        if name in {one for one, _ in OF_WEBHOOKS}:
            delivery = make_delivery(alice)
            return reverse(name, args=[delivery.webhook.uuid, *([delivery.uuid] * (name == "api_resend"))])
        if name == "api_upload":
            upload = begin_upload(owner=alice, name="clip.mp4", size=len(MP4_BYTES))
            return reverse(name, args=[upload.uuid])
        if name in {one for one, _ in OF_ALL} | set(OPEN):
            return reverse(name)
        analysis = make_running(alice) if name == "api_cancel" else make_done(alice)
        extra = ["1-0-crop.jpg"] if name == "api_evidence" else []
        return reverse(name, args=[analysis.uuid, *extra])

    return of


def ask(client: Client, url: str, method: str) -> Any:
    """A request that is as it should be, apart from who sends it."""
    if (url, method) == (reverse("api_uploads"), "post"):
        return client.post(url, headers={"Upload-Length": "99", **TUS})
    if url.startswith(reverse("api_uploads")) and method == "patch":
        headers = {"Upload-Offset": "0", **TUS}
        return client.patch(url, MP4_BYTES[:400], "application/offset+octet-stream", headers=headers)
    if (url, method) == (reverse("api_webhooks"), "post"):
        return client.post(url, HOOK, "application/json")
    if url.startswith(reverse("api_webhooks")) and method == "patch":
        return client.patch(url, {"active": False}, "application/json")
    if method == "post" and url in (reverse("api_analyses"), reverse("api_detect")):
        video = SimpleUploadedFile("new.mp4", MP4_BYTES + b"new")
        return client.post(url, {"video": video}, headers={"Prefer": "wait=0"})
    return getattr(client, method)(url, headers=TUS)


def state() -> list[object]:
    """What a request that is refused must not change."""
    return [
        *Analysis.objects.order_by("pk").values_list("uuid", "cancel_requested"),
        *Upload.objects.order_by("pk").values_list("uuid", "received_bytes"),
        *Webhook.objects.order_by("pk").values_list("uuid", "is_active", "secret"),
        *Delivery.objects.order_by("pk").values_list("uuid", "state"),
    ]


def test_the_ladder_has_every_address() -> None:
    names = {key for key in get_resolver("analyses.api.urls").reverse_dict if isinstance(key, str)}
    assert names == {name for name, _ in RUNGS} | set(OPEN)


@pytest.mark.parametrize(("name", "method"), RUNGS)
def test_the_owner_gets_it_with_a_token(
    name: str, method: str, address: Callable[[str], str], api: Client
) -> None:
    assert ask(api, address(name), method).status_code == RUNGS[name, method]


@pytest.mark.parametrize(("name", "method"), RUNGS)
def test_the_owner_gets_it_with_a_session(
    name: str, method: str, address: Callable[[str], str], alice_client: Client
) -> None:
    assert ask(alice_client, address(name), method).status_code == RUNGS[name, method]


@pytest.mark.parametrize(("name", "method"), RUNGS)
def test_nobody_gets_401(name: str, method: str, address: Callable[[str], str], client: Client) -> None:
    url, before = address(name), state()
    answer = ask(client, url, method)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")
    assert state() == before


@pytest.mark.parametrize("end", ["suspended", "expired", "revoked"])
@pytest.mark.parametrize(("name", "method"), RUNGS)
def test_a_token_that_has_ended_gets_401(
    name: str, method: str, end: str, address: Callable[[str], str], alice: User, api: Client
) -> None:
    url, before = address(name), state()
    if end == "suspended":
        User.objects.filter(pk=alice.pk).update(is_active=False)
    elif end == "expired":
        ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    else:
        revoke_all(alice)
    assert ask(api, url, method).status_code == 401
    assert state() == before


@pytest.mark.parametrize(("name", "method"), RUNGS)
def test_a_suspended_owners_session_gets_401(
    name: str, method: str, address: Callable[[str], str], alice: User, alice_client: Client
) -> None:
    url, before = address(name), state()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert ask(alice_client, url, method).status_code == 401
    assert state() == before


@pytest.mark.parametrize(("name", "method"), [*OF_ONE, *OF_UPLOADS, *OF_WEBHOOKS])
def test_a_stranger_gets_404(
    name: str, method: str, address: Callable[[str], str], bob: User, as_api: Callable[..., Client]
) -> None:
    url, before = address(name), state()
    assert ask(as_api(bob), url, method).status_code == 404
    assert state() == before


@pytest.mark.parametrize("who", ["moderator", "administrator"])
@pytest.mark.parametrize(("name", "method"), OF_ONE)
def test_moderators_and_administrators_get_what_they_get_on_the_pages(
    name: str, method: str, who: str, address: Callable[[str], str], mo: User, as_api: Callable[..., Client]
) -> None:
    root = User.objects.create_superuser("root@example.org")
    client = as_api(mo if who == "moderator" else root)
    assert ask(client, address(name), method).status_code == OF_ONE[name, method]


@pytest.mark.parametrize(("name", "method"), [*OF_UPLOADS, *OF_WEBHOOKS])
def test_uploads_and_webhooks_are_their_owners_alone(
    name: str, method: str, address: Callable[[str], str], mo: User, as_api: Callable[..., Client]
) -> None:
    url, before = address(name), state()
    assert ask(as_api(mo), url, method).status_code == 404
    assert state() == before


@pytest.mark.parametrize(("name", "method"), RUNGS)
def test_a_token_that_may_only_read_changes_nothing(
    name: str, method: str, address: Callable[[str], str], alice: User, as_api: Callable[..., Client]
) -> None:
    url, before = address(name), state()
    answer = ask(as_api(alice, Scope.READ), url, method)
    if method == "get":
        assert answer.status_code == 200
    else:
        assert answer.status_code == 403
        assert code_of(answer) == "read_only_token"
        assert state() == before


@pytest.mark.parametrize(("name", "method"), CHANGES)
def test_a_session_without_the_pages_proof_changes_nothing(
    name: str, method: str, address: Callable[[str], str], alice: User
) -> None:
    url, before = address(name), state()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    answer = ask(strict, url, method)
    assert answer.status_code == 403
    assert code_of(answer) == "csrf_failed"
    assert state() == before


@pytest.mark.parametrize("name", sorted({name for name, _ in RUNGS}))
def test_other_methods_get_405(name: str, address: Callable[[str], str], api: Client) -> None:
    url = address(name)
    taken = {method for one, method in RUNGS if one == name}
    others = [m for m in METHODS if m not in taken and not (m == "options" and "upload" in name)]
    for method in others:
        answer = ask(api, url, method)
        assert answer.status_code == 405, method
        assert code_of(answer) == "method_not_allowed"
        assert answer["Allow"]


@pytest.mark.parametrize("name", OPEN)
def test_anybody_may_read_what_the_api_is(name: str, client: Client) -> None:
    assert client.get(reverse(name), follow=True).status_code == 200
    assert client.post(reverse(name)).status_code == 405


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["", "v1/", "v1/analyses", "v1/nothing/", "detect/", "v2/analyses/"])
def test_where_nothing_is_there_is_a_problem_document(path: str, method: str, client: Client) -> None:
    answer = getattr(client, method)(f"/api/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


def test_each_token_is_its_owners(alice: User, bob: User) -> None:
    make_done(alice)
    for user, number in ((alice, 1), (bob, 0)):
        _, text = create_token(owner=user, name="script", scope=Scope.READ)
        answer = Client(headers={"Authorization": f"Token {text}"}).get(reverse("api_analyses"))
        assert len(answer.json()["results"]) == number


def code_of(answer: Any) -> str:
    body = answer.json()
    return str(body["error"]["code"] if "error" in body else body["code"])
