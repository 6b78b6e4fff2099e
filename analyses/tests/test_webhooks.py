"""Messages to users' own programs: left with what they tell of, signed, sent until they arrive, given up."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from standardwebhooks import Webhook as Signer
from standardwebhooks import WebhookVerificationError

from accounts import roles
from accounts.models import User
from analyses import claims, services
from analyses.detection import Failure
from analyses.models import Analysis, State
from analyses.moderation import decisions
from analyses.moderation.models import Kind
from analyses.tests.factories import make_analysis, make_done, make_running
from analyses.tests.receivers import Receiver, answer_with
from analyses.webhooks import couriers, endpoints, secrets
from analyses.webhooks.couriers import DELAYS, LEASE, MOST_ATTEMPTS, deliver_next
from analyses.webhooks.models import (
    ASKED_FOR,
    Delivery,
    DeliveryQuerySet,
    DeliveryState,
    Event,
    OffReason,
    Problem,
    Webhook,
)

pytestmark = pytest.mark.django_db
SITE = "https://desk.example.org"


@pytest.fixture
def hook(alice: User, receiver: Receiver) -> tuple[Webhook, str]:
    """Alice's, for all events, with its secret."""
    return endpoints.create_webhook(owner=alice, url=receiver.url, events=ASKED_FOR, site=SITE)


def newest(webhook: Webhook) -> Delivery:
    return webhook.deliveries.latest("pk")


def deliver_all() -> int:
    count = 0
    while deliver_next():
        count += 1
    return count


# What is told


def test_a_result_is_told_with_its_verdict_and_without_the_files_name(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User
) -> None:
    analysis = make_done(alice, name="my secret holiday.mp4")
    assert deliver_next()
    (message,) = receiver.messages
    told: Any = message.verified(hook[1])
    assert told["type"] == "analysis.completed"
    assert datetime.fromisoformat(told["timestamp"]).utcoffset() == timedelta(0)
    assert told["data"] == {
        "analysis": str(analysis.uuid),
        "sha256": analysis.video.sha256,
        "state": "done",
        "verdict": "fake",
        "fake_probability": 0.92,
        "failure": None,
        "decision": None,
        "url": f"{SITE}/api/v1/analyses/{analysis.uuid}/",
        "page": f"{SITE}/analyses/{analysis.uuid}/",
    }
    assert b"holiday" not in message.body


def cancel_waiting(owner: User) -> Analysis:
    analysis = make_analysis(owner)
    services.request_cancel(analysis=analysis)
    return analysis


def cancel_running(owner: User) -> Analysis:
    analysis = make_running(owner, cancel_requested=True)
    claims.release(analysis=analysis)
    return analysis


def fail(owner: User) -> Analysis:
    analysis = make_running(owner)
    claims.record_failure(analysis=analysis, code=Failure.UNREADABLE)
    return analysis


def crash_twice(owner: User) -> Analysis:
    analysis = make_running(owner, attempts=1)
    assert not claims.record_attempt(analysis=analysis, code=Failure.CRASHED)
    return analysis


def lose(owner: User) -> Analysis:
    analysis = make_running(owner, losses=4)
    claims.requeue_lost(analysis=analysis)
    return analysis


@pytest.mark.parametrize("end", [cancel_waiting, cancel_running, fail, crash_twice, lose])
def test_every_end_without_a_result_is_told_once(
    end: Callable[[User], Analysis], hook: tuple[Webhook, str], alice: User
) -> None:
    analysis = end(alice)
    analysis.refresh_from_db()
    assert analysis.state in (State.FAILED, State.CANCELLED)
    services.request_cancel(analysis=analysis)
    claims.record_failure(analysis=analysis, code=Failure.CRASHED)
    (delivery,) = Delivery.objects.all()
    assert (delivery.event, delivery.analysis) == (Event.FAILED, analysis.uuid)
    data = json.loads(delivery.body)["data"]
    assert (data["state"], data["failure"], data["verdict"]) == (analysis.state, analysis.failure, None)


def test_what_goes_back_to_the_queue_is_not_told(hook: tuple[Webhook, str], alice: User) -> None:
    claims.requeue_lost(analysis=make_running(alice))
    claims.release(analysis=make_running(alice))
    assert not Delivery.objects.exists()


