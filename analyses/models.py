"""A video that somebody uploaded, and the analyses of it. The row, not the queue, is what users see."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import analyses.moderation.models
import analyses.webhooks.models  # noqa: F401 (the other models of this app)
from analyses.detection import FAILURE_SENTENCES, REASON_SENTENCES, STAGES, Failure, Reason, Verdict
from analyses.fields import FoldedField
from analyses.querysets import (
    AnalysisQuerySet,
    ExportQuerySet,
    IdempotencyKeyQuerySet,
    ShareLinkQuerySet,
    UploadQuerySet,
)

if TYPE_CHECKING:
    from datetime import datetime

NAME_LENGTH = 200
BACKBONE_LENGTH = 40
KEY_LENGTH = 200
PART_SUFFIX = ".part"
COMMENT_LENGTH = 2000


def video_path(video: "Video", filename: str) -> str:
    """A random name: nothing of the uploaded name reaches the file system."""
    return f"videos/{uuid4().hex}.bin"


def proxy_path(video: "Video", filename: str) -> str:
    return f"videos/{uuid4().hex}.mp4"


class Video(models.Model):
    """An uploaded file. ``original_name`` is data to show, never a path.

    ``proxy`` is a copy that browsers can play; ``proxy_due`` while a worker makes it, or finds that the file
    needs none. Without ``file`` it was deleted, by a moderator or by policy, and its results stay.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="videos")
    sha256 = models.CharField("SHA-256", max_length=64, db_index=True)
    original_name = models.CharField(max_length=NAME_LENGTH)
    size_bytes = models.PositiveBigIntegerField()
    file = models.FileField(upload_to=video_path, max_length=200, blank=True)
    proxy = models.FileField(upload_to=proxy_path, max_length=200, blank=True)
    proxy_due = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(name="video_has_bytes", condition=Q(size_bytes__gt=0)),
            models.CheckConstraint(name="video_sha256_is_hex", condition=Q(sha256__regex="^[0-9a-f]{64}$")),
            models.CheckConstraint(name="video_has_a_name", condition=~Q(original_name="")),
        )
        indexes = (
            models.Index(fields=["owner", "size_bytes", "file"], name="video_stored"),
            models.Index(fields=["created_at"], name="video_by_date"),
            models.Index(fields=["proxy_due"], condition=Q(proxy_due=True), name="video_awaits_copy"),
        )

    def __str__(self) -> str:
        return self.original_name


