"""What a user was told: decisions about their results."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from analyses.access import get_notice
from analyses.moderation.models import Notice
from analyses.moderation.notices import mark_read, words_of
from analyses.views.requests import UserRequest

MOST_SHOWN = 100


@login_required
@require_safe
@never_cache
def notices(request: UserRequest) -> HttpResponse:
    rows = Notice.objects.with_earlier().filter(user=request.user)
    rows = rows.select_related("decision__analysis__video").defer("decision__analysis__document")
    entries = [(notice, words_of(notice)) for notice in rows[:MOST_SHOWN]]
    context = {"entries": entries, "has_unread": any(notice.read_at is None for notice, _ in entries)}
    return render(request, "moderation/notices.html", context)


@login_required
@require_POST
def notices_read(request: UserRequest) -> HttpResponse:
    mark_read(user=request.user)
    messages.success(request, gettext("All marked as read."))
    return redirect("notices")


@login_required
@require_POST
def notice_open(request: UserRequest, uuid: UUID) -> HttpResponse:
    """Mark it as read and go to what it is about."""
    notice = get_notice(request.user, uuid)
    mark_read(user=request.user, uuid=notice.uuid)
    return redirect(notice.decision.analysis)
