"""The one way to an analysis, an upload or an export: every page, download and media view asks here."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from analyses.models import Analysis, Export, ShareLink, Upload
from analyses.moderation.models import Notice
from analyses.querysets import AnalysisQuerySet
from analyses.sharing import token_hash
from analyses.webhooks.models import Delivery, Webhook

if TYPE_CHECKING:
    from accounts.models import User


def get_analysis(user: "User | AnonymousUser", uuid: UUID) -> Analysis:
    """The analysis with its video, if this user may see it.

    Raises Http404 for a stranger as for an analysis that doesn't exist, so that nobody learns which it was.
    """
    return _get(user, Analysis.objects.with_video().filter(uuid=uuid))


def get_listed_analysis(user: "User | AnonymousUser", uuid: UUID) -> Analysis:
    """As :func:`get_analysis`, without the result document, for what a list asks many times."""
    return _get(user, Analysis.objects.for_list().filter(uuid=uuid))


def _get(user: "User | AnonymousUser", analyses: AnalysisQuerySet) -> Analysis:
    if isinstance(user, AnonymousUser) or not user.is_active:
        raise Http404
    analysis = analyses.visible_to(user).first()
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


def get_own_analysis(user: "User | AnonymousUser", uuid: UUID) -> Analysis:
    """For what only the owner may do. Raises Http404 for everybody else, moderators too."""
    analysis = get_analysis(user, uuid)
    if analysis.owner_id != user.pk:
        raise Http404
    return analysis


def get_own_analyses(user: "User", uuids: Iterable[UUID]) -> list[Analysis]:
    """Those of the analyses that are the user's, newest first; what was deleted meanwhile is left out.

    Raises Http404 where none of them is.
    """
    found = list(Analysis.objects.for_user(user).for_list().filter(uuid__in=uuids))
    if not found:
        raise Http404
    return found


def get_moderated(user: "User | AnonymousUser", uuid: UUID) -> Analysis:
    """A result, for a moderator. Raises Http404 for everybody else, its owner too."""
    if not user.is_staff:
        raise Http404
    return _get(user, Analysis.objects.select_related("video", "owner").filter(uuid=uuid, state="done"))


def get_notice(user: "User | AnonymousUser", uuid: UUID) -> Notice:
    """The user's own notice. Raises Http404 for anybody else's."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        raise Http404
    notice = Notice.objects.filter(user=user, uuid=uuid).select_related("decision__analysis").first()
    if notice is None:
        raise Http404
    return notice


def get_share_link(token: str) -> ShareLink:
    """The link with its analysis and video. Expired, revoked, hidden and unknown are all the same Http404."""
    links = ShareLink.objects.active().filter(token_sha256=token_hash(token), analysis__state="done")
    links = links.exclude(analysis__case__hiding__isnull=False)
    link = links.select_related("analysis__video").first()
    if link is None:
        raise Http404
    return link


def get_export(user: "User | AnonymousUser", uuid: UUID) -> Export:
    """The user's own export. Raises Http404 for everybody else, moderators too."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        raise Http404
    export = Export.objects.for_user(user).filter(uuid=uuid).first()
    if export is None:
        raise Http404
    return export


def get_webhook(user: "User | AnonymousUser", uuid: UUID) -> Webhook:
    """The user's own webhook. Raises Http404 for everybody else, moderators too."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        raise Http404
    webhook = Webhook.objects.for_user(user).filter(uuid=uuid).first()
    if webhook is None:
        raise Http404
    return webhook


def get_delivery(user: "User | AnonymousUser", uuid: UUID, delivery: UUID) -> Delivery:
    """A delivery of the user's own webhook. Raises Http404 for any other."""
    found: Delivery | None = get_webhook(user, uuid).deliveries.filter(uuid=delivery).first()
    if found is None:
        raise Http404
    return found