class State(models.TextChoices):
    """Where an analysis is on its way: queued, running, then one of the other three for good."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


FILTERED = ("state", "verdict", "model_name")
NO_SCORE = -1.0
"""Sorts what has no probability behind all that has one."""
UNFINISHED = (State.QUEUED, State.RUNNING)
VERDICTS = [(str(verdict), verdict.capitalize()) for verdict in Verdict]
FAILURES = [(str(code), code.replace("_", " ").capitalize()) for code in Failure]
STAGE_CHOICES = [(stage, stage.capitalize()) for stage in STAGES]


class Analysis(models.Model):
    """One look at one video.

    ``attempts`` counts the times that this clip killed or overran the process that analyses it, ``losses``
    the times that the worker was lost through no fault of the clip. While it runs, ``claimed_by`` names the
    worker, ``heartbeat_at`` is its last sign of life, and ``live_scores`` are those of the frames so far
    (``analyses.live``). ``backbone`` and ``stability`` are what it was asked for: the registry's name of a
    model, or nothing for the one that the settings name; and whether the verdict is checked on re-encoded and
    halved copies.

    ``document`` is the detector's result document; lists never load it, so what they show of it stands in
    columns: ``duration_s``, and ``thumbnail``, the name of an evidence image. ``name_key`` and ``score_key``
    are what lists sort and search by.
    """

    State = State

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="analyses")
    video = models.ForeignKey(Video, on_delete=models.PROTECT, related_name="analyses")
    backbone = models.CharField(max_length=BACKBONE_LENGTH, blank=True)
    stability = models.BooleanField(_("stability check"), default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    stage = models.CharField(max_length=10, choices=STAGE_CHOICES, blank=True)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    stage_started_at = models.DateTimeField(null=True, blank=True)
    live_scores = models.JSONField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=100, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    failure = models.CharField(max_length=20, choices=FAILURES, blank=True)
    verdict = models.CharField(max_length=12, choices=VERDICTS, blank=True)
    fake_probability = models.FloatField(null=True, blank=True)
    threshold = models.FloatField(null=True, blank=True)
    model_name = models.CharField(max_length=100, blank=True)
    model_version = models.CharField(max_length=50, blank=True)
    model_sha256 = models.CharField(max_length=64, blank=True)
    document = models.JSONField(null=True, blank=True)
    duration_s = models.FloatField(null=True, blank=True)
    thumbnail = models.CharField(max_length=100, blank=True)
    name_key = FoldedField(max_length=NAME_LENGTH, source="video.original_name", editable=False, default="")
    score_key = models.GeneratedField(
        expression=Coalesce("fake_probability", Value(NO_SCORE)),
        output_field=models.FloatField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = AnalysisQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("analyses")
        ordering = ("-created_at", "-id")
        # A history in each of its orders. The columns behind the uuid are those that it is filtered by: rows
        # that don't match are passed over within the index.
        indexes = (
            models.Index(
                fields=["owner", "-created_at", "-uuid", *FILTERED, "name_key"], name="analysis_by_date"
            ),
            models.Index(
                fields=["owner", "-score_key", "-uuid", "created_at", *FILTERED, "name_key"],
                name="analysis_by_score",
            ),
            models.Index(
                fields=["owner", "name_key", "uuid", "created_at", *FILTERED], name="analysis_by_name"
            ),
            # The same orders over everybody's results, for moderators; the first one is the queue's too.
            models.Index(
                fields=["state", "-created_at", "-uuid", "owner", "verdict", "name_key"],
                name="analysis_of_all_by_date",
            ),
            models.Index(
                fields=["state", "-score_key", "-uuid", "owner", "verdict", "name_key"],
                name="analysis_of_all_by_score",
            ),
            models.Index(
                fields=["state", "name_key", "uuid", "owner", "verdict"], name="analysis_of_all_by_name"
            ),
            models.Index(fields=["owner", "state"], name="analysis_unfinished"),
            models.Index(fields=["owner", "model_name"], name="analysis_models"),
            models.Index(fields=["started_at"], name="analysis_started"),
            models.Index(fields=["finished_at"], name="analysis_finished"),
        )
        constraints = (
            models.CheckConstraint(name="analysis_state_is_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(name="analysis_stage_is_known", condition=Q(stage__in=["", *STAGES])),
            models.CheckConstraint(
                name="analysis_verdict_is_known", condition=Q(verdict__in=["", *map(str, Verdict)])
            ),
            models.CheckConstraint(
                name="analysis_failure_is_known", condition=Q(failure__in=["", *map(str, Failure)])
            ),
            models.CheckConstraint(
                name="analysis_probability_in_range",
                condition=Q(fake_probability__isnull=True) | Q(fake_probability__range=(0, 1)),
            ),
            models.CheckConstraint(
                name="analysis_threshold_in_range",
                condition=Q(threshold__isnull=True) | Q(threshold__gt=0.5, threshold__lt=1),
            ),
            models.CheckConstraint(
                name="analysis_done_has_a_result",
                condition=~Q(state="done")
                | (
                    ~Q(verdict="")
                    & ~Q(model_version="")
                    & ~Q(model_sha256="")
                    & Q(document__isnull=False, threshold__isnull=False, finished_at__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="analysis_verdict_only_when_done", condition=Q(verdict="") | Q(state="done")
            ),
            models.CheckConstraint(
                name="analysis_failed_has_a_code",
                condition=~Q(state__in=["failed", "cancelled"])
                | (~Q(failure="") & Q(finished_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="analysis_running_is_claimed",
                condition=~Q(state="running")
                | (~Q(claimed_by="") & Q(heartbeat_at__isnull=False, started_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="analysis_live_scores_only_while_running",
                condition=Q(live_scores__isnull=True) | Q(state="running"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.uuid} ({self.state})"

    def get_absolute_url(self) -> str:
        return reverse("analysis", args=[self.uuid])

    @property
    def is_finished(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def is_done(self) -> bool:
        return self.state == State.DONE

    @property
    def awaits_proxy(self) -> bool:
        """Whether a copy that browsers can play may still come. A worker that was lost makes none."""
        if not self.is_done or not self.video.proxy_due:
            return False
        return _seconds(self.finished_at or timezone.now(), None) < settings.ANALYSIS_TIMEOUT_S

    @property
    def failure_sentence(self) -> str:
        """What went wrong, in one plain sentence; empty where nothing did."""
        return FAILURE_SENTENCES[Failure(self.failure)] if self.failure else ""

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """The result's reason codes, each with its sentence."""
        codes: list[Any] = (self.document or {}).get("reasons", [])
        return [(code, REASON_SENTENCES[Reason(code)]) for code in codes]

    @property
    def queue_position(self) -> int | None:
        """1 for the analysis that is next; None once it is claimed."""
        if self.state != State.QUEUED:
            return None
        return type(self).objects.queued_before(self).count() + 1

    @property
    def seconds_waiting(self) -> float:
        """From the upload until a worker took it (or until now, or until it ended untaken)."""
        return _seconds(self.created_at, self.started_at or self.finished_at)

    @property
    def seconds_running(self) -> float:
        """Since a worker took it, until now or its end."""
        return _seconds(self.started_at, self.finished_at) if self.started_at else 0.0

    @property
    def seconds_in_stage(self) -> float:
        """Since the present stage began."""
        return _seconds(self.stage_started_at, None) if self.stage_started_at else 0.0

    @property
    def progress_percent(self) -> int | None:
        """Of the present stage; None where its length isn't known."""
        if not self.progress_total:
            return None
        return min(100, round(100 * self.progress_done / self.progress_total))


