"""Tokens of the API: made, used, revoked.

A token is told once, when it is made. The database holds its hash, so nobody can read it there.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from accounts.locks import take_turn
from accounts.models import ApiToken, Scope, User

MOST_TOKENS = 50
"""That one user may have."""
USE_NOTED_EVERY = timedelta(minutes=1)


class TooManyTokens(Exception):
    """This user has as many tokens as one may have."""


def create_token(
    *, owner: User, name: str, scope: Scope, lifetime: timedelta | None = None
) -> tuple[ApiToken, str]:
    """A new token with the text to send, which nobody can find out later.

    Raises :class:`TooManyTokens`, and PermissionDenied for a user who was suspended meanwhile.
    """
    digest, text = get_digest_token()
    with transaction.atomic():
        take_turn(user=owner)  # two requests at once count one after the other
        if ApiToken.objects.for_user(owner).count() >= MOST_TOKENS:
            raise TooManyTokens
        token = ApiToken.objects.create(
            digest=digest,
            token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH],
            user=owner,
            name=name,
            scope=scope,
            expiry=timezone.now() + lifetime if lifetime else None,
        )
    return token, text


def revoke_token(*, token: ApiToken) -> None:
    """From now on it opens nothing."""
    ApiToken.objects.filter(pk=token.pk).delete()


def revoke_all(user: User) -> int:
    """Everything at the API that a suspension must end. How many tokens there were."""
    deleted, _ = ApiToken.objects.for_user(user).delete()
    return deleted


def note_use(*, token: ApiToken) -> None:
    """Write down that it was used, at most once a minute."""
    now = timezone.now()
    earliest = now - USE_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at < earliest:
        ApiToken.objects.filter(pk=token.pk).unused_since(earliest).update(last_used_at=now)
