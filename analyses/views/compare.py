"""Two results of the same file side by side."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analyses.access import get_comparable
from analyses.comparison import comparison_of
from analyses.views.requests import UserRequest


@login_required
@require_safe
@never_cache
def analysis_compare(request: UserRequest, uuid: UUID, other: UUID) -> HttpResponse:
    """The older one stands left. One that has no result has a page of its own, which says why."""
    pair = sorted(get_comparable(request.user, uuid, other), key=lambda analysis: analysis.created_at)
    without = next((analysis for analysis in pair if not analysis.is_done), None)
    if without is not None:
        return redirect(without)
    left, right = pair
    context = {
        "left": left,
        "right": right,
        "comparison": comparison_of(left, right),
        "is_own": left.owner_id == request.user.pk,
        "analysis": left,
    }
    return render(request, "analyses/compare.html", context)
