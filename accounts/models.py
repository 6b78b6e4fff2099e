"""The user: an e-mail address, no user name; invitations; tokens that stand in for a user; the audit log."""

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, NoReturn

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.managers import AppendOnly, AppendOnlyQuerySet, InvitationQuerySet, UserManager
from accounts.querysets import ApiTokenManager

if TYPE_CHECKING:
    from accounts.knox_types import AbstractAuthToken
else:
    from knox.models import AbstractAuthToken

TOKEN_NAME_LENGTH = 60


class Role(models.TextChoices):
    """What somebody may do. Each may do what those before it may."""

    USER = "user", _("User")
    MODERATOR = "moderator", _("Moderator")
    ADMINISTRATOR = "administrator", _("Administrator")


class User(AbstractBaseUser, PermissionsMixin):
    """``uuid`` is what leaves the database; the integer key never does. Staff are the moderators.

    Who isn't active is suspended. Without a ``time_zone`` theirs is the site's, without a ``language`` the
    browser's. ``session_epoch`` is part of what every session is checked against: those
    that were begun before it was raised are over.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    display_name = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(_("moderator"), default=False)
    time_zone = models.CharField(max_length=63, blank=True)
    language = models.CharField(max_length=16, blank=True)
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (
            models.UniqueConstraint(
                Lower("email"),
                name="accounts_user_email_unique",
                violation_error_message=_("A user with this e-mail address exists already."),
            ),
        )

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower()

    @property
    def role(self) -> Role:
        if self.is_superuser:
            return Role.ADMINISTRATOR
        return Role.MODERATOR if self.is_staff else Role.USER

    def get_session_auth_hash(self) -> str:
        return f"{super().get_session_auth_hash()}.{self.session_epoch}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for earlier in super().get_session_auth_fallback_hash():
            yield f"{earlier}.{self.session_epoch}"

    def get_full_name(self) -> str:
        return self.display_name or self.email

    def get_short_name(self) -> str:
        return self.display_name or self.email


class Scope(models.TextChoices):
    """What a token may do."""

    READ = "read", _("Read")
    WRITE = "write", _("Read and write")


class ApiToken(AbstractAuthToken):
    """Knox keeps ``digest``, the token's SHA-512, and ``token_key``, its first characters, to find it by.

    Without ``expiry`` it is good until it is revoked.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=TOKEN_NAME_LENGTH)
    scope = models.CharField(max_length=5, choices=Scope.choices, default=Scope.READ)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenManager()

    class Meta:
        ordering = ("-created",)
        constraints = (
            models.CheckConstraint(
                name="api_token_scope_is_known", condition=models.Q(scope__in=Scope.values)
            ),
            models.CheckConstraint(name="api_token_has_a_name", condition=~models.Q(name="")),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def has_expired(self) -> bool:
        return self.expiry is not None and self.expiry <= timezone.now()


class Invitation(models.Model):
    """Lets whoever has the link sign up once, with this address, until it expires or is revoked.

    The token is not kept, only its SHA-256.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("e-mail address"))
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="invitations"
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                name="invitation_sha256_is_hex", condition=Q(token_sha256__regex="^[0-9a-f]{64}$")
            ),
            models.CheckConstraint(
                name="invitation_expires_later", condition=Q(expires_at__gt=F("created_at"))
            ),
            models.CheckConstraint(
                name="invitation_accepted_or_revoked",
                condition=Q(accepted_at__isnull=True) | Q(revoked_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > timezone.now()


class AuditEntry(models.Model):
    """What a moderator or an administrator did. Entries are made by ``accounts.audit`` and never change.

    Each holds the hash of the one before, so that a changed or missing entry breaks the chain. No two can
    have the same one before: the chain can't fork. People are named by their UUID, which stays when an
    account is deleted and then names nobody.
    """

    at = models.DateTimeField()
    actor = models.UUIDField(null=True)
    action = models.CharField(max_length=50)
    target_kind = models.CharField(max_length=30)
    target = models.CharField(max_length=64)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    previous_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        verbose_name_plural = _("audit entries")
        indexes = (models.Index(fields=["target_kind", "target"], name="audit_of_target"),)

    def __str__(self) -> str:
        return f"{self.action} {self.target_kind} {self.target}"

    def save(self, *args: object, **options: object) -> None:
        if self.pk is not None:
            raise AppendOnly
        super().save(force_insert=True)

    def delete(self, *args: object, **options: object) -> NoReturn:
        raise AppendOnly
