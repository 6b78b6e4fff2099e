"""Making and revoking the links that show a result to others."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from analyses import sharing
from analyses.access import get_own_analysis
from analyses.forms import ShareForm
from analyses.models import Analysis, ShareLink
from analyses.views.requests import UserRequest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def analysis_share(request: UserRequest, uuid: UUID) -> HttpResponse:
    """The form; on POST the new link, which this one answer shows and no other."""
    analysis = _shareable(request, uuid)
    form = ShareForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        context = {"analysis": analysis, "share_form": form, "share_links": analysis.share_links.active()}
        return render(request, "analyses/share.html", context, status=400 if form.is_bound else 200)
    try:
        link, token = sharing.create_share_link(
            analysis=analysis, created_by=request.user, **form.cleaned_data
        )
    except Analysis.DoesNotExist as error:
        raise Http404 from error
    address = request.build_absolute_uri(reverse("shared", args=[token]))
    context = {"analysis": analysis, "link": link, "address": address}
    return render(request, "analyses/share_made.html", context, status=201)


@login_required
@require_POST
def share_revoke(request: UserRequest, uuid: UUID, link: UUID) -> HttpResponse:
    analysis = _shareable(request, uuid)
    found: ShareLink | None = analysis.share_links.filter(uuid=link).first()
    if found is None:
        raise Http404
    sharing.revoke_share_link(link=found)
    messages.success(request, gettext("The link was revoked. Whoever has it sees nothing any more."))
    return redirect(f"{analysis.get_absolute_url()}#share")


def _shareable(request: UserRequest, uuid: UUID) -> Analysis:
    analysis = get_own_analysis(request.user, uuid)
    if not analysis.is_done:
        raise Http404
    return analysis
