"""What a user has here and may still use, as numbers."""

from dataclasses import dataclass

from django.db.models import Count, Sum

from accounts.models import User
from analyses import quotas
from analyses.models import Analysis, State, Upload, Video


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """Analyses, seconds of video or bytes; ``limit`` is None without one."""

    quota: str
    used: float
    held: float
    limit: float | None


@dataclass(frozen=True, slots=True)
class Usage:
    """``analyses`` counts by state; ``bytes_stored`` is of the uploaded files."""

    analyses: dict[str, int]
    videos: int
    bytes_stored: int
    uploads_open: int
    quotas: list[QuotaUse]


def usage_of(user: User) -> Usage:
    counted = Analysis.objects.for_user(user).order_by().values_list("state").annotate(Count("pk"))
    stored = Video.objects.filter(owner=user).exclude(file="")
    videos = stored.aggregate(number=Count("pk"), size=Sum("size_bytes"))
    return Usage(
        analyses=dict.fromkeys(State.values, 0) | dict(counted),
        videos=videos["number"],
        bytes_stored=videos["size"] or 0,
        uploads_open=Upload.objects.for_user(user).open().count(),
        quotas=[
            QuotaUse(meter.quota, meter.used, meter.held, meter.limit if meter.is_limited else None)
            for meter in quotas.meters(user)
        ],
    )
