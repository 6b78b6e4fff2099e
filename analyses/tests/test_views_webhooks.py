"""The pages and the API of webhooks: a secret shown once, what is refused, the log."""

import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Scope, User
from analyses.tests.factories import make_delivery
from analyses.webhooks.endpoints import MOST_WEBHOOKS, create_webhook
from analyses.webhooks.models import Delivery, DeliveryState, Event, Problem, Webhook
from analyses.webhooks.secrets import unseal

pytestmark = pytest.mark.django_db
FORM = {"url": "https://hooks.example.org/x?y=1", "events": ["analysis.completed", "analysis.decided"]}
LIST, API = "/account/webhooks/", "/api/v1/webhooks/"
PRIVATE = [
    "http://hooks.example.org/",
    "https://127.0.0.1/",
    "https://[::ffff:10.0.0.1]/",
    "https://user:password@hooks.example.org/",
    "javascript:alert(1)",
    "https://hooks.example.org/\r\nX: y",
]


def at(webhook: Webhook, name: str = "webhook") -> str:
    return reverse(name, args=[webhook.uuid])


def test_a_new_webhook_shows_its_secret_this_once(alice: User, alice_client: Client) -> None:
    answer = alice_client.post(LIST, FORM)
    webhook = Webhook.objects.get()
    secret = unseal(webhook.secret)
    assert answer.status_code == 201
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert (webhook.owner, webhook.url, webhook.events) == (alice, FORM["url"], FORM["events"])
    assert (webhook.site, webhook.is_active) == ("http://testserver", True)
    for page in (LIST, at(webhook)):
        assert secret not in alice_client.get(page).content.decode()


def test_a_new_secret_is_shown_this_once_too(alice_client: Client) -> None:
    alice_client.post(LIST, FORM)
    webhook = Webhook.objects.get()
    before = unseal(webhook.secret)
    page = alice_client.post(at(webhook, "webhook_secret")).content.decode()
    webhook.refresh_from_db()
    assert unseal(webhook.secret) in page
    assert unseal(webhook.earlier_secret) == before
    assert before not in page


@pytest.mark.parametrize("url", PRIVATE)
def test_what_can_not_be_called_is_refused_by_page_and_api(
    url: str, alice_client: Client, api: Client
) -> None:
    answer = alice_client.post(LIST, {**FORM, "url": url})
    assert answer.status_code == 400
    assert 'class="field__error"' in answer.content.decode()
    problem = api.post(API, json.dumps({**FORM, "url": url}), "application/json")
    assert problem.status_code == 400
    assert list(problem.json()["errors"]) == ["url"]
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("events", [[], ["analysis.nothing"], ["webhook.test"]])
def test_events_are_among_those_there_are(events: list[str], alice_client: Client, api: Client) -> None:
    assert alice_client.post(LIST, {**FORM, "events": events}).status_code == 400
    posted = api.post(API, json.dumps({**FORM, "events": events}), "application/json")
    assert posted.status_code == 400
    assert not Webhook.objects.exists()


def test_of_too_many_the_page_and_the_api_say_so(alice: User, alice_client: Client, api: Client) -> None:
    for _ in range(MOST_WEBHOOKS):
        create_webhook(owner=alice, url=str(FORM["url"]), events=[Event.FAILED], site="https://desk.example")
    answer = alice_client.post(LIST, FORM)
    assert answer.status_code == 400
    assert f"You have {MOST_WEBHOOKS} webhooks." in answer.content.decode()
    refused = api.post(API, json.dumps(FORM), "application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_webhooks")


def test_a_webhook_is_changed_and_turned_off(alice_client: Client, alice: User) -> None:
    waiting = make_delivery(alice, state="waiting", due_at="2026-01-01T00:00:00Z")
    webhook = waiting.webhook
    form = {"url": "https://other.example.org/", "events": "analysis.failed"}
    assert alice_client.post(at(webhook), form).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.url, webhook.events, webhook.is_active) == (form["url"], [form["events"]], False)
    waiting.refresh_from_db()
    assert waiting.state == DeliveryState.FAILED
    for name, more in (("webhook_test", []), ("webhook_resend", [waiting.uuid])):
        answer = alice_client.post(reverse(name, args=[webhook.uuid, *more]), follow=True)
        assert "The webhook is off" in answer.content.decode()
    assert not Delivery.objects.filter(state=DeliveryState.WAITING).exists()


