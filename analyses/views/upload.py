"""The upload: a plain form, and the same form sent by script, which asks for JSON."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import OperationalError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from analyses import quotas
from analyses.detection import Failure, NoWeights, check_weights
from analyses.forms import EXTENSIONS, OptionsForm, UploadForm
from analyses.models import Analysis
from analyses.refusals import Answer, answer_of, answer_to, disk_full, problem_of
from analyses.services import QuotaExceeded, UploadRejected, submit_analysis
from analyses.upload_limit import UploadLimit
from analyses.uploads import is_disk_full
from analyses.usage import limited_rows
from analyses.views.requests import UserRequest

SHORTEST_RECORDING_S, LONGEST_RECORDING_S = 5, 30


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_exempt  # the check reads the body, so it comes after the limit, below
def analysis_new(request: UserRequest) -> HttpResponse:
    limit = UploadLimit(request)
    request.upload_handlers.insert(0, limit)
    try:
        return _checked(request, limit)
    except (OSError, OperationalError) as error:
        if not is_disk_full(error):
            raise
        return _refused(request, disk_full())


@csrf_protect
def _checked(request: UserRequest, limit: UploadLimit) -> HttpResponse:
    if request.method != "POST":
        return _form(request, UploadForm(), problem=_standing_problem(request))
    began = timezone.now()
    form = UploadForm(request.POST, request.FILES)
    if limit.exceeded:
        return _refused(request, answer_of(Failure.TOO_LARGE))
    if not form.is_valid():
        return _invalid(request, form)
    try:
        analysis = submit_analysis(
            owner=request.user,
            upload=form.cleaned_data["video"],
            backbone=form.cleaned_data["backbone"],
            stability=form.cleaned_data["stability"],
        )
    except (UploadRejected, QuotaExceeded) as error:
        return _refused(request, answer_to(error))
    url = _opened_at(analysis, began)
    if _wants_json(request):
        return JsonResponse({"url": url}, status=201)
    return redirect(url)


@login_required
@require_safe
def analysis_webcam(request: UserRequest) -> HttpResponse:
    """The one page that may use the camera."""
    context = _context(request, OptionsForm(), problem=_standing_problem(request))
    context |= {"shortest_s": SHORTEST_RECORDING_S, "longest_s": LONGEST_RECORDING_S}
    response = render(request, "analyses/webcam.html", context)
    response["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    return response


def _opened_at(analysis: Analysis, began: datetime) -> str:
    """Its page, which says so where it is an earlier one of the same file."""
    url = analysis.get_absolute_url()
    return f"{url}?earlier" if analysis.created_at < began else url


def _standing_problem(request: UserRequest) -> dict[str, str] | None:
    """What would refuse any file: better said before somebody uploads 100 MB."""
    try:
        check_weights()
        quotas.check(user=request.user, size=1)
    except NoWeights:
        return problem_of(Failure.NO_WEIGHTS)
    except QuotaExceeded as exceeded:
        return answer_to(exceeded).problem
    return None


def _wants_json(request: UserRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


def _invalid(request: UserRequest, form: UploadForm) -> HttpResponse:
    if _wants_json(request):
        message = next(iter(form.errors.values()))[0]
        return JsonResponse({"code": "missing", "message": message, "hint": ""}, status=400)
    return _form(request, form, status=400)


def _refused(request: UserRequest, refusal: Answer) -> HttpResponse:
    """The sentence of the table and what to do about it, as JSON or at the form."""
    if _wants_json(request):
        return JsonResponse(refusal.problem, status=refusal.status, headers=refusal.headers)
    response = _form(request, UploadForm(), problem=refusal.problem, status=refusal.status)
    for name, value in refusal.headers.items():
        response[name] = value
    return response


def _form(
    request: UserRequest, form: UploadForm, *, problem: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    context = _context(request, form, problem) | {"form": form, "action": reverse("analysis_new")}
    return render(request, "analyses/upload.html", context, status=status)


def _context(request: UserRequest, options: OptionsForm, problem: dict[str, str] | None) -> dict[str, object]:
    """What both ways of handing in a clip show."""
    return {
        "options": options,
        "problem": problem,
        "quotas": limited_rows(request.user),
        "max_bytes": settings.MAX_VIDEO_SIZE_BYTES,
        "max_duration_s": settings.MAX_VIDEO_DURATION_S,
        "extensions": ",".join(EXTENSIONS),
    }
