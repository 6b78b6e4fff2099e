"""The reads that pages, worker and reconciler share."""

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import User
    from analyses.models import (  # noqa: F401 (base classes name them as text)
        Analysis,
        Export,
        IdempotencyKey,
        ShareLink,
        Upload,
    )

HEARTBEAT_LIMIT = timedelta(seconds=20)
"""A worker writes at least every two seconds; after so long without a word it is taken for dead. One of this
machine is known to be dead sooner (``analyses.presence``)."""

KEYS_KEPT = timedelta(hours=24)
"""An answer under an Idempotency-Key is given again for so long."""

RECENT = 5
"""Analyses that an estimate of the time left goes by."""


class AnalysisQuerySet(models.QuerySet["Analysis"]):
    def lock_row(self, pk: int) -> None:
        """Nobody deletes it until the transaction ends. Raises ``DoesNotExist`` where somebody did."""
        self.select_for_update(no_key=True).only("pk").get(pk=pk)

    def for_user(self, user: "User") -> Self:
        """The user's own analyses."""
        return self.filter(owner=user)

    def visible_to(self, user: "User") -> Self:
        """The user's own analyses, or all of them for a moderator."""
        return self if user.is_staff else self.for_user(user)

    def queued(self) -> Self:
        return self.filter(state="queued")

    def running(self) -> Self:
        return self.filter(state="running")

    def unfinished(self) -> Self:
        return self.filter(state__in=["queued", "running"])

    def awaited(self) -> Self:
        """Unfinished, and nobody asked to cancel them."""
        return self.unfinished().filter(cancel_requested=False)

    def on_hold(self) -> Self:
        """Those that no policy and no moderator deletes."""
        return self.filter(case__kept_since__isnull=False)

    def stuck(self) -> Self:
        """Running, but the worker that claimed them has gone silent."""
        return self.running().filter(heartbeat_at__lt=timezone.now() - HEARTBEAT_LIMIT)

    def awaiting_copy(self) -> Self:
        """Done, and a copy of the video that browsers can play may still come."""
        since = timezone.now() - timedelta(seconds=settings.ANALYSIS_TIMEOUT_S)
        from analyses.models import Video  # which names these querysets

        due = Video.objects.filter(proxy_due=True)  # few, and looked for first, unlike in a join
        return self.filter(state="done", video__in=due, finished_at__gt=since)

    def recent_timings(self) -> list[dict[str, float]]:
        """How long each step took, of the last few analyses that were done. Nothing else of them is read."""
        rows = self.filter(state="done").order_by("-created_at").values_list("document__timing", flat=True)
        return [timing for timing in rows[:RECENT] if timing]

    def with_video(self) -> Self:
        return self.select_related("video")

    def of_same_file(self, analysis: "Analysis") -> Self:
        """All analyses that its owner has of the same bytes, under whatever name they were uploaded."""
        return self.filter(owner=analysis.owner_id, video__sha256=analysis.video.sha256)

    def for_list(self) -> Self:
        """With the video, without the result document, which may be large."""
        return self.with_video().defer("document")

    def model_names(self) -> list[str]:
        """The models that scored one of them."""
        names = self.exclude(model_name="").order_by("model_name").values_list("model_name", flat=True)
        return list(names.distinct())

    def queued_before(self, analysis: "Analysis") -> Self:
        return self.queued().filter(created_at__lt=analysis.created_at)


class UploadQuerySet(models.QuerySet["Upload"]):
    def for_user(self, user: "User") -> Self:
        return self.filter(owner=user)

    def open(self) -> Self:
        """More of them may come."""
        return self.filter(analysis__isnull=True, refusal="", expires_at__gt=timezone.now())

    def expired(self) -> Self:
        """Nobody needs to know of them any more, whatever became of them."""
        return self.filter(expires_at__lte=timezone.now())


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def expired(self) -> Self:
        return self.filter(created_at__lt=timezone.now() - KEYS_KEPT)


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def active(self) -> Self:
        """Neither expired nor revoked, and made by somebody who may still log in."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=timezone.now(), created_by__is_active=True)


class ExportQuerySet(models.QuerySet["Export"]):
    def for_user(self, user: "User") -> Self:
        return self.filter(owner=user)

    def queued(self) -> Self:
        return self.filter(state="queued")

    def running(self) -> Self:
        return self.filter(state="running")

    def unfinished(self) -> Self:
        return self.filter(state__in=["queued", "running"])

    def silent(self) -> Self:
        """Being written, but the worker that claimed them has gone silent."""
        return self.running().filter(heartbeat_at__lt=timezone.now() - HEARTBEAT_LIMIT)

    def expired(self) -> Self:
        return self.filter(expires_at__lte=timezone.now())

    def claimed_as(self, export: "Export") -> Self:
        """The row, as long as it is still the claim that ``export`` was made with."""
        return self.running().filter(pk=export.pk, claimed_by=export.claimed_by)
