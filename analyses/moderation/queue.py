"""What waits for moderators, in which order, and who works on it already."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from django import forms
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from analyses.detection import Verdict
from analyses.fields import folded
from analyses.filters import VERDICT_CHOICES, Sort
from analyses.models import NAME_LENGTH, Analysis, Dispute
from analyses.moderation.cases import cases_of
from analyses.moderation.models import Case, Complaint
from analyses.querysets import AnalysisQuerySet


class Show(models.TextChoices):
    DISPUTED = "disputed", _("Disputed")
    REPORTED = "reported", _("Reported")
    UNSURE = "unsure", _("Low confidence")
    PROPOSED = "proposed", _("Waiting for a second moderator")
    MINE = "mine", _("Held by me")
    NEWEST = "newest", _("All results")


class Decided(models.TextChoices):
    NO = "no", _("Not yet")
    YES = "yes", _("Decided")


class QueueForm(forms.Form):
    """Over the queue, and the parser of its address."""

    show = forms.ChoiceField(label=_("Show"), required=False, choices=Show.choices)
    q = forms.CharField(
        label=_("File name contains"),
        required=False,
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    verdict = forms.ChoiceField(label=_("Verdict"), required=False, choices=VERDICT_CHOICES)
    decided = forms.ChoiceField(
        label=_("Decided by a moderator"), required=False, choices=[("", _("Any")), *Decided.choices]
    )
    sort = forms.ChoiceField(label=_("Order"), required=False, choices=[("", _("As usual")), *Sort.choices])


@dataclass(frozen=True, slots=True)
class QueueParameters:
    """Empty: not asked for."""

    show: Show = Show.DISPUTED
    q: str = ""
    verdict: str = ""
    decided: str = ""
    sort: Sort = Sort.OLDEST

    @classmethod
    def from_form(cls, form: QueueForm) -> Self:
        """Without what makes no sense. What waits longest comes first, in the list of all the newest."""
        form.is_valid()
        values: dict[str, Any] = {name: value for name, value in form.cleaned_data.items() if value}
        show = Show(values.get("show", Show.DISPUTED))
        usual = Sort.NEWEST if show == Show.NEWEST else Sort.OLDEST
        return cls(**{**values, "show": show, "sort": Sort(values.get("sort", usual))})

    @property
    def words(self) -> dict[str, str]:
        """All that stands in the address."""
        names = ("show", "q", "verdict", "decided", "sort")
        return {name: str(value) for name in names if (value := getattr(self, name))}

    @property
    def query(self) -> str:
        return urlencode(self.words)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """``holder`` is the colleague who works on it, empty for nobody and for oneself; ``reports`` are open."""

    analysis: Analysis
    case: Case
    dispute: Dispute | None
    is_mine: bool
    holder: str
    reports: int

    @property
    def seen(self) -> str:
        """The newest decision, as the forms hand it back."""
        return str(self.case.last.uuid) if self.case.last else ""


def queue(moderator: User, params: QueueParameters) -> AnalysisQuerySet:
    """The results that ``params`` ask for. Moderators don't see their own: colleagues decide those."""
    rows = Analysis.objects.filter(_shown(moderator, params.show), state="done").exclude(owner=moderator)
    if params.verdict:
        rows = rows.filter(verdict=params.verdict)
    if params.q:
        rows = rows.filter(name_key__contains=folded(params.q))
    if params.decided:
        rows = rows.filter(_undecided() if params.decided == Decided.NO else _decided())
    return rows


def queue_rows(moderator: User, analyses: Iterable[Analysis]) -> list[QueueRow]:
    """A page of them, with what is known of each."""
    analyses = list(analyses)
    cases = cases_of(analyses)
    disputes = {row.analysis_id: row for row in _open_disputes().filter(analysis__in=analyses)}
    reports = dict(_reports(analyses))
    return [
        _row(
            moderator,
            row,
            cases.get(row.pk) or Case(analysis_id=row.pk),
            disputes.get(row.pk),
            reports.get(row.pk, 0),
        )
        for row in analyses
    ]


def _reports(analyses: Iterable[Analysis]) -> Iterable[tuple[int, int]]:
    rows = Complaint.objects.open().filter(analysis__in=analyses).order_by()
    return rows.values_list("analysis").annotate(Count("pk"))


def _row(moderator: User, analysis: Analysis, case: Case, dispute: Dispute | None, reports: int) -> QueueRow:
    holder = case.held_by if case.is_held else None
    is_mine = holder == moderator
    name = holder.get_short_name() if holder and not is_mine else ""
    return QueueRow(analysis, case, dispute, is_mine, name, reports)


def _shown(moderator: User, show: Show) -> Q:
    conditions = {
        Show.DISPUTED: Q(pk__in=_open_disputes().values("analysis")),
        Show.REPORTED: Q(pk__in=Complaint.objects.open().values("analysis")),
        Show.UNSURE: Q(verdict=str(Verdict.INCONCLUSIVE), fake_probability__isnull=False) & _undecided(),
        Show.PROPOSED: Q(pk__in=Case.objects.filter(awaits_second=True).values("analysis")),
        Show.MINE: Q(pk__in=Case.objects.held().filter(held_by=moderator).values("analysis")),
        Show.NEWEST: Q(),
    }
    return conditions[show]


def _decided() -> Q:
    """Few among many, so they are looked for first."""
    return Q(pk__in=Case.objects.exclude(label="").values("analysis"))


def _undecided() -> Q:
    """Most, so they are met soon in the order of the list."""
    return ~Q(Exists(Case.objects.exclude(label="").filter(analysis=OuterRef("pk"))))


def _open_disputes() -> "models.QuerySet[Dispute]":
    return Dispute.objects.filter(state=Dispute.State.OPEN)