class Upload(models.Model):
    """A file on its way in, piece by piece (``analyses.resumable``).

    So many bytes of its file count; the rest of what is there may be half a piece. In the end it is an
    analysis, or refused with a failure code, and has no file any more.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    original_name = models.CharField(max_length=NAME_LENGTH)
    size_bytes = models.PositiveBigIntegerField()
    received_bytes = models.PositiveBigIntegerField(default=0)
    backbone = models.CharField(max_length=BACKBONE_LENGTH, blank=True)
    stability = models.BooleanField(_("stability check"), default=False)
    analysis = models.ForeignKey(
        Analysis, null=True, blank=True, on_delete=models.CASCADE, related_name="uploads"
    )
    refusal = models.CharField(max_length=20, choices=FAILURES, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(name="upload_has_bytes", condition=Q(size_bytes__gt=0)),
            models.CheckConstraint(
                name="upload_received_no_more_than_it_has",
                condition=Q(received_bytes__lte=models.F("size_bytes")),
            ),
            models.CheckConstraint(
                name="upload_refused_is_no_analysis", condition=Q(refusal="") | Q(analysis__isnull=True)
            ),
            models.CheckConstraint(
                name="upload_analysed_is_complete",
                condition=Q(analysis__isnull=True) | Q(received_bytes=models.F("size_bytes")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.original_name} ({self.received_bytes} of {self.size_bytes} bytes)"

    @property
    def is_open(self) -> bool:
        """Whether more of it may come."""
        return self.analysis_id is None and not self.refusal and self.expires_at > timezone.now()

    @property
    def path(self) -> Path:
        """Where its bytes are kept, outside of what the site serves."""
        return Path(settings.FILE_UPLOAD_TEMP_DIR) / f"{self.uuid}{PART_SUFFIX}"


class IdempotencyKey(models.Model):
    """A request of the API that is answered once (``analyses.idempotency``). No ``status``: under way."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="idempotency_keys"
    )
    key = models.CharField(max_length=KEY_LENGTH)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    headers = models.JSONField(default=dict)
    body = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_is_its_owners_once"),
        )

    def __str__(self) -> str:
        return self.key


