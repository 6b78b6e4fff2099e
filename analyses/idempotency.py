"""A request that is sent twice under one key does its work once, and is answered alike both times."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from analyses.models import KEY_LENGTH, IdempotencyKey

__all__ = ["KEY_LENGTH", "Answer", "KeyInUse", "KeyReused", "answer_once"]

GIVEN_UP_AFTER = timedelta(minutes=10)
"""A request that has not been answered by then was lost with its process."""


class KeyReused(Exception):
    """The key was sent with another request."""


class KeyInUse(Exception):
    """The first request with this key is still under way."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is plain JSON."""

    status: int
    headers: dict[str, str]
    body: Any


def answer_once(*, owner: User, key: str, fingerprint: str, act: Callable[[], Answer]) -> tuple[Answer, bool]:
    """What ``act`` answers, or what it answered to the same request before, and whether that is so.

    Nothing is kept of a request that fails, so that it can be sent again. Raises :class:`KeyReused` and
    :class:`KeyInUse`.
    """
    row = _take(owner, key, fingerprint)
    if row is None:
        return _earlier(owner, key, fingerprint), True
    try:
        answer = act()
    except BaseException:
        IdempotencyKey.objects.filter(pk=row.pk).delete()
        raise
    IdempotencyKey.objects.filter(pk=row.pk).update(
        status=answer.status, headers=answer.headers, body=answer.body
    )
    return answer, False


def _take(owner: User, key: str, fingerprint: str) -> IdempotencyKey | None:
    """The key's row for the first who asks, None for all others."""
    same = IdempotencyKey.objects.filter(owner=owner, key=key)
    same.expired().delete()
    same.filter(status__isnull=True, created_at__lt=timezone.now() - GIVEN_UP_AFTER).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(owner=owner, key=key, fingerprint=fingerprint)
    except IntegrityError:
        return None


def _earlier(owner: User, key: str, fingerprint: str) -> Answer:
    row = IdempotencyKey.objects.filter(owner=owner, key=key).first()
    if row is not None and row.fingerprint != fingerprint:
        raise KeyReused(key)
    if row is None or row.status is None:
        raise KeyInUse(key)
    return Answer(row.status, row.headers, row.body)
