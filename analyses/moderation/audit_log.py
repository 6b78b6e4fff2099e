"""The audit log as administrators read it and take it away. ``accounts.audit`` writes and checks it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.audit import facts
from accounts.models import AuditEntry, User
from analyses.filters import DateField
from analyses.spreadsheets import Cell, csv_lines

PAGE_LENGTH = 50
CHUNK = 1000
COLUMNS = (
    "at", "actor", "action", "target_kind", "target", "before", "after", "reason", "previous_hash", "hash",
)  # fmt: skip


class AuditForm(forms.Form):
    """Over the log, and the parser of its address."""

    action = forms.CharField(label=_("Action begins with"), required=False, max_length=50)
    actor = forms.CharField(label=_("Who (e-mail address or number)"), required=False, max_length=254)
    target = forms.CharField(label=_("About (number)"), required=False, max_length=64)
    since = DateField(_("From"))
    until = DateField(_("Until"))

    @property
    def words(self) -> dict[str, str]:
        """What was asked for, as it stands in the address."""
        self.is_valid()
        return {name: str(value) for name, value in self.cleaned_data.items() if value}


@dataclass(frozen=True, slots=True)
class AuditRow:
    """``who`` is an e-mail address, the number of an account that is gone, or nobody's: the site's own."""

    entry: AuditEntry
    who: str
    before: str
    after: str


def entries(form: AuditForm) -> QuerySet[AuditEntry]:
    """Those that the form asks for, oldest first. What makes no sense in it is as good as absent."""
    form.is_valid()
    asked: dict[str, Any] = form.cleaned_data
    rows = AuditEntry.objects.order_by("pk")
    if asked.get("action"):
        rows = rows.filter(action__startswith=asked["action"])
    if asked.get("actor"):
        rows = rows.filter(_by(asked["actor"]))
    if asked.get("target"):
        rows = rows.filter(target=asked["target"])
    if asked.get("since"):
        rows = rows.filter(at__gte=_begin(asked["since"]))
    if asked.get("until"):
        rows = rows.filter(at__lt=_begin(asked["until"] + timedelta(days=1)))
    return rows


def page(rows: QuerySet[AuditEntry], before: str) -> tuple[list[AuditRow], str]:
    """The newest that come before the entry with that hash, and the hash to go on with; empty at the end."""
    if before:
        rows = rows.filter(pk__lt=AuditEntry.objects.filter(hash=before).values("pk")[:1])
    found = list(rows.reverse()[: PAGE_LENGTH + 1])
    shown = found[:PAGE_LENGTH]
    names = dict(User.objects.filter(uuid__in={row.actor for row in shown}).values_list("uuid", "email"))
    return [_row(row, names) for row in shown], shown[-1].hash if len(found) > PAGE_LENGTH else ""


def as_csv(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    return csv_lines(COLUMNS, (_cells(entry) for entry in rows.iterator(chunk_size=CHUNK)))


def as_json_lines(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    """Each line as its hash covers it, with the hash."""
    for entry in rows.iterator(chunk_size=CHUNK):
        yield json.dumps({**facts(entry), "hash": entry.hash}, ensure_ascii=False) + "\n"


def _begin(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_current_timezone())


def _by(text: str) -> Q:
    try:
        return Q(actor=UUID(text))
    except ValueError:
        return Q(actor__in=User.objects.filter(email__iexact=text).values("uuid"))


def _row(entry: AuditEntry, names: dict[UUID, str]) -> AuditRow:
    who = gettext("The site itself") if entry.actor is None else names.get(entry.actor, str(entry.actor))
    return AuditRow(entry, who, _words(entry.before), _words(entry.after))


def _words(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {_word(value)}" for name, value in values.items())


def _word(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _cells(entry: AuditEntry) -> list[Cell]:
    values = {**facts(entry), "hash": entry.hash}
    return [
        json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else value
        for value in (values[column] for column in COLUMNS)
    ]