class ShareLink(models.Model):
    """Shows one result, read-only, to whoever has the link, until it expires or is revoked.

    The token is not kept, only its SHA-256: who reads the database can't follow the links in it.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="share_links")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="share_links"
    )
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    shows_name = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_viewed_at = models.DateTimeField(null=True, blank=True)
    views = models.PositiveIntegerField(default=0)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                name="share_link_sha256_is_hex", condition=Q(token_sha256__regex="^[0-9a-f]{64}$")
            ),
            models.CheckConstraint(
                name="share_link_expires_later", condition=Q(expires_at__gt=F("created_at"))
            ),
        )

    def __str__(self) -> str:
        return str(self.uuid)


class Dispute(models.Model):
    """What an owner thinks of a verdict. It never changes the result, which stays on record beside it."""

    class Opinion(models.TextChoices):
        REAL = "real", _("Real")
        FAKE = "fake", _("Fake")
        UNSURE = "unsure", _("Can’t say")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        RESOLVED = "resolved", _("Answered")

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="disputes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="disputes")
    opinion = models.CharField(max_length=10, choices=Opinion.choices)
    comment = models.TextField(blank=True, max_length=COMMENT_LENGTH)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, max_length=COMMENT_LENGTH)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=["state", "created_at"], name="dispute_queue"),)
        constraints = (
            models.CheckConstraint(
                name="dispute_opinion_is_known", condition=Q(opinion__in=["real", "fake", "unsure"])
            ),
            models.CheckConstraint(
                name="dispute_state_is_known", condition=Q(state__in=["open", "withdrawn", "resolved"])
            ),
            models.CheckConstraint(
                name="dispute_resolved_has_a_time",
                condition=Q(state="resolved", resolved_at__isnull=False)
                | (~Q(state="resolved") & Q(resolved_at__isnull=True)),
            ),
            models.UniqueConstraint(
                fields=["analysis", "author"], condition=Q(state="open"), name="dispute_one_open"
            ),
        )

    def __str__(self) -> str:
        return f"{self.uuid} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class AnalysisStart(models.Model):
    """An analysis that counts against its owner's quotas of a day (``analyses.quotas``), also once deleted.

    ``owner`` is who asked for it; ``seconds`` the length of the video, once that is known.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="analysis_starts"
    )
    analysis = models.UUIDField(unique=True)
    seconds = models.FloatField(default=0.0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=["owner", "created_at"], name="analysis_start_of_day"),)
        constraints = (
            models.CheckConstraint(name="analysis_start_has_a_length", condition=Q(seconds__gte=0)),
        )

    def __str__(self) -> str:
        return f"{self.analysis} ({self.created_at:%Y-%m-%d %H:%M})"


def export_path(export: "Export", filename: str) -> str:
    return f"exports/{uuid4().hex}{export.suffix}"


class ExportState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Being written")
    DONE = "done", _("Ready")
    FAILED = "failed", _("Failed")


class ExportKind(models.TextChoices):
    HISTORY_CSV = "history_csv", _("History as CSV")
    ACCOUNT = "account", _("All your data")
    ACCOUNT_VIDEOS = "account_videos", _("All your data and videos")


ACCOUNT_KINDS = (ExportKind.ACCOUNT, ExportKind.ACCOUNT_VIDEOS)


class Export(models.Model):
    """A file that a worker makes for one user alone, and that expires.

    ``filters`` are the query parameters of the history page, for an export of it. ``rows`` counts those
    written so far, of ``total``. ``losses``: how often its worker was lost. ``claimed_by`` and
    ``heartbeat_at`` are as in an analysis.
    """

    State = ExportState

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports")
    kind = models.CharField(max_length=20, choices=ExportKind.choices, default=ExportKind.HISTORY_CSV)
    state = models.CharField(max_length=10, choices=ExportState.choices, default=ExportState.QUEUED)
    filters = models.JSONField(default=dict, blank=True)
    file = models.FileField(upload_to=export_path, max_length=200, blank=True)
    rows = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=100, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=["owner", "-created_at"], name="export_list"),)
        constraints = (
            models.CheckConstraint(name="export_state_is_known", condition=Q(state__in=ExportState.values)),
            models.CheckConstraint(name="export_kind_is_known", condition=Q(kind__in=ExportKind.values)),
            models.CheckConstraint(
                name="export_done_has_a_file",
                condition=~Q(state="done")
                | (~Q(file="") & Q(finished_at__isnull=False, expires_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="export_running_is_claimed",
                condition=~Q(state="running") | (~Q(claimed_by="") & Q(heartbeat_at__isnull=False)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.uuid} ({self.state})"

    @property
    def is_done(self) -> bool:
        return self.state == ExportState.DONE

    @property
    def is_archive(self) -> bool:
        """Whether it is a ZIP of everything, not a table. What it counts is analyses all the same."""
        return self.kind in ACCOUNT_KINDS

    @property
    def suffix(self) -> str:
        return ".zip" if self.is_archive else ".csv"

    @property
    def is_finished(self) -> bool:
        return self.state in (ExportState.DONE, ExportState.FAILED)


def _seconds(start: "datetime", end: "datetime | None") -> float:
    return max(0.0, ((end or timezone.now()) - start).total_seconds())
