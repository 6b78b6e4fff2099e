"""Which analyses a history shows, and in which order: the parameters in its address, and what they mean.

    rows = filtered(Analysis.objects.for_user(user), HistoryParameters.of(request.GET))

A parameter that makes no sense is as good as absent; the form says which one it was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analyses.detection import Verdict
from analyses.fields import folded
from analyses.models import NAME_LENGTH, UNFINISHED, State
from analyses.querysets import AnalysisQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

UNFINISHED_WORD = "unfinished"
VERDICT_CHOICES = [
    ("", _("Any")),
    (str(Verdict.FAKE), _("Likely manipulated")),
    (str(Verdict.REAL), _("No sign found")),
    (str(Verdict.INCONCLUSIVE), _("Can’t tell")),
]
STATE_CHOICES = [
    ("", _("Any")),
    (UNFINISHED_WORD, _("Waiting or running")),
    *State.choices,
]


class Sort(models.TextChoices):
    NEWEST = "newest", _("Newest first")
    OLDEST = "oldest", _("Oldest first")
    PROBABILITY = "probability", _("Highest probability first")
    NAME = "name", _("File name, A to Z")


FIRST_DAY, LAST_DAY = date(1, 1, 3), date(9999, 12, 29)
"""Days of these begin and end within the calendar, in every time zone."""


class DateField(forms.DateField):
    """A day of the reader's time zone, as ``<input type="date">`` sends it."""

    def __init__(self, label: "StrOrPromise") -> None:
        message = _("Write the date as year-month-day, like 2026-11-25.")
        super().__init__(
            label=label,
            required=False,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            validators=[MinValueValidator(FIRST_DAY, message), MaxValueValidator(LAST_DAY, message)],
            error_messages={"invalid": message},
        )


class HistoryForm(forms.Form):
    """Over the list, and the parser of its address."""

    q = forms.CharField(
        label=_("File name contains"),
        required=False,
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    verdict = forms.ChoiceField(label=_("Verdict"), required=False, choices=VERDICT_CHOICES)
    state = forms.ChoiceField(label=_("State"), required=False, choices=STATE_CHOICES)
    model = forms.CharField(label=_("Model"), required=False, max_length=100, widget=forms.Select)
    since = DateField(_("Uploaded from"))
    until = DateField(_("Uploaded until"))
    sort = forms.ChoiceField(label=_("Order"), required=False, choices=Sort.choices)

    def offer_models(self, names: Iterable[str]) -> None:
        """The models in the list, and the one that the address names."""
        chosen = self["model"].value()
        known = sorted({*names, *([chosen] if chosen else [])})
        self.fields["model"].widget.choices = [("", _("Any")), *((name, name) for name in known)]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and since > until:
            self.add_error("until", _("This day is before the first one."))
        return values


@dataclass(frozen=True, slots=True)
class HistoryParameters:
    """Empty or None: not asked for. ``since`` and ``until`` are days of the reader's zone, both included."""

    verdict: str = ""
    state: str = ""
    model: str = ""
    q: str = ""
    since: date | None = None
    until: date | None = None
    sort: Sort = Sort.NEWEST

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """From an address, without what makes no sense in it."""
        return cls.from_form(HistoryForm(data))

    @classmethod
    def from_form(cls, form: HistoryForm) -> Self:
        form.is_valid()
        values = {name: value for name, value in form.cleaned_data.items() if value}
        return cls(**{**values, "sort": Sort(values.get("sort", Sort.NEWEST))})

    @property
    def narrowing(self) -> dict[str, str]:
        """What keeps rows out, as it stands in the address."""
        names = ("verdict", "state", "model", "q", "since", "until")
        return {name: str(value) for name in names if (value := getattr(self, name))}

    @property
    def words(self) -> dict[str, str]:
        """All that stands in the address."""
        return self.narrowing | ({} if self.sort == Sort.NEWEST else {"sort": str(self.sort)})

    @property
    def query(self) -> str:
        return urlencode(self.words)


def filtered(queryset: AnalysisQuerySet, params: HistoryParameters) -> AnalysisQuerySet:
    """The rows that ``params`` keep, in its order."""
    return ordered(queryset.filter(**_lookups(params)), params.sort)


def _lookups(params: HistoryParameters) -> dict[str, object]:
    states = list(UNFINISHED) if params.state == UNFINISHED_WORD else [params.state]
    lookups = {
        "verdict": params.verdict,
        "state__in": states if params.state else None,
        "model_name": params.model,
        "name_key__contains": folded(params.q),
        "created_at__gte": _moment(params.since, time.min),
        "created_at__lte": _moment(params.until, time.max),
    }
    return {lookup: value for lookup, value in lookups.items() if value}


def _moment(day: date | None, clock: time) -> datetime | None:
    return datetime.combine(day, clock, timezone.get_current_timezone()) if day else None


COLUMNS: dict[Sort, str] = {
    Sort.NEWEST: "-created_at",
    Sort.OLDEST: "created_at",
    Sort.PROBABILITY: "-score_key",
    Sort.NAME: "name_key",
}
"""An index goes along each of them, with the uuid after it, so that no two rows are level."""


def ordered(queryset: AnalysisQuerySet, sort: Sort, *, backwards: bool = False) -> AnalysisQuerySet:
    column = COLUMNS[sort]
    sign = "-" if column.startswith("-") != backwards else ""
    return queryset.order_by(f"{sign}{column.lstrip('-')}", f"{sign}uuid")