def test_a_decision_that_counts_is_told_to_the_owner(
    hook: tuple[Webhook, str], alice: User, mo: User, settings: Settings
) -> None:
    analysis = make_done(alice)
    settings.SECOND_MODERATOR = True
    proposed = decisions.decide(
        analysis=analysis, moderator=mo, kind=Kind.OVERRULE_REAL, reason="I know it.", seen=None
    )
    assert not Delivery.objects.filter(event=Event.DECIDED).exists()
    other = User.objects.create_user("other@example.org", is_staff=True)
    agreed = decisions.second(analysis=analysis, moderator=other, seen=proposed.uuid)
    data = json.loads(Delivery.objects.get(event=Event.DECIDED).body)["data"]
    assert data["decision"] == {"found": "real", "overruled": True}
    assert data["verdict"] == "fake", "the model's own stays"
    settings.SECOND_MODERATOR = False
    decisions.decide(
        analysis=analysis, moderator=mo, kind=Kind.CONFIRM, reason="I looked again.", seen=agreed.uuid
    )
    data = json.loads(Delivery.objects.filter(event=Event.DECIDED).latest("pk").body)["data"]
    assert data["decision"] == {"found": "fake", "overruled": False}


def test_what_says_nothing_of_the_clip_is_no_decision_to_tell(
    hook: tuple[Webhook, str], alice: User, mo: User
) -> None:
    decisions.decide(analysis=make_done(alice), moderator=mo, kind=Kind.HIDE, reason="Private.", seen=None)
    assert not Delivery.objects.filter(event=Event.DECIDED).exists()


def test_nobody_else_and_nothing_else_is_told(receiver: Receiver, alice: User, bob: User) -> None:
    make = endpoints.create_webhook
    make(owner=alice, url=receiver.url, events=[Event.FAILED], site=SITE)
    make(owner=alice, url=receiver.url, events=[Event.COMPLETED], site=SITE, is_active=False)
    make(owner=bob, url=receiver.url, events=ASKED_FOR, site=SITE)
    make_done(alice)
    assert not Delivery.objects.exists()


def test_what_is_undone_is_not_told(hook: tuple[Webhook, str], alice: User) -> None:
    with transaction.atomic():
        make_done(alice)
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()


# Secrets and signatures


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    signer = Signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, tz=timezone.get_default_timezone())
    signed = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_secret_is_not_in_the_database(hook: tuple[Webhook, str]) -> None:
    webhook, secret = hook
    assert secret.startswith("whsec_")
    assert secret.removeprefix("whsec_") not in webhook.secret
    assert secrets.unseal(webhook.secret) == secret


def test_a_new_secret_signs_at_once_and_the_earlier_one_for_a_day(
    hook: tuple[Webhook, str], receiver: Receiver
) -> None:
    webhook, earlier = hook
    later = endpoints.rotate_secret(webhook=webhook)
    endpoints.send_test(webhook=webhook)
    deliver_next()
    for secret in (earlier, later):
        receiver.messages[0].verified(secret)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        endpoints.send_test(webhook=webhook)
        deliver_next()
        receiver.messages[1].verified(later)
        with pytest.raises(WebhookVerificationError):
            receiver.messages[1].verified(earlier)


def test_a_new_key_of_the_site_goes_on_with_the_old_one_beside_it(
    hook: tuple[Webhook, str], receiver: Receiver, settings: Settings
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY]
    endpoints.send_test(webhook=hook[0])
    deliver_next()
    receiver.messages[0].verified(hook[1])
    settings.SECRET_KEY_FALLBACKS = []
    endpoints.send_test(webhook=hook[0])
    deliver_next()
    assert newest(hook[0]).problem == Problem.NO_SECRET
    assert len(receiver.messages) == 1


# Sent until it arrives


def test_what_arrived_is_written_down_and_not_sent_again(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User
) -> None:
    make_done(alice)
    assert deliver_all() == 1
    delivery = newest(hook[0])
    assert (delivery.state, delivery.status, delivery.attempts) == (DeliveryState.DELIVERED, 204, 1)
    assert (delivery.problem, delivery.due_at) == ("", None)
    assert delivery.took_ms is not None
    assert len(receiver.messages) == 1


