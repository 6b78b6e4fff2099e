"""Webhooks: made, changed, tried out, and the log of what was sent."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from analyses.access import get_delivery, get_webhook
from analyses.api.base import ApiRequest, ApiView
from analyses.api.cursors import NewestFirst
from analyses.api.problems import Problem
from analyses.api.webhook_fields import (
    DeliveryDocument,
    NewWebhookDocument,
    SecretDocument,
    WebhookDocument,
    WebhookFields,
    WebhooksDocument,
)
from analyses.views.webhooks import site_of
from analyses.webhooks import endpoints
from analyses.webhooks.models import Delivery, Webhook


class WebhooksView(ApiView):
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"POST": ("too_many_webhooks",)}

    @extend_schema(operation_id="list_webhooks", responses={200: WebhooksDocument})
    def get(self, request: ApiRequest) -> Response:
        """Your webhooks."""
        return Response(WebhooksDocument({"webhooks": Webhook.objects.for_user(request.user)}).data)

    @extend_schema(
        operation_id="create_webhook",
        request={"application/json": WebhookFields},
        responses={201: NewWebhookDocument},
    )
    def post(self, request: ApiRequest) -> Response:
        """Have a program of yours told. This answer has the secret that signs, and no other has."""
        asked = _asked(WebhookFields(data=self.sent(request)))
        try:
            webhook, secret = endpoints.create_webhook(owner=request.user, site=site_of(request), **asked)
        except endpoints.TooManyWebhooks as error:
            raise Problem("too_many_webhooks") from error
        return Response({**WebhookDocument(webhook).data, "secret": secret}, status=201)


class WebhookView(ApiView):
    @extend_schema(operation_id="get_webhook", responses={200: WebhookDocument})
    def get(self, request: ApiRequest, uuid: UUID) -> Response:
        """One webhook."""
        return Response(WebhookDocument(get_webhook(request.user, uuid)).data)

    @extend_schema(
        operation_id="change_webhook",
        request={"application/json": WebhookFields},
        responses={200: WebhookDocument},
    )
    def patch(self, request: ApiRequest, uuid: UUID) -> Response:
        """Change what is given. Turned on it starts anew; turned off, what waits is given up."""
        webhook = get_webhook(request.user, uuid)
        asked = _asked(WebhookFields(data=self.sent(request), partial=True))
        current = {"url": webhook.url, "events": webhook.events, "is_active": webhook.is_active}
        endpoints.change_webhook(webhook=webhook, site=site_of(request), **{**current, **asked})
        return Response(WebhookDocument(webhook).data)

    @extend_schema(operation_id="delete_webhook", request=None, responses={204: None})
    def delete(self, request: ApiRequest, uuid: UUID) -> Response:
        """Remove it with its log."""
        endpoints.delete_webhook(webhook=get_webhook(request.user, uuid))
        return Response(status=204)


class SecretView(ApiView):
    @extend_schema(operation_id="rotate_secret", request=None, responses={200: SecretDocument})
    def post(self, request: ApiRequest, uuid: UUID) -> Response:
        """Make a new secret. The one before signs too for a day."""
        return Response({"secret": endpoints.rotate_secret(webhook=get_webhook(request.user, uuid))})


class TestView(ApiView):
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"POST": ("webhook_off",)}

    @extend_schema(operation_id="test_webhook", request=None, responses={202: DeliveryDocument})
    def post(self, request: ApiRequest, uuid: UUID) -> Response:
        """Send a test. It is tried once; its line in the log says how it went."""
        webhook = _active(get_webhook(request.user, uuid))
        return Response(DeliveryDocument(endpoints.send_test(webhook=webhook)).data, status=202)


class DeliveriesView(ApiView):
    pagination_class = NewestFirst

    @extend_schema(operation_id="list_deliveries", responses={200: DeliveryDocument(many=True)})
    def get(self, request: ApiRequest, uuid: UUID) -> Response:
        """What was sent, newest first. It is kept for 30 days."""
        rows: QuerySet[Delivery] = get_webhook(request.user, uuid).deliveries.defer("body")
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(DeliveryDocument(page, many=True).data)


class ResendView(ApiView):
    problems: ClassVar[dict[str, tuple[str, ...]]] = {"POST": ("webhook_off",)}

    @extend_schema(operation_id="resend_delivery", request=None, responses={202: DeliveryDocument})
    def post(self, request: ApiRequest, uuid: UUID, delivery: UUID) -> Response:
        """Send it once more under the same identifier, whatever became of it."""
        found = get_delivery(request.user, uuid, delivery)
        _active(found.webhook)
        endpoints.resend(delivery=found)
        return Response(DeliveryDocument(found).data, status=202)


def _asked(fields: WebhookFields) -> dict[str, Any]:
    fields.is_valid(raise_exception=True)
    names = {"active": "is_active"}
    return {names.get(name, name): value for name, value in fields.validated_data.items()}


def _active(webhook: Webhook) -> Webhook:
    if not webhook.is_active:
        raise Problem("webhook_off")
    return webhook
