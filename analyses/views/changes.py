"""What a user does to an analysis: cancel it, run it again, delete it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from analyses import services
from analyses.access import get_analysis
from analyses.forms import OptionsForm
from analyses.models import Analysis, Video
from analyses.refusals import answer_to
from analyses.views.requests import UserRequest


@login_required
@require_POST
def analysis_cancel(request: UserRequest, uuid: UUID) -> HttpResponse:
    analysis = get_analysis(request.user, uuid)
    services.request_cancel(analysis=analysis, by=request.user)
    return redirect(analysis)


@login_required
@require_POST
def analysis_rerun(request: UserRequest, uuid: UUID) -> HttpResponse:
    """Another analysis of the same video, with the model and the checks that the form names."""
    analysis = get_analysis(request.user, uuid)
    form = OptionsForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
        return redirect(analysis)
    try:
        again = services.rerun_analysis(analysis=analysis, asked_by=request.user, **form.cleaned_data)
        return redirect(again)
    except (services.UploadRejected, services.QuotaExceeded) as error:
        problem = answer_to(error).problem
        messages.error(request, f"{problem['message']} {problem['hint']}".strip())
        return redirect(analysis)
    except services.FileGone:
        messages.error(request, _("The video file was deleted. Upload it again to have it analysed."))
        return redirect(analysis)
    except Video.DoesNotExist as error:
        raise Http404 from error


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def analysis_delete(request: UserRequest, uuid: UUID) -> HttpResponse:
    """Asks first; deletes on POST."""
    analysis = get_analysis(request.user, uuid)
    if request.method != "POST":
        context = {"analysis": analysis, "is_shared": _is_shared(analysis)}
        return render(request, "analyses/delete.html", context)
    name, shared = analysis.video.original_name, _is_shared(analysis)
    try:
        services.delete_analysis(analysis=analysis, by=request.user)
    except services.StillNeeded as error:
        messages.warning(request, str(error))
        return redirect(analysis)
    alone, both = _("This analysis of “{name}” was deleted."), _("“{name}” and its analysis were deleted.")
    messages.success(request, (alone if shared else both).format(name=name))
    return redirect("analyses")


def _is_shared(analysis: Analysis) -> bool:
    """Whether the video stays because another analysis needs it."""
    return Analysis.objects.filter(video=analysis.video_id).exclude(pk=analysis.pk).exists()
