"""Couriers take what is due, send it, and write down what became of it. Any number may work at once.

A message is claimed by a conditional update of its webhook, which then rests until the attempt is over: one
webhook gets one message at a time. A courier that is lost leaves the message due again after ``LEASE``. It
may then arrive twice, under the same identifier.
"""

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from smtplib import SMTPException
from time import monotonic

from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from standardwebhooks import Webhook as Signer

from analyses.webhooks.addresses import Uncallable
from analyses.webhooks.endpoints import give_up_waiting, lock_webhook
from analyses.webhooks.models import Delivery, DeliveryState, Event, OffReason, Problem, Webhook
from analyses.webhooks.posting import post
from analyses.webhooks.secrets import SecretLost, unseal

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (0.1, 5, 30, 2 * 60, 5 * 60, 7 * 60, 9 * 60))
"""Before the second attempt, the third and so on: eight attempts in a day."""
MOST_ATTEMPTS = len(DELAYS) + 1
JITTER = 0.2
LONGEST_REST = timedelta(minutes=5)
"""That other messages wait after a failure, so that a dead address takes no more than its share."""
OFF_AFTER = timedelta(days=3)
LOG_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``problem`` is None where it arrived."""

    problem: Problem | None
    status: int | None = None
    answer: str = ""


def deliver_next() -> bool:
    """Send what is due first. False: nothing is."""
    delivery = claim()
    if delivery is None:
        return False
    started = monotonic()
    outcome = attempt(delivery)
    record(delivery=delivery, outcome=outcome, took_ms=round(1000 * (monotonic() - started)))
    return True


def claim() -> Delivery | None:
    """Take the delivery that is due first, whose webhook nobody else serves just now."""
    delivery = Delivery.objects.due().first()
    if delivery is None:
        return None
    until = timezone.now() + LEASE
    with transaction.atomic():
        if not Webhook.objects.rested().filter(pk=delivery.webhook_id).update(rests_until=until):
            return None
        same = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.WAITING, due_at=delivery.due_at)
        if not same.update(due_at=until, attempts=F("attempts") + 1, problem=Problem.LOST, status=None):
            transaction.set_rollback(True)  # another courier was first: the webhook needs no rest
            return None
    return Delivery.objects.select_related("webhook__owner").get(pk=delivery.pk)


def attempt(delivery: Delivery) -> Outcome:
    if delivery.attempts > MOST_ATTEMPTS:  # its couriers were lost, one after the other
        return Outcome(Problem.LOST)
    try:
        headers = headers_of(delivery)
        reply = post(delivery.webhook.url, body=delivery.body.encode(), headers=headers)
    except SecretLost:
        return Outcome(Problem.NO_SECRET)
    except Uncallable as error:
        return Outcome(error.problem)
    return Outcome(_problem_of(reply.status), reply.status, reply.text)


def headers_of(delivery: Delivery) -> dict[str, str]:
    """Signed by the secret, and by the one before while both do. Raises :class:`SecretLost`."""
    webhook, name, now = delivery.webhook, f"msg_{delivery.uuid.hex}", timezone.now()
    sealed = [webhook.secret]
    if webhook.earlier_until is not None and webhook.earlier_until > now:
        sealed.append(webhook.earlier_secret)
    signatures = [Signer(unseal(secret)).sign(name, now, delivery.body) for secret in sealed]
    return {
        "Content-Type": "application/json",
        "User-Agent": "TruthLens-Webhooks",
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def record(*, delivery: Delivery, outcome: Outcome, took_ms: int) -> None:
    """Nothing is written where the webhook was removed meanwhile; turned off, it waits for nothing more."""
    same, now = Delivery.objects.filter(pk=delivery.pk), timezone.now()
    facts = {
        "tried_at": now,
        "status": outcome.status,
        "problem": outcome.problem or "",
        "answer": outcome.answer,
        "took_ms": took_ms,
    }
    with transaction.atomic():
        lock_webhook(delivery.webhook_id)
        if outcome.problem is None:
            same.update(state=DeliveryState.DELIVERED, due_at=None, **facts)
            Webhook.objects.filter(pk=delivery.webhook_id).update(rests_until=None, failing_since=None)
            return
        delay, is_last = delay_after(delivery.attempts), _is_last(delivery, outcome.problem)
        if is_last:
            same.update(state=DeliveryState.FAILED, due_at=None, **facts)
        else:
            same.update(**facts)
            same.filter(state=DeliveryState.WAITING).update(due_at=now + delay)
        _rest(delivery, now, min(delay, LONGEST_REST))
        _turn_off_if_hopeless(delivery, outcome.problem, given_up=is_last)


def delay_after(attempts: int) -> timedelta:
    """Longer each time, and by chance a fifth more or less, so that not all come back at once."""
    return DELAYS[min(attempts, len(DELAYS)) - 1] * random.uniform(1 - JITTER, 1 + JITTER)


def turn_off(*, webhook: Webhook, reason: OffReason) -> None:
    """Give up what waits for it and write to its owner, once."""
    active = Webhook.objects.filter(pk=webhook.pk, is_active=True)
    if active.update(is_active=False, off_reason=reason):
        give_up_waiting(webhook)
        transaction.on_commit(partial(_write_to_owner, webhook, reason))


def forget_old() -> int:
    """The log is kept for a month. How many deliveries were removed."""
    old = Delivery.objects.filter(created_at__lt=timezone.now() - LOG_KEPT)
    return old.exclude(state=DeliveryState.WAITING).delete()[0]


def _problem_of(status: int) -> Problem | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Problem.REDIRECTED
    return Problem.GONE if status == 410 else Problem.REFUSED


def _is_last(delivery: Delivery, problem: Problem) -> bool:
    """A test is tried once: its sender looks on."""
    tried_enough = delivery.attempts >= MOST_ATTEMPTS
    return tried_enough or problem == Problem.GONE or delivery.event == Event.TEST


def _rest(delivery: Delivery, now: datetime, length: timedelta) -> None:
    same = Webhook.objects.filter(pk=delivery.webhook_id)
    same.update(rests_until=now + length)
    if delivery.event != Event.TEST:
        same.filter(failing_since=None).update(failing_since=now)


def _turn_off_if_hopeless(delivery: Delivery, problem: Problem, *, given_up: bool) -> None:
    """Two messages that fail with quiet days between them are no days of failures: one is given up first."""
    webhook = delivery.webhook
    too_long = Webhook.objects.filter(pk=webhook.pk, failing_since__lte=timezone.now() - OFF_AFTER)
    if problem == Problem.GONE:
        turn_off(webhook=webhook, reason=OffReason.GONE)
    elif given_up and delivery.event != Event.TEST and too_long.exists():
        turn_off(webhook=webhook, reason=OffReason.FAILING)


def _write_to_owner(webhook: Webhook, reason: OffReason) -> None:
    """The page says so too, letter or not."""
    context = {"webhook": webhook, "reason": reason.label}
    body = render_to_string("webhooks/turned_off.txt", context)
    try:
        send_mail(_("TruthLens: a webhook was turned off"), body, None, [webhook.owner.email])
    except (OSError, SMTPException):
        logger.exception("The owner of webhook %s could not be told that it is off.", webhook.uuid)
