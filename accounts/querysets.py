"""The reads of tokens that pages and the API share."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from accounts.models import ApiToken, User  # noqa: F401 (a base class names it as text)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def for_user(self, user: "User") -> Self:
        return self.filter(user=user)

    def unused_since(self, moment: datetime) -> Self:
        return self.filter(Q(last_used_at__isnull=True) | Q(last_used_at__lt=moment))


ApiTokenManager = models.Manager.from_queryset(ApiTokenQuerySet)
