"""The one way to an analysis or an upload: every page, download and media view asks here."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from analyses.models import Analysis, Upload

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


def get_upload(user: "User | AnonymousUser", uuid: UUID) -> Upload:
    """The user's own upload. Raises Http404 for anybody else's as for one that doesn't exist."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        raise Http404
    upload = Upload.objects.for_user(user).select_related("analysis", "owner").filter(uuid=uuid).first()
    if upload is None:
        raise Http404
    return upload


def get_comparable(user: "User | AnonymousUser", uuid: UUID, other: UUID) -> tuple[Analysis, Analysis]:
    """Two different analyses that one person has of the same file. Raises Http404 for any others."""
    one, two = get_analysis(user, uuid), get_analysis(user, other)
    same = one.owner_id == two.owner_id and one.video.sha256 == two.video.sha256
    if one == two or not same:
        raise Http404
    return one, two
