"""Links that show one result to people without an account: made, revoked, counted."""

from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.locks import take_turn
from accounts.models import User
from analyses.models import Analysis, ShareLink

TOKEN_BYTES = 32
LIFETIMES = (1, 7, 30)
"""Days."""
NAMELESS = _("Shared clip")


def token_hash(token: str) -> str:
    """What is stored of a token. It is random and long, so that a plain hash can't be turned round."""
    return sha256(token.encode()).hexdigest()


def create_share_link(
    *, analysis: Analysis, created_by: User, days: int, shows_name: bool
) -> tuple[ShareLink, str]:
    """A new link to a finished result, and its token, which nobody can ask for again.

    Raises ValueError for a lifetime that isn't one of ``LIFETIMES``, and without a result; where the analysis
    was deleted meanwhile ``Analysis.DoesNotExist``, and PermissionDenied where its maker was suspended.
    """
    if days not in LIFETIMES:
        raise ValueError(f"a link lives for one of {LIFETIMES} days, not {days}")
    if not analysis.is_done:
        raise ValueError("there is no result to share")
    token, now = token_urlsafe(TOKEN_BYTES), timezone.now()
    with transaction.atomic():
        take_turn(user=created_by)
        Analysis.objects.lock_row(analysis.pk)
        link = ShareLink.objects.create(
            analysis=analysis,
            created_by=created_by,
            token_sha256=token_hash(token),
            shows_name=shows_name,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
    return link, token


def revoke_share_link(*, link: ShareLink) -> None:
    """From now on the link shows nothing. One that was revoked before keeps its time."""
    ShareLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())


def count_view(*, link: ShareLink) -> None:
    ShareLink.objects.filter(pk=link.pk).update(views=F("views") + 1, last_viewed_at=timezone.now())


def shared_analysis(link: ShareLink) -> Analysis:
    """As strangers may see it, without its name unless the link shows that. Never to be saved."""
    analysis = link.analysis
    analysis.video.proxy_due = False
    if not link.shows_name:
        analysis.video.original_name = gettext(NAMELESS)
        analysis.document = {**(analysis.document or {}), "path": NAMELESS}
    return analysis
