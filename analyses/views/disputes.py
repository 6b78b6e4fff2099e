"""“I think this is wrong”: said by the owner of a result, and taken back."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from analyses import disputes
from analyses.access import get_own_analysis
from analyses.forms import DisputeForm
from analyses.models import Analysis, Dispute
from analyses.views.requests import UserRequest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def analysis_dispute(request: UserRequest, uuid: UUID) -> HttpResponse:
    """The form, which stands on the result's page too."""
    analysis = _disputable(request, uuid)
    form = DisputeForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        context = {"analysis": analysis, "dispute_form": form}
        return render(request, "analyses/dispute.html", context, status=400 if form.is_bound else 200)
    try:
        disputes.open_dispute(analysis=analysis, author=request.user, **form.cleaned_data)
    except disputes.DisputeRefused as refused:
        messages.warning(request, str(refused))
    except Analysis.DoesNotExist as error:
        raise Http404 from error
    else:
        messages.success(request, gettext("Thank you. The moderators of this site will read it."))
    return redirect(f"{analysis.get_absolute_url()}#dispute")


@login_required
@require_POST
def dispute_withdraw(request: UserRequest, uuid: UUID) -> HttpResponse:
    analysis = _disputable(request, uuid)
    dispute = analysis.disputes.filter(author=request.user, state=Dispute.State.OPEN).first()
    if dispute is not None:
        disputes.withdraw_dispute(dispute=dispute)
        messages.success(request, gettext("You took it back."))
    return redirect(f"{analysis.get_absolute_url()}#dispute")


def _disputable(request: UserRequest, uuid: UUID) -> Analysis:
    analysis = get_own_analysis(request.user, uuid)
    if not analysis.is_done:
        raise Http404
    return analysis
