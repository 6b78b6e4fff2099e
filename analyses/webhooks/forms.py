"""The form of a webhook, on its page and over the list of them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from analyses.webhooks.addresses import parts_of
from analyses.webhooks.models import ASKED_FOR, URL_LENGTH, Event, Webhook


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=_("Address"),
        max_length=URL_LENGTH,
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
        help_text=_("Where your program listens. Each message is sent there by POST."),
    )
    events = forms.MultipleChoiceField(
        label=_("Send a message when"),
        choices=[(event.value, event.label) for event in ASKED_FOR],
        widget=forms.CheckboxSelectMultiple,
        initial=[Event.COMPLETED.value, Event.FAILED.value],
        error_messages={"required": _("Choose at least one event.")},
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            parts_of(url)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return url


class ChangeForm(WebhookForm):
    is_active = forms.BooleanField(label=_("On"), required=False)

    def __init__(self, data: Any = None, *, webhook: Webhook) -> None:
        names = ("url", "events", "is_active")
        super().__init__(data, initial={name: getattr(webhook, name) for name in names})
