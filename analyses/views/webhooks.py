"""One's webhooks: the list, the page of each with its log, and the buttons there."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from analyses.access import get_delivery, get_webhook
from analyses.views.requests import UserRequest
from analyses.webhooks import endpoints
from analyses.webhooks.forms import ChangeForm, WebhookForm
from analyses.webhooks.models import Webhook

MOST_SHOWN = 50


def site_of(request: HttpRequest) -> str:
    """The address that the visitor knows this site by, without the slash at its end."""
    return request.build_absolute_uri("/")[:-1]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def webhooks(request: UserRequest) -> HttpResponse:
    """The list and the form; on POST the new webhook's secret, which this one answer shows and no other."""
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return _list(request, form, status=400 if form.is_bound else 200)
    return _made(request, form)


@sensitive_variables("secret")
def _made(request: UserRequest, form: WebhookForm) -> HttpResponse:
    try:
        webhook, secret = endpoints.create_webhook(
            owner=request.user, site=site_of(request), **form.cleaned_data
        )
    except endpoints.TooManyWebhooks:
        words = _("You have %(most)d webhooks. Delete one that you no longer need first.")
        form.add_error(None, words % {"most": endpoints.MOST_WEBHOOKS})
        return _list(request, form, status=400)
    return _page(request, webhook, ChangeForm(webhook=webhook), status=201, secret=secret)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def webhook(request: UserRequest, uuid: UUID) -> HttpResponse:
    found = get_webhook(request.user, uuid)
    form = ChangeForm(request.POST if request.method == "POST" else None, webhook=found)
    if not form.is_bound or not form.is_valid():
        return _page(request, found, form, status=400 if form.is_bound else 200)
    endpoints.change_webhook(webhook=found, site=site_of(request), **form.cleaned_data)
    messages.success(request, _("The webhook was saved."))
    return redirect("webhook", uuid)


@login_required
@require_POST
@never_cache
@sensitive_variables("secret")
def webhook_secret(request: UserRequest, uuid: UUID) -> HttpResponse:
    """A new secret, which this one answer shows and no other."""
    found = get_webhook(request.user, uuid)
    secret = endpoints.rotate_secret(webhook=found)
    return _page(request, found, ChangeForm(webhook=found), secret=secret, rotated=True)


@login_required
@require_POST
def webhook_test(request: UserRequest, uuid: UUID) -> HttpResponse:
    found = get_webhook(request.user, uuid)
    if found.is_active:
        endpoints.send_test(webhook=found)
        messages.success(request, _("A test is on its way. Its line in the log says how it went."))
    else:
        messages.warning(request, _("The webhook is off: turn it on first."))
    return redirect("webhook", uuid)


@login_required
@require_POST
def webhook_delete(request: UserRequest, uuid: UUID) -> HttpResponse:
    endpoints.delete_webhook(webhook=get_webhook(request.user, uuid))
    messages.success(request, _("The webhook was deleted, with its log."))
    return redirect("webhooks")


@login_required
@require_POST
def webhook_resend(request: UserRequest, uuid: UUID, delivery: UUID) -> HttpResponse:
    found = get_delivery(request.user, uuid, delivery)
    if found.webhook.is_active:
        endpoints.resend(delivery=found)
        messages.success(request, _("The message is on its way again."))
    else:
        messages.warning(request, _("The webhook is off: turn it on first."))
    return redirect("webhook", uuid)


def _list(request: UserRequest, form: WebhookForm, status: int) -> HttpResponse:
    context = {"form": form, "webhooks": Webhook.objects.for_user(request.user)}
    return render(request, "webhooks/list.html", context, status=status)


def _page(
    request: UserRequest, found: Webhook, form: WebhookForm, *, status: int = 200, **made: object
) -> HttpResponse:
    rows = found.deliveries.defer("body")[:MOST_SHOWN]
    context = {"webhook": found, "form": form, "deliveries": rows, "shown": MOST_SHOWN, **made}
    return render(request, "webhooks/webhook.html", context, status=status)
