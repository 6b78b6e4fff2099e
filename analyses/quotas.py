"""How much somebody may use: analyses and minutes of video a day, bytes stored, analyses at once.

The limits go by role (``settings.QUOTAS``). A day is any 24 hours. An analysis counts from its start on, also
when it is deleted later; one that never ran is given back. How long a video is, only its analysis finds out:
until then it counts as the longest that is taken, so that nobody gets past the limit with many at once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil, inf
from uuid import UUID

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from accounts.locks import take_turn
from accounts.models import Role, User
from analyses.models import Analysis, AnalysisStart, Upload, Video

DAY = timedelta(days=1)
SOON = timedelta(minutes=1)
"""When to ask again where it depends on analyses that wait or run."""
NEARLY = 0.8
MEGABYTE = 1024 * 1024


class Quota(StrEnum):
    ANALYSES = "analyses"
    MINUTES = "minutes"
    STORAGE = "storage"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Meter:
    """Use and limit of a quota: analyses, seconds, bytes, analyses.

    ``held`` is what analyses under way may still need. Without a limit it is infinite. ``frees_at``: when a
    full one has room again, if that comes by itself.
    """

    quota: Quota
    used: float
    limit: float
    held: float = 0.0
    frees_at: datetime | None = None

    @property
    def is_limited(self) -> bool:
        return self.limit < inf

    @property
    def left(self) -> float:
        return max(0.0, self.limit - self.used - self.held)

    @property
    def is_full(self) -> bool:
        return self.left <= 0

    @property
    def is_nearly_full(self) -> bool:
        return self.used + self.held >= NEARLY * self.limit

    @property
    def waits_for_own(self) -> bool:
        """Whether a full one has room again as soon as the user's analyses under way are done."""
        return self.quota == Quota.RUNNING or self.used < self.limit <= self.used + self.held

    @property
    def shown(self) -> float:
        """What a bar of the length ``limit`` can show."""
        return min(self.used + self.held, self.limit)


class QuotaExceeded(Exception):
    """No more of this is taken from this user for now."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter.quota)
        self.quota = meter.quota
        self.frees_at = meter.frees_at
        self.waits_for_own = meter.waits_for_own

    @property
    def retry_after_s(self) -> int | None:
        if self.frees_at is None:
            return None
        return max(1, ceil((self.frees_at - timezone.now()).total_seconds()))


def meters(user: User, *, arrival: Upload | None = None) -> Iterator[Meter]:
    """One for each quota. What ``arrival`` takes up isn't counted."""
    for quota in Quota:
        yield _METERS[quota](user, _limit(quota, user.role), arrival)


def check(*, user: User, size: int = 0, arrival: Upload | None = None) -> None:
    """Raise :class:`QuotaExceeded` where the user may not start another analysis, of a file of this size.

    Without a size nothing is stored for it. Who then goes on to use it asks with :func:`admit`.
    """
    limits = {quota: _limit(quota, user.role) for quota in Quota}
    for quota in (quota for quota in Quota if limits[quota] < inf):
        meter = _METERS[quota](user, limits[quota], arrival)
        if size > meter.left if meter.quota == Quota.STORAGE else meter.is_full:
            raise QuotaExceeded(meter)


def admit(*, user: User, size: int = 0, arrival: Upload | None = None) -> None:
    """:func:`check`, in the transaction that uses what it allows, and in the user's turn."""
    check(user=take_turn(user=user), size=size, arrival=arrival)


def count_start(*, user: User, analysis: Analysis) -> None:
    """From now on the analysis counts against the user's quotas of a day. Forgets what no longer does."""
    starts = AnalysisStart.objects.filter(owner=user)
    starts.filter(created_at__lte=timezone.now() - DAY).delete()
    AnalysisStart.objects.create(owner=user, analysis=analysis.uuid)


def count_length(*, analysis: Analysis, seconds: float) -> None:
    """Now it is known how long the video is."""
    AnalysisStart.objects.filter(analysis=analysis.uuid).update(seconds=seconds)


def give_back(uuid: UUID) -> None:
    """The analysis never ran, or through no fault of its user came to nothing."""
    AnalysisStart.objects.filter(analysis=uuid).delete()


def _limit(quota: Quota, role: Role) -> float:
    limit: int | None = settings.QUOTAS[role][quota]
    unit = {Quota.STORAGE: MEGABYTE, Quota.MINUTES: 60}.get(quota, 1)
    return inf if limit is None else limit * unit


def _analyses(user: User, limit: float, arrival: Upload | None) -> Meter:
    starts = [(start, 1.0) for start, _ in _starts(user)]
    return Meter(Quota.ANALYSES, len(starts), limit, frees_at=_frees_at(starts, limit))


def _minutes(user: User, limit: float, arrival: Upload | None) -> Meter:
    starts = _starts(user)
    held = float(_unfinished(user) * settings.MAX_VIDEO_DURATION_S)
    used = sum(seconds for _, seconds in starts)
    soon = timezone.now() + SOON if used < limit <= used + held else None
    return Meter(Quota.MINUTES, used, limit, held, soon or _frees_at(starts, limit))


def _storage(user: User, limit: float, arrival: Upload | None) -> Meter:
    arriving = Upload.objects.for_user(user).open()
    if arrival is not None:
        arriving = arriving.exclude(pk=arrival.pk)
    used = sum(
        rows.aggregate(total=Sum("size_bytes"))["total"] or 0
        for rows in (Video.objects.filter(owner=user).exclude(file=""), arriving)
    )
    return Meter(Quota.STORAGE, used, limit)


def _running(user: User, limit: float, arrival: Upload | None) -> Meter:
    used = _unfinished(user)
    return Meter(Quota.RUNNING, used, limit, frees_at=timezone.now() + SOON if used >= limit else None)


_METERS: dict[Quota, Callable[[User, float, Upload | None], Meter]] = {
    Quota.ANALYSES: _analyses,
    Quota.MINUTES: _minutes,
    Quota.STORAGE: _storage,
    Quota.RUNNING: _running,
}


def _unfinished(user: User) -> int:
    return Analysis.objects.for_user(user).unfinished().count()


def _starts(user: User) -> list[tuple[datetime, float]]:
    """Those of the last day, oldest first, each with the seconds of its video."""
    recent = AnalysisStart.objects.filter(owner=user, created_at__gt=timezone.now() - DAY)
    return list(recent.order_by("created_at").values_list("created_at", "seconds"))


def _frees_at(starts: Iterable[tuple[datetime, float]], limit: float) -> datetime | None:
    """When so many of the oldest starts are a day old that the rest stays below the limit."""
    starts = list(starts)
    left = sum(amount for _, amount in starts)
    if left < limit:
        return None
    for start, amount in starts:
        left -= amount
        if left < limit:
            return start + DAY
    return None