def test_fields_that_are_not_ones_own_to_set_are_passed_over(alice: User, bob: User, api: Client) -> None:
    webhook = make_delivery(alice).webhook
    sent = {"owner": bob.pk, "secret": "whsec_x", "off_reason": "gone", "uuid": str(bob.uuid), "active": True}
    assert api.patch(f"{API}{webhook.uuid}/", json.dumps(sent), "application/json").status_code == 200
    same = Webhook.objects.get()
    assert (same.owner, same.secret, same.off_reason) == (alice, webhook.secret, "")
    assert same.uuid == webhook.uuid


def test_a_test_and_a_message_sent_again_are_due_at_once(alice: User, alice_client: Client) -> None:
    delivery = make_delivery(alice)
    alice_client.post(at(delivery.webhook, "webhook_test"))
    alice_client.post(reverse("webhook_resend", args=[delivery.webhook.uuid, delivery.uuid]))
    due = Delivery.objects.due()
    assert {row.event for row in due} == {Event.TEST, Event.COMPLETED}


def test_the_log_says_what_was_answered_and_what_is_wrong(alice: User, alice_client: Client) -> None:
    delivery = make_delivery(
        alice, status=500, problem=Problem.REFUSED, answer="<b>broken</b>", tried_at="2026-01-01T00:00:00Z"
    )
    page = alice_client.get(at(delivery.webhook)).content.decode()
    assert "The answer was no success." in page
    assert "&lt;b&gt;broken&lt;/b&gt;" in page
    assert "answer 500" in page


def test_a_message_of_another_webhook_is_404(alice: User, alice_client: Client, api: Client) -> None:
    one, other = make_delivery(alice), make_delivery(alice)
    pair = [one.webhook.uuid, other.uuid]
    assert alice_client.post(reverse("webhook_resend", args=pair)).status_code == 404
    assert api.post(reverse("api_resend", args=pair)).status_code == 404


def test_a_program_makes_one_changes_it_and_reads_its_log(api: Client) -> None:
    made = api.post(API, json.dumps(FORM), "application/json").json()
    assert made["secret"].startswith("whsec_")
    one = f"{API}{made['uuid']}/"
    assert api.get(API).json()["webhooks"] == [api.get(one).json()]
    assert "secret" not in api.get(one).json()
    changed = api.patch(one, json.dumps({"active": False}), "application/json").json()
    assert (changed["active"], changed["url"]) == (False, FORM["url"])
    refused = api.post(f"{one}test/")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_off")
    api.patch(one, json.dumps({"active": True}), "application/json")
    sent = api.post(f"{one}test/").json()
    assert (sent["event"], sent["state"]) == ("webhook.test", "waiting")
    assert [row["uuid"] for row in api.get(f"{one}deliveries/").json()["results"]] == [sent["uuid"]]
    assert api.post(f"{one}secret/").json()["secret"] != made["secret"]
    assert api.delete(one).status_code == 204
    assert not Delivery.objects.exists()


def test_a_token_that_may_only_read_learns_no_secret(alice: User, as_api: Callable[..., Client]) -> None:
    webhook = make_delivery(alice).webhook
    reader = as_api(alice, Scope.READ)
    assert reader.get(f"{API}{webhook.uuid}/").status_code == 200
    assert reader.post(f"{API}{webhook.uuid}/secret/").status_code == 403


def test_an_intranets_addresses_are_taken_where_the_site_says_so(
    alice_client: Client, settings: Settings
) -> None:
    settings.WEBHOOKS_PRIVATE = True
    assert alice_client.post(LIST, {**FORM, "url": "http://10.0.0.5:8080/hook"}).status_code == 201
