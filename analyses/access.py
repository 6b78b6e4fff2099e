"""The one way to an analysis: every page, download and media view asks here."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from analyses.models import Analysis

if TYPE_CHECKING:
    from accounts.models import User


def get_analysis(user: "User | AnonymousUser", uuid: UUID) -> Analysis:
    """The analysis with its video, if this user may see it.

    Raises Http404 for a stranger as for an analysis that doesn't exist, so that nobody learns which it was.
    """
    if isinstance(user, AnonymousUser) or not user.is_active:
        raise Http404
    analysis = Analysis.objects.visible_to(user).with_video().filter(uuid=uuid).first()
    if analysis is None:
        raise Http404
    return analysis
