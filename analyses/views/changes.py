"""What a user does to an analysis: cancel it, delete it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from analyses import services
from analyses.access import get_analysis
from analyses.views.requests import UserRequest


@login_required
@require_POST
def analysis_cancel(request: UserRequest, uuid: UUID) -> HttpResponse:
    analysis = get_analysis(request.user, uuid)
    services.request_cancel(analysis=analysis)
    return redirect(analysis)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def analysis_delete(request: UserRequest, uuid: UUID) -> HttpResponse:
    """Asks first; deletes on POST."""
    analysis = get_analysis(request.user, uuid)
    if request.method != "POST":
        return render(request, "analyses/delete.html", {"analysis": analysis})
    name = analysis.video.original_name
    services.delete_analysis(analysis=analysis)
    messages.success(request, f"“{name}” and its analysis were deleted.")
    return redirect("analyses")
