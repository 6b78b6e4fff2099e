"""Pages of a history without OFFSET: a page begins behind a row, wherever that row stands by now.

A cursor is the place of a row in the order: the value that it is sorted by, and its uuid. What is uploaded or
deleted meanwhile moves no row from one page to the next, and page 4,000 costs what the first one does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from uuid import UUID

from django.db.models import Q

from analyses.filters import COLUMNS, Sort, ordered
from analyses.models import Analysis
from analyses.querysets import AnalysisQuerySet

PAGE_LENGTH = 25
COUNTED = 1000
"""So many rows are counted and no more: counting all of a large history takes longer than showing it."""

Value = datetime | float | str


@dataclass(frozen=True, slots=True)
class Cursor:
    """``backwards``: the page ends before the place, instead of beginning behind it."""

    value: Value
    uuid: UUID
    backwards: bool = False

    @classmethod
    def of(cls, data: Mapping[str, str], sort: Sort) -> "Cursor | None":
        """From ``?after=`` or ``?before=``; None for the first page, and where it can't be read."""
        backwards = "before" in data
        text = data.get("before" if backwards else "after", "")
        value, _, uuid = text.rpartition("~")
        try:
            return cls(READERS[sort](value), UUID(uuid), backwards)
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class Page:
    """``previous`` and ``next`` are what ``?before=`` and ``?after=`` take; empty at the ends."""

    rows: list[Analysis]
    previous: str = ""
    next: str = ""


def page_of(rows: AnalysisQuerySet, sort: Sort, cursor: Cursor | None) -> Page:
    """A page of filtered rows, with their videos and without their result documents.

    The last page backwards is the first page, and full.
    """
    found = _uuids(rows, sort, cursor)
    if cursor and cursor.backwards and len(found) <= PAGE_LENGTH:
        cursor, found = None, _uuids(rows, sort, None)
    more, shown = len(found) > PAGE_LENGTH, found[:PAGE_LENGTH]
    backwards = cursor is not None and cursor.backwards
    loaded = list(ordered(Analysis.objects.filter(uuid__in=shown).for_list(), sort))
    if not loaded:
        return Page([])
    return Page(
        loaded,
        previous=place_of(loaded[0], sort) if (more if backwards else cursor) else "",
        next=place_of(loaded[-1], sort) if backwards or more else "",
    )


def bounded_count(rows: AnalysisQuerySet) -> tuple[int, bool]:
    """How many rows there are, and whether there are more than that."""
    count = rows.order_by()[: COUNTED + 1].count()
    return min(count, COUNTED), count > COUNTED


def _uuids(rows: AnalysisQuerySet, sort: Sort, cursor: Cursor | None) -> list[UUID]:
    """One more than a page holds. Only the index is read, so that rows that don't match cost little."""
    backwards = cursor is not None and cursor.backwards
    if cursor is not None:
        rows = rows.filter(_beyond(sort, cursor))
    return list(ordered(rows, sort, backwards=backwards).values_list("uuid", flat=True)[: PAGE_LENGTH + 1])


def _beyond(sort: Sort, cursor: Cursor) -> Q:
    """Without the first condition, which the second implies, SQLite would read the index from its start."""
    column = COLUMNS[sort]
    way = "lt" if column.startswith("-") != cursor.backwards else "gt"
    column = column.lstrip("-")
    reached = Q((f"{column}__{way}e", cursor.value))
    return reached & (Q((f"{column}__{way}", cursor.value)) | Q((f"uuid__{way}", cursor.uuid)))


def place_of(row: Analysis, sort: Sort) -> str:
    """The row as ``?after=`` and ``?before=`` name it."""
    value = getattr(row, COLUMNS[sort].lstrip("-"))
    return f"{value.isoformat() if isinstance(value, datetime) else value}~{row.uuid}"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a place in time needs its zone")
    return moment.astimezone(UTC)


def _score(text: str) -> float:
    score = float(text)
    if not isfinite(score):
        raise ValueError("a score is a number")
    return score


def _name(text: str) -> str:
    if "\0" in text:
        raise ValueError("no name has this character")
    return text


READERS: dict[Sort, Callable[[str], Value]] = {
    Sort.NEWEST: _moment,
    Sort.OLDEST: _moment,
    Sort.PROBABILITY: _score,
    Sort.NAME: _name,
}
