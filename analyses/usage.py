"""What somebody has used of their quotas, in the words of the pages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor

from django.conf import settings

from accounts.models import User
from analyses import quotas
from analyses.quotas import Meter, Quota
from analyses.templatetags.figures import NBSP, moment, room


@dataclass(frozen=True, slots=True)
class UsageRow:
    """``used`` is like "13 of 200"; ``left`` like "187 of 200 analyses", and empty without a limit.

    ``note`` says what counts, and of a full one when there is room again.
    """

    meter: Meter
    name: str
    used: str
    left: str
    note: str


NAMES: dict[str, str] = {
    Quota.ANALYSES: "Analyses in 24 hours",
    Quota.MINUTES: "Length of video in 24 hours",
    Quota.STORAGE: "Storage",
    Quota.RUNNING: "Waiting or running now",
}
WHAT_IS_LEFT: dict[str, str] = {
    Quota.ANALYSES: "analyses in 24 hours",
    Quota.MINUTES: "of video in 24 hours",
    Quota.STORAGE: "of storage",
    Quota.RUNNING: "analyses at once",
}
NOTES: dict[str, str] = {
    Quota.ANALYSES: "Each counts for 24 hours, also when you delete it, but not one that never ran.",
    Quota.MINUTES: "Each counts for 24 hours, once its analysis has found out how long it is.",
    Quota.STORAGE: "The videos that you keep, and the uploads under way.",
    Quota.RUNNING: "Your analyses that are not done yet.",
}
HELD = "Those under way count as {longest} each until then."
ROOM_AFTER_OWN = "There is room again when those under way are done."
ROOM_FROM = "There is room again from {moment} on."


def usage_rows(user: User) -> list[UsageRow]:
    return [_row(meter) for meter in quotas.meters(user)]


def limited_rows(user: User) -> list[UsageRow]:
    """Of the quotas that limit this user."""
    return [row for row in usage_rows(user) if row.meter.is_limited]


def _row(meter: Meter) -> UsageRow:
    words = _WORDS[meter.quota]
    used, limit = words(meter.used), words(meter.limit) if meter.is_limited else ""
    return UsageRow(
        meter=meter,
        name=NAMES[meter.quota],
        used=f"{used} of {limit}" if limit else f"{used}, no limit",
        left=f"{words(meter.left)} of {limit} {WHAT_IS_LEFT[meter.quota]}" if limit else "",
        note=" ".join(_notes(meter)),
    )


def _notes(meter: Meter) -> Iterator[str]:
    yield NOTES[meter.quota]
    if meter.held:
        yield HELD.format(longest=length(settings.MAX_VIDEO_DURATION_S))
    if meter.is_full and meter.waits_for_own:
        yield ROOM_AFTER_OWN
    elif meter.is_full and meter.frees_at:
        yield ROOM_FROM.format(moment=moment(meter.frees_at))


def length(seconds: float) -> str:
    """In whole minutes, of which none is promised that isn't there: 0 min, 45 min, 23 h 10 min, 24 h."""
    hours, minutes = divmod(floor(seconds / 60), 60)
    if not hours:
        return f"{minutes}{NBSP}min"
    return f"{hours}{NBSP}h {minutes}{NBSP}min" if minutes else f"{hours}{NBSP}h"


def number(amount: float) -> str:
    return f"{amount:,.0f}"


_WORDS: dict[str, Callable[[float], str]] = {
    Quota.ANALYSES: number,
    Quota.MINUTES: length,
    Quota.STORAGE: room,
    Quota.RUNNING: number,
}
