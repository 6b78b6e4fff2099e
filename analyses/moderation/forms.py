"""The forms of the review page."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from analyses.models import Analysis
from analyses.moderation.models import REASON_LENGTH, Case, Concern, Kind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class ReasonField(forms.CharField):
    def __init__(self, label: "StrOrPromise", help_text: "StrOrPromise", **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 3})
        super().__init__(label=label, help_text=help_text, max_length=REASON_LENGTH, widget=widget, **options)


class SeenForm(forms.Form):
    """``seen`` is the newest decision that the page showed; nothing where there was none."""

    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)


class DecisionForm(SeenForm):
    kind = forms.ChoiceField(
        label=_("Decision"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a decision.")},
    )
    reason = ReasonField(
        _("Reason"),
        _(
            "The owner reads it, and so does whoever has a link to the result. Needed for all but “The model "
            "is right”."
        ),
        required=False,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, case: Case, analysis: Analysis) -> None:
        initial = {"seen": case.last.uuid if case.last else None}
        super().__init__(data, initial=initial, auto_id="decision_%s")
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(kind.value, kind.label) for kind in _offered(case, analysis)]


class HoldForm(forms.Form):
    reason = ReasonField(
        _("Reason of the hold"),
        _("Moderators read it, and it goes into the audit log."),
        error_messages={"required": _("Give a reason: it goes into the audit log.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="hold_%s")


class ComplaintForm(forms.Form):
    """``website`` is a trap: people don't see it, and programs that fill in everything do."""

    concern = forms.ChoiceField(
        label=_("What is wrong?"),
        choices=Concern.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is wrong.")},
    )
    comment = forms.CharField(
        label=_("What should the moderators know? (optional)"),
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Up to 2,000 characters. Leave an address there if you want an answer."),
    )
    website = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )

    @property
    def is_of_a_program(self) -> bool:
        return bool(self.cleaned_data["website"])

    @property
    def said(self) -> dict[str, Any]:
        return {"concern": Concern(self.cleaned_data["concern"]), "comment": self.cleaned_data["comment"]}


def _offered(case: Case, analysis: Analysis) -> list[Kind]:
    left_out = {Kind.HIDE if case.is_hidden else Kind.UNHIDE}
    if not analysis.video.file:
        left_out.add(Kind.DELETE_FILE)
    if not case.awaits_second:
        left_out.add(Kind.DECLINE)
    if not analysis.owner.is_active:
        left_out.add(Kind.SUSPEND_ACCOUNT)
    return [kind for kind in Kind if kind not in left_out]
