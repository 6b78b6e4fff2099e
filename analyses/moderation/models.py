"""A case is what moderators know of one analysis; a decision is what one of them said of it, for good."""

from typing import NoReturn
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.managers import AppendOnly

REASON_LENGTH = 2000


class Kind(models.TextChoices):
    CONFIRM = "confirm", _("The model is right")
    OVERRULE_REAL = "overrule_real", _("It is real")
    OVERRULE_FAKE = "overrule_fake", _("It is manipulated")
    OVERRULE_UNKNOWN = "overrule_unknown", _("It can’t be told")
    HIDE = "hide", _("Hide it from share links")
    UNHIDE = "unhide", _("Show it by share links again")
    DELETE_FILE = "delete_file", _("Delete the video file")
    SUSPEND_ACCOUNT = "suspend_account", _("Suspend the owner’s account")
    DECLINE = "decline", _("Decline what was proposed")


class Label(models.TextChoices):
    """What a person found the clip to be."""

    REAL = "real", _("Real")
    FAKE = "fake", _("Manipulated")
    UNKNOWN = "unknown", _("Can’t be told")


OVERRULES: dict[str, Label] = {
    Kind.OVERRULE_REAL: Label.REAL,
    Kind.OVERRULE_FAKE: Label.FAKE,
    Kind.OVERRULE_UNKNOWN: Label.UNKNOWN,
}
JUDGEMENTS = (Kind.CONFIRM, *OVERRULES)
"""Kinds that say what the clip is."""


