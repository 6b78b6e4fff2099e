"""Reporting a result to the moderators: by whoever has a share link, and by whoever may see it anyway.

A stranger's page keeps its own address from other sites, as all pages do, and not from this one: a browser
that hides where a form was sent from can't prove that it was sent from here.
"""

from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from analyses import sharing
from analyses.access import get_analysis, get_share_link
from analyses.models import Analysis
from analyses.moderation.complaints import complain
from analyses.moderation.forms import ComplaintForm
from analyses.views.requests import UserRequest
from analyses.views.shared import unlisted

ACTION = "report_result"


@require_http_methods(["GET", "HEAD", "POST"])
def shared_report(request: HttpRequest, token: str) -> HttpResponseBase:
    response = _shared_report(request, token)
    response["Referrer-Policy"] = "same-origin"
    return response


@unlisted
def _shared_report(request: HttpRequest, token: str) -> HttpResponse:
    analysis = sharing.shared_analysis(get_share_link(token))
    author = request.user if isinstance(request.user, User) else None
    template = "analyses/shared_report.html"
    return _answer(request, analysis, author, template, {"share_token": token}) or redirect("shared", token)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def analysis_report(request: UserRequest, uuid: UUID) -> HttpResponse:
    analysis = get_analysis(request.user, uuid)
    if not analysis.is_done:
        raise Http404
    return _answer(request, analysis, request.user, "analyses/report.html", {}) or redirect(analysis)


def _answer(
    request: HttpRequest, analysis: Analysis, author: User | None, template: str, context: dict[str, object]
) -> HttpResponse | None:
    """The form, until one is taken: then None."""
    form = ComplaintForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        context |= {"analysis": analysis, "form": form}
        return render(request, template, context, status=400 if form.is_bound else 200)
    if not ratelimit.consume(request, action=ACTION):
        return render(request, "429.html", status=429)
    if not form.is_of_a_program:
        complain(analysis=analysis, author=author, **form.said)
    messages.success(request, _("Thank you. The moderators of this site will read it."))
    return None
