"""A user's webhooks: made, changed, given new secrets, tried out, removed."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.locks import take_turn
from accounts.models import User
from analyses.webhooks.events import leave
from analyses.webhooks.models import Delivery, DeliveryState, Event, Webhook
from analyses.webhooks.secrets import SecretLost, new_secret, reseal, seal

MOST_WEBHOOKS = 5
"""That one user may have."""
BOTH_SIGN_FOR = timedelta(hours=24)
"""After a change of the secret the earlier one signs too for so long."""


class TooManyWebhooks(Exception):
    """This user has as many as one may have."""


def create_webhook(
    *, owner: User, url: str, events: Sequence[str], site: str, is_active: bool = True
) -> tuple[Webhook, str]:
    """A new one and its secret, which nobody can look up later. Raises :class:`TooManyWebhooks`.

    ``site`` is the address that the owner knows this site by, with the scheme.
    """
    secret = new_secret()
    with transaction.atomic():
        take_turn(user=owner)  # two requests at once count one after the other
        if Webhook.objects.for_user(owner).count() >= MOST_WEBHOOKS:
            raise TooManyWebhooks
        webhook = Webhook.objects.create(
            owner=owner,
            url=url,
            events=_sorted(events),
            site=site,
            is_active=is_active,
            secret=seal(secret),
        )
    return webhook, secret


def change_webhook(*, webhook: Webhook, url: str, events: Sequence[str], is_active: bool, site: str) -> None:
    """Turned on, it starts anew; turned off, what waits for it is given up."""
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(
            url=url,
            events=_sorted(events),
            site=site,
            is_active=is_active,
            off_reason=webhook.off_reason if not is_active else "",
            rests_until=None,
            failing_since=None,
        )
        if not is_active:
            give_up_waiting(webhook)
    webhook.refresh_from_db()


def rotate_secret(*, webhook: Webhook) -> str:
    """A new secret. The one before signs too for a day."""
    secret = new_secret()
    current = Webhook.objects.get(pk=webhook.pk)
    Webhook.objects.filter(pk=webhook.pk).update(
        secret=seal(secret),
        earlier_secret=current.secret,
        earlier_until=timezone.now() + BOTH_SIGN_FOR,
    )
    return secret


def reseal_webhooks() -> tuple[int, int]:
    """Seal all secrets with the site's present key.

    Returns how many webhooks that were, and how many are left as they are because no key opens theirs.
    """
    done = lost = 0
    with transaction.atomic():
        for webhook in Webhook.objects.select_for_update():
            try:
                webhook.secret = reseal(webhook.secret)
                webhook.earlier_secret = webhook.earlier_secret and reseal(webhook.earlier_secret)
            except SecretLost:
                lost += 1
                continue
            webhook.save(update_fields=["secret", "earlier_secret"])
            done += 1
    return done, lost


def send_test(*, webhook: Webhook) -> Delivery:
    """A message to try it out with, which goes at once even where others wait."""
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(rests_until=None)
        return leave(webhook, Event.TEST, {"webhook": str(webhook.uuid)})


def resend(*, delivery: Delivery) -> None:
    """Send it once more, from the first attempt on, whatever became of it."""
    with transaction.atomic():
        Webhook.objects.filter(pk=delivery.webhook_id).update(rests_until=None)
        Delivery.objects.filter(pk=delivery.pk).update(
            state=DeliveryState.WAITING, due_at=timezone.now(), attempts=0
        )
    delivery.refresh_from_db()


def delete_webhook(*, webhook: Webhook) -> None:
    """With its log."""
    with transaction.atomic():
        lock_webhook(webhook.pk)
        Webhook.objects.filter(pk=webhook.pk).delete()


def lock_webhook(key: int) -> None:
    """Call before its deliveries are changed together with it."""
    Webhook.objects.select_for_update().filter(pk=key).first()


def give_up_waiting(webhook: Webhook) -> None:
    waiting = Delivery.objects.filter(webhook=webhook, state=DeliveryState.WAITING)
    waiting.update(state=DeliveryState.FAILED, due_at=None)


def _sorted(events: Sequence[str]) -> list[str]:
    return [str(event) for event in Event if event in events]