def test_what_failed_is_tried_eight_times_in_about_a_day_under_one_identifier(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User
) -> None:
    receiver.answer = answer_with(500)
    begun = timezone.now()
    with time_machine.travel(begun, tick=False) as clock:
        make_done(alice)
        for attempt in range(MOST_ATTEMPTS):
            assert deliver_next()
            assert not deliver_next(), "it waits"
            delivery = newest(hook[0])
            assert (delivery.attempts, delivery.status, delivery.problem) == (attempt + 1, 500, "refused")
            if delivery.due_at is not None:
                waits = delivery.due_at - timezone.now()
                assert 0.8 * DELAYS[attempt] <= waits <= 1.2 * DELAYS[attempt]
                clock.move_to(delivery.due_at + couriers.LONGEST_REST)
        assert timedelta(hours=18) < timezone.now() - begun < timedelta(hours=30)
    assert (delivery.state, delivery.due_at) == (DeliveryState.FAILED, None)
    assert len({message.headers["webhook-id"] for message in receiver.messages}) == 1
    assert len({message.headers["webhook-timestamp"] for message in receiver.messages}) == MOST_ATTEMPTS


def test_a_success_after_failures_ends_them(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User
) -> None:
    receiver.answer = answer_with(503)
    make_done(alice)
    deliver_next()
    webhook = Webhook.objects.get()
    assert webhook.failing_since is not None
    receiver.answer = answer_with(200)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert deliver_next()
    assert Webhook.objects.filter(failing_since=None, rests_until=None).exists()
    assert newest(webhook).state == DeliveryState.DELIVERED


def test_behind_a_failure_the_others_wait_without_an_attempt(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User
) -> None:
    receiver.answer = answer_with(500)
    for number in range(3):
        make_done(alice, content=b"%d" % number)
    assert deliver_all() == 1
    assert sorted(Delivery.objects.values_list("attempts", flat=True)) == [0, 0, 1]


def test_of_two_couriers_one_takes_it(hook: tuple[Webhook, str], alice: User) -> None:
    make_done(alice)
    make_done(alice, content=b"another")
    assert couriers.claim() is not None
    assert couriers.claim() is None, "one webhook gets one message at a time"


def test_a_courier_that_finds_its_message_sent_lets_the_webhook_go_on(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_done(alice)
    seen = Delivery.objects.due()
    assert len(seen) == 1  # read by one courier, and sent by another
    assert deliver_next()
    with monkeypatch.context() as patched:
        patched.setattr(DeliveryQuerySet, "due", lambda rows: seen)
        assert couriers.claim() is None
    make_done(alice, content=b"another")
    assert deliver_next()


def test_a_courier_that_is_lost_leaves_it_to_the_next(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User
) -> None:
    make_done(alice)
    couriers.claim()
    assert not deliver_next()
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1)):
        assert deliver_next()
    assert newest(hook[0]).state == DeliveryState.DELIVERED
    assert newest(hook[0]).attempts == 2


def test_no_courier_is_lost_over_the_same_message_for_ever(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User
) -> None:
    make_done(alice)
    Delivery.objects.update(attempts=MOST_ATTEMPTS)
    assert deliver_next()
    assert (newest(hook[0]).state, newest(hook[0]).problem) == (DeliveryState.FAILED, Problem.LOST)
    assert not receiver.messages


@pytest.mark.parametrize(
    ("status", "problem"), [(302, "redirected"), (404, "refused"), (429, "refused"), (503, "refused")]
)
def test_what_is_no_success_is_a_failure(
    status: int, problem: str, hook: tuple[Webhook, str], receiver: Receiver
) -> None:
    receiver.answer = answer_with(status, Location=receiver.url)
    endpoints.send_test(webhook=hook[0])
    deliver_next()
    delivery = newest(hook[0])
    assert (delivery.status, delivery.problem) == (status, problem)
    assert delivery.state == DeliveryState.FAILED, "a test is tried once"
    assert len(receiver.messages) == 1


