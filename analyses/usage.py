"""What somebody has used of their quotas, in the words of the pages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

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
    Quota.ANALYSES: _("Analyses in 24 hours"),
    Quota.MINUTES: _("Length of video in 24 hours"),
    Quota.STORAGE: _("Storage"),
    Quota.RUNNING: _("Waiting or running now"),
}
WHAT_IS_LEFT: dict[str, str] = {
    Quota.ANALYSES: _("{left} of {limit} analyses in 24 hours"),
    Quota.MINUTES: _("{left} of {limit} of video in 24 hours"),
    Quota.STORAGE: _("{left} of {limit} of storage"),
    Quota.RUNNING: _("{left} of {limit} analyses at once"),
}
NOTES: dict[str, str] = {
    Quota.ANALYSES: _("Each counts for 24 hours, also when you delete it, but not one that never ran."),
    Quota.MINUTES: _("Each counts for 24 hours, once its analysis has found out how long it is."),
    Quota.STORAGE: _("The videos that you keep, and the uploads under way."),
    Quota.RUNNING: _("Your analyses that are not done yet."),
}
HELD = _("Those under way count as {longest} each until then.")
ROOM_AFTER_OWN = _("There is room again when those under way are done.")
ROOM_FROM = _("There is room again from {moment} on.")


def usage_rows(user: User) -> list[UsageRow]:
    return [_row(meter) for meter in quotas.meters(user)]


def limited_rows(user: User) -> list[UsageRow]:
    """Of the quotas that limit this user."""
    return [row for row in usage_rows(user) if row.meter.is_limited]


def _row(meter: Meter) -> UsageRow:
    words, name, note = _WORDS[meter.quota], gettext(NAMES[meter.quota]), " ".join(_notes(meter))
    used = words(meter.used)
    if not meter.is_limited:
        return UsageRow(meter, name, gettext("{used}, no limit").format(used=used), "", note)
    limit, left = words(meter.limit), words(meter.left)
    used = gettext("{used} of {limit}").format(used=used, limit=limit)
    return UsageRow(
        meter, name, used, gettext(WHAT_IS_LEFT[meter.quota]).format(left=left, limit=limit), note
    )


def _notes(meter: Meter) -> Iterator[str]:
    yield gettext(NOTES[meter.quota])
    if meter.held:
        yield gettext(HELD).format(longest=length(settings.MAX_VIDEO_DURATION_S))
    if meter.is_full and meter.waits_for_own:
        yield gettext(ROOM_AFTER_OWN)
    elif meter.is_full and meter.frees_at:
        yield gettext(ROOM_FROM).format(moment=moment(meter.frees_at))


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
