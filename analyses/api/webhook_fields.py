"""What the API takes and gives of webhooks, field by field."""

from typing import Any

from rest_framework import serializers

from analyses.api.serializers import Switch
from analyses.webhooks.addresses import parts_of
from analyses.webhooks.models import (
    ASKED_FOR,
    URL_LENGTH,
    Delivery,
    DeliveryState,
    Event,
    OffReason,
    Problem,
)

EVENTS = [str(event) for event in ASKED_FOR]


class WebhookFields(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=URL_LENGTH, help_text="Where messages are sent, by https.")
    events = serializers.ListField(
        child=serializers.ChoiceField(EVENTS), min_length=1, max_length=len(EVENTS)
    )
    active = Switch(required=False, default=True, help_text="Off, nothing is sent.")

    def validate_url(self, url: str) -> str:
        try:
            parts_of(url)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error
        return url


class WebhookDocument(serializers.Serializer[Any]):
    uuid = serializers.UUIDField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(EVENTS))
    active = serializers.BooleanField(source="is_active")
    off_reason = serializers.ChoiceField(
        ["", *OffReason.values], help_text="Why the site itself turned it off; empty where it didn’t."
    )
    failing_since = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class NewWebhookDocument(WebhookDocument):
    """With the secret, which no other answer tells."""

    secret = serializers.CharField(help_text="Signs the messages (Standard Webhooks).")


class WebhooksDocument(serializers.Serializer[Any]):
    webhooks = WebhookDocument(many=True)


class SecretDocument(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="The one before signs too for a day.")


class DeliveryDocument(serializers.ModelSerializer[Delivery]):
    """A message and what became of it. What is said of attempts is of the last one."""

    event = serializers.ChoiceField([str(event) for event in Event])
    state = serializers.ChoiceField(DeliveryState.values)
    problem = serializers.ChoiceField(["", *Problem.values])

    class Meta:
        model = Delivery
        fields = (
            "uuid", "event", "analysis", "state", "attempts", "due_at", "tried_at", "status", "problem",
            "took_ms", "created_at",
        )  # fmt: skip
        read_only_fields = fields