class DecisionQuerySet(models.QuerySet["Decision"]):
    def update(self, **fields: object) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class Decision(models.Model):
    """Never edited, and never deleted but with its analysis. The audit log keeps that it was there.

    ``supersedes`` is the decision that its moderator had before them. No two supersede the same one, so of
    two who decide at the same moment one fails. One that ``needs_second`` is in force as soon as another
    ``seconds`` it, and never if a different one follows.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    analysis = models.ForeignKey("analyses.Analysis", on_delete=models.CASCADE, related_name="decisions")
    moderator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="decisions"
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    reason = models.TextField(blank=True, max_length=REASON_LENGTH)
    needs_second = models.BooleanField(default=False)
    supersedes = models.OneToOneField(
        "self", null=True, on_delete=models.CASCADE, related_name="superseded_by"
    )
    seconds = models.OneToOneField("self", null=True, on_delete=models.CASCADE, related_name="seconded_by")
    created_at = models.DateTimeField(default=timezone.now)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        indexes = (models.Index(fields=["analysis", "-id"], name="decision_of_analysis"),)
        constraints = (
            models.CheckConstraint(name="decision_kind_is_known", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(
                name="decision_has_a_reason",
                condition=Q(kind__in=["confirm", "decline"]) | ~Q(reason="") | Q(seconds__isnull=False),
            ),
            models.CheckConstraint(
                name="decision_seconds_what_it_follows",
                condition=Q(seconds__isnull=True) | Q(seconds=F("supersedes"), needs_second=False),
            ),
            models.UniqueConstraint(
                fields=["analysis"], condition=Q(supersedes__isnull=True), name="decision_one_first"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"

    def save(self, *args: object, **options: object) -> None:
        if self.pk is not None:
            raise AppendOnly
        super().save(force_insert=True)

    def delete(self, *args: object, **options: object) -> NoReturn:
        raise AppendOnly

    @property
    def is_in_force(self) -> bool:
        """Whether it was ever more than a proposal."""
        return not self.needs_second or hasattr(self, "seconded_by")


class CaseQuerySet(models.QuerySet["Case"]):
    def held(self) -> "CaseQuerySet":
        return self.filter(held_by__isnull=False, held_until__gt=timezone.now())


class Case(models.Model):
    """How things stand with one analysis; made when a moderator first touches it.

    ``held_by`` has claimed it until ``held_until``. ``last`` is the newest decision, which ``awaits_second``
    while it is only proposed. ``judgement`` is the decision in force that says what the clip is, and
    ``label`` what that is; ``hiding`` is the one that hides it. Since ``kept_since`` no policy deletes it.
    """

    analysis = models.OneToOneField("analyses.Analysis", on_delete=models.CASCADE, related_name="case")
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="held_cases"
    )
    held_until = models.DateTimeField(null=True)
    last = models.ForeignKey(Decision, null=True, on_delete=models.CASCADE, related_name="+")
    awaits_second = models.BooleanField(default=False, db_index=True)
    judgement = models.ForeignKey(Decision, null=True, on_delete=models.CASCADE, related_name="+")
    label = models.CharField(max_length=10, choices=Label.choices, blank=True, db_index=True)
    hiding = models.ForeignKey(Decision, null=True, on_delete=models.CASCADE, related_name="+")
    kept_since = models.DateTimeField(null=True)
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    kept_reason = models.TextField(blank=True, max_length=REASON_LENGTH)

    objects = CaseQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(name="case_label_is_known", condition=Q(label__in=["", *Label.values])),
            models.CheckConstraint(
                name="case_label_has_a_judgement",
                condition=Q(label="", judgement__isnull=True) | (~Q(label="") & Q(judgement__isnull=False)),
            ),
            models.CheckConstraint(
                name="case_kept_for_a_reason",
                condition=Q(kept_since__isnull=True, kept_reason="")
                | (Q(kept_since__isnull=False) & ~Q(kept_reason="")),
            ),
        )

    def __str__(self) -> str:
        return f"case of {self.analysis_id}"

    @property
    def is_held(self) -> bool:
        return bool(self.held_by_id and self.held_until and self.held_until > timezone.now())

    @property
    def is_open(self) -> bool:
        """Nobody has said what the clip is, nor proposed anything."""
        return not (self.label or self.awaits_second)

    @property
    def is_overruled(self) -> bool:
        return self.judgement is not None and self.judgement.kind in OVERRULES

    @property
    def is_hidden(self) -> bool:
        return self.hiding_id is not None

    @property
    def is_kept(self) -> bool:
        return self.kept_since is not None


class NoticeQuerySet(models.QuerySet["Notice"]):
    def with_earlier(self) -> "NoticeQuerySet":
        """Each with ``earlier``: the kind of the judgement that stood before its decision, None for none."""
        stood = Decision.objects.filter(
            analysis=OuterRef("decision__analysis"),
            pk__lt=OuterRef("decision"),
            kind__in=JUDGEMENTS,
            needs_second=False,
        )
        return self.annotate(earlier=Subquery(stood.order_by("-pk").values("kind")[:1]))

    def unread(self) -> "NoticeQuerySet":
        return self.filter(read_at__isnull=True)

    def mail_due(self) -> "NoticeQuerySet":
        return self.filter(mail_due_at__lte=timezone.now())


class Notice(models.Model):
    """Tells an owner of a decision, in the product and by e-mail.

    ``mail_due_at``: when the letter is to be tried, or tried again; none once it is sent or given up.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="notices")
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)
    mail_due_at = models.DateTimeField(null=True, default=timezone.now, db_index=True)
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        indexes = (models.Index(fields=["user", "read_at"], name="notice_unread"),)

    def __str__(self) -> str:
        return str(self.uuid)


class Concern(models.TextChoices):
    """Why somebody reports a result."""

    WRONG = "wrong", _("The verdict is wrong")
    PRIVACY = "privacy", _("It shows me or somebody else who did not agree to it")
    UNLAWFUL = "unlawful", _("It is against the law, or it hurts somebody")
    OTHER = "other", _("Something else")


class ComplaintQuerySet(models.QuerySet["Complaint"]):
    def open(self) -> "ComplaintQuerySet":
        return self.filter(closed_at__isnull=True)


class Complaint(models.Model):
    """A report by somebody who saw a result: with a share link, or logged in.

    Of a stranger nothing is kept but what they wrote: there is no ``author``.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    analysis = models.ForeignKey("analyses.Analysis", on_delete=models.CASCADE, related_name="complaints")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="complaints"
    )
    concern = models.CharField(max_length=10, choices=Concern.choices)
    comment = models.TextField(blank=True, max_length=REASON_LENGTH)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = ComplaintQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=["analysis", "closed_at"], name="complaint_of_analysis"),)
        constraints = (
            models.CheckConstraint(
                name="complaint_concern_is_known", condition=Q(concern__in=Concern.values)
            ),
            models.UniqueConstraint(
                fields=["analysis", "author"],
                condition=Q(closed_at__isnull=True, author__isnull=False),
                name="complaint_one_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.concern} {self.uuid}"