def test_a_private_address_is_not_called_once_the_setting_is_off(
    hook: tuple[Webhook, str], receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOKS_PRIVATE = False
    endpoints.send_test(webhook=hook[0])
    deliver_next()
    assert newest(hook[0]).problem == Problem.PRIVATE
    assert not receiver.messages


# Turned off


def test_an_address_that_is_gone_is_turned_off_and_its_owner_told(
    hook: tuple[Webhook, str],
    receiver: Receiver,
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    receiver.answer = answer_with(410)
    make_done(alice)
    make_done(alice, content=b"another")
    with django_capture_on_commit_callbacks(execute=True):
        deliver_all()
    webhook = Webhook.objects.get()
    assert (webhook.is_active, webhook.off_reason) == (False, OffReason.GONE)
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.FAILED}
    (letter,) = mail.outbox
    assert letter.to == [alice.email]
    assert receiver.url in letter.body
    assert "410" in letter.body
    make_done(alice, content=b"a third")
    assert Delivery.objects.count() == 2


def test_after_three_days_of_failures_it_is_turned_off(
    hook: tuple[Webhook, str],
    receiver: Receiver,
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    receiver.answer = answer_with(500)
    last = MOST_ATTEMPTS - 1
    for days, attempts, is_active in ((0, last, True), (2, last, True), (3, 0, True), (4, last, False)):
        with time_machine.travel(timezone.now() + timedelta(days=days, hours=days)):
            Delivery.objects.filter(state=DeliveryState.WAITING).delete()
            Webhook.objects.update(rests_until=None)
            make_done(alice, content=b"%d" % days)
            Delivery.objects.filter(state=DeliveryState.WAITING).update(attempts=attempts)
            with django_capture_on_commit_callbacks(execute=True):
                assert deliver_next()
        assert Webhook.objects.get().is_active == is_active
    assert Webhook.objects.get().off_reason == OffReason.FAILING
    assert len(mail.outbox) == 1


def test_a_test_that_fails_says_nothing_of_the_address(hook: tuple[Webhook, str], receiver: Receiver) -> None:
    receiver.answer = answer_with(500)
    endpoints.send_test(webhook=hook[0])
    assert deliver_next()
    assert Webhook.objects.filter(failing_since=None, is_active=True).exists()


def test_turned_on_again_it_starts_anew_and_what_was_given_up_can_be_sent_again(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User
) -> None:
    webhook = hook[0]
    receiver.answer = answer_with(410)
    make_done(alice)
    deliver_next()
    receiver.answer = answer_with(204, b"")
    endpoints.change_webhook(
        webhook=webhook, url=receiver.url, events=[Event.COMPLETED], is_active=True, site=SITE
    )
    assert (webhook.off_reason, webhook.failing_since) == ("", None)
    endpoints.resend(delivery=newest(webhook))
    assert deliver_next()
    assert (newest(webhook).state, newest(webhook).attempts) == (DeliveryState.DELIVERED, 1)
    ids = {message.headers["webhook-id"] for message in receiver.messages}
    assert len(ids) == 1


def test_nothing_is_sent_for_somebody_who_is_suspended(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User
) -> None:
    make_done(alice)
    roles.suspend_user(user=alice, actor=None, reason="A test.")
    assert not deliver_next()
    roles.reinstate_user(user=alice, actor=None, reason="A test.")
    assert deliver_next()


def test_what_is_removed_on_the_way_leaves_nothing(hook: tuple[Webhook, str], alice: User) -> None:
    make_done(alice)
    delivery = couriers.claim()
    assert delivery is not None
    endpoints.delete_webhook(webhook=hook[0])
    couriers.record(delivery=delivery, outcome=couriers.Outcome(Problem.REFUSED, 500), took_ms=1)
    assert not Delivery.objects.exists()


def test_what_fails_after_the_webhook_was_turned_off_is_not_tried_again(
    hook: tuple[Webhook, str], receiver: Receiver, alice: User
) -> None:
    make_done(alice)
    delivery = couriers.claim()
    assert delivery is not None
    endpoints.change_webhook(webhook=hook[0], url=receiver.url, events=[], is_active=False, site=SITE)
    couriers.record(delivery=delivery, outcome=couriers.Outcome(Problem.REFUSED, 500), took_ms=1)
    given_up = newest(hook[0])
    assert (given_up.state, given_up.status, given_up.due_at) == (DeliveryState.FAILED, 500, None)


def test_one_may_have_five(alice: User) -> None:
    for number in range(endpoints.MOST_WEBHOOKS):
        endpoints.create_webhook(owner=alice, url=f"https://a.example/{number}", events=[], site=SITE)
    with pytest.raises(endpoints.TooManyWebhooks):
        endpoints.create_webhook(owner=alice, url="https://a.example/", events=[], site=SITE)


def test_the_log_is_kept_for_a_month(hook: tuple[Webhook, str], alice: User) -> None:
    for number in range(3):
        make_done(alice, content=b"%d" % number)
    old, waiting, _ = Delivery.objects.order_by("pk")
    long_ago = timezone.now() - timedelta(days=31)
    Delivery.objects.filter(pk__in=[old.pk, waiting.pk]).update(created_at=long_ago)
    Delivery.objects.filter(pk=old.pk).update(state=DeliveryState.DELIVERED, due_at=None)
    assert couriers.forget_old() == 1
    assert not Delivery.objects.filter(pk=old.pk).exists()
