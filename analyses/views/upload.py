"""The upload: a plain form, and the same form sent by script, which asks for JSON."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from analyses.detection import FAILURE_SENTENCES, Failure, NoWeights, check_weights
from analyses.forms import UploadForm
from analyses.services import UploadRejected, submit_analysis
from analyses.upload_limit import UploadLimit
from analyses.views.requests import UserRequest
from analyses.wording import REFUSAL_HINTS

STATUS = {Failure.TOO_LARGE: 413, Failure.NO_WEIGHTS: 503}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_exempt  # the check reads the body, so it comes after the limit, below
def analysis_new(request: UserRequest) -> HttpResponse:
    limit = UploadLimit(request)
    request.upload_handlers.insert(0, limit)
    return _checked(request, limit)


@csrf_protect
def _checked(request: UserRequest, limit: UploadLimit) -> HttpResponse:
    if request.method != "POST":
        return _form(request, UploadForm(), problem=_standing_problem())
    form = UploadForm(request.POST, request.FILES)
    if limit.exceeded:
        return _refused(request, Failure.TOO_LARGE)
    if not form.is_valid():
        return _invalid(request, form)
    try:
        analysis = submit_analysis(owner=request.user, upload=form.cleaned_data["video"])
    except UploadRejected as rejected:
        return _refused(request, rejected.code)
    if _wants_json(request):
        return JsonResponse({"url": analysis.get_absolute_url()}, status=201)
    return redirect(analysis)


def _standing_problem() -> dict[str, str] | None:
    """What would refuse any file: better said before somebody uploads 100 MB."""
    try:
        check_weights()
    except NoWeights:
        return _problem(Failure.NO_WEIGHTS)
    return None


def _problem(code: Failure) -> dict[str, str]:
    return {"code": str(code), "message": FAILURE_SENTENCES[code], "hint": REFUSAL_HINTS.get(code, "")}


def _wants_json(request: UserRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


def _invalid(request: UserRequest, form: UploadForm) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"code": "missing", "message": form.errors["video"][0], "hint": ""}, status=400)
    return _form(request, form, status=400)


def _refused(request: UserRequest, code: Failure) -> HttpResponse:
    """The sentence of the table and what to do about it, as JSON or at the form."""
    status = STATUS.get(code, 400)
    if _wants_json(request):
        return JsonResponse(_problem(code), status=status)
    return _form(request, UploadForm(), problem=_problem(code), status=status)


def _form(
    request: UserRequest, form: UploadForm, *, problem: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "problem": problem,
        "max_bytes": settings.MAX_VIDEO_SIZE_BYTES,
        "max_duration_s": settings.MAX_VIDEO_DURATION_S,
        "action": reverse("analysis_new"),
    }
    return render(request, "analyses/upload.html", context, status=status)
