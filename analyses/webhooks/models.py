"""A webhook is an address that wants to be told; a delivery is one message to it, and what became of it."""

from typing import TYPE_CHECKING, Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User

URL_LENGTH = 500
ANSWER_LENGTH = 1000


class Event(models.TextChoices):
    """What can be told. Every analysis ends with exactly one of the first two."""

    COMPLETED = "analysis.completed", _("An analysis has a result")
    FAILED = "analysis.failed", _("An analysis ended without a result")
    DECIDED = "analysis.decided", _("A moderator decided what a clip is")
    TEST = "webhook.test", _("A test")


ASKED_FOR = (Event.COMPLETED, Event.FAILED, Event.DECIDED)
"""What an address can be told of; a test is sent when its owner asks for one."""


class Problem(models.TextChoices):
    """Why an attempt came to nothing."""

    UNKNOWN_HOST = "unknown_host", _("The host’s name leads nowhere.")
    PRIVATE = "private_address", _("The host isn’t on the public internet, and this site calls no other.")
    UNREACHABLE = "unreachable", _("No connection could be made.")
    TLS = "tls", _("The connection isn’t secure: the certificate was not accepted.")
    TIMED_OUT = "timed_out", _("There was no answer in time.")
    BROKEN = "broken", _("What came back was no answer of a web server.")
    REDIRECTED = "redirected", _("The answer led elsewhere, and redirects are not followed.")
    REFUSED = "refused", _("The answer was no success.")
    GONE = "gone", _("The answer was that nothing is there any more (410).")
    NO_SECRET = "no_secret", _("The secret can’t be read. Make a new one.")
    LOST = "lost", _("The sender was interrupted.")


class OffReason(models.TextChoices):
    """Why the site itself turned a webhook off."""

    GONE = "gone", _("It answered that nothing is there any more (410).")
    FAILING = "failing", _("Nothing arrived for three days.")


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def for_user(self, user: "User") -> Self:
        return self.filter(owner=user)

    def active(self) -> Self:
        return self.filter(is_active=True, owner__is_active=True)

    def rested(self) -> Self:
        """Nothing is on its way to them, and the last failure is long enough ago."""
        return self.filter(Q(rests_until__isnull=True) | Q(rests_until__lte=timezone.now()))


class Webhook(models.Model):
    """``secret`` is sealed (``analyses.webhooks.secrets``). After a change ``earlier_secret`` signs too until
    ``earlier_until``, so that a receiver can change over.

    Nothing is sent before ``rests_until``: a message is on its way, or the last one failed. ``failing_since``
    is the first failure behind the last success. ``site`` is the address that its owner knows this site by.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=URL_LENGTH)
    events = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=10, choices=OffReason.choices, blank=True)
    secret = models.TextField(editable=False)
    earlier_secret = models.TextField(blank=True, editable=False)
    earlier_until = models.DateTimeField(null=True, blank=True, editable=False)
    site = models.CharField(max_length=200)
    rests_until = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                name="webhook_off_for_a_known_reason", condition=Q(off_reason__in=["", *OffReason.values])
            ),
            models.CheckConstraint(
                name="webhook_on_without_a_reason", condition=Q(is_active=False) | Q(off_reason="")
            ),
        )

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def event_labels(self) -> list[str]:
        return [str(Event(event).label) for event in self.events]


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Given up")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self) -> Self:
        """To be sent now, what waits longest first."""
        rows = self.filter(
            state=DeliveryState.WAITING,
            due_at__lte=timezone.now(),
            webhook__in=Webhook.objects.active().rested(),
        )
        return rows.order_by("due_at", "pk")


class Delivery(models.Model):
    """The row is the truth: it is made in the transaction of what it tells, and sent until it arrived.

    ``uuid`` is the message's, the same at every attempt, so that a receiver can tell a repetition. ``body``
    is what is signed and sent. ``status``, ``problem``, ``answer`` and ``took_ms`` are of the last attempt.
    """

    State = DeliveryState

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=30, choices=Event.choices)
    analysis = models.UUIDField(null=True, blank=True)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    tried_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    problem = models.CharField(max_length=20, choices=Problem.choices, blank=True)
    answer = models.CharField(max_length=ANSWER_LENGTH, blank=True)
    took_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        verbose_name_plural = "deliveries"
        indexes = (
            models.Index(fields=["state", "due_at"], name="delivery_due"),
            models.Index(fields=["webhook", "-created_at"], name="delivery_log"),
        )
        constraints = (
            models.CheckConstraint(
                name="delivery_state_is_known", condition=Q(state__in=DeliveryState.values)
            ),
            models.CheckConstraint(
                name="delivery_waits_for_its_time",
                condition=Q(state="waiting", due_at__isnull=False)
                | (~Q(state="waiting") & Q(due_at__isnull=True)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.event} {self.uuid} ({self.state})"

    @property
    def is_waiting(self) -> bool:
        return self.state == DeliveryState.WAITING

    @property
    def problem_sentence(self) -> str:
        return str(Problem(self.problem).label) if self.problem else ""
