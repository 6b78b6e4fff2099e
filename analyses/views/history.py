"""Where a visitor lands, and the list of one's own analyses."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from analyses.models import Analysis
from analyses.scale import scale_of
from analyses.views.requests import UserRequest
from analyses.wording import FILTERS

PAGE_LENGTH = 25


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, for visitors; the list, for those who are logged in."""
    if request.user.is_authenticated:
        return redirect("analyses")
    return render(request, "home.html", {"scale": scale_of(settings.DETECTOR.threshold)})


@login_required
@require_safe
def analyses(request: UserRequest) -> HttpResponse:
    """Newest first. ``?show=`` takes a verdict or a state; a word it doesn't know shows all."""
    show = request.GET.get("show", "")
    chosen = next((entry for entry in FILTERS if entry.word == show), FILTERS[0])
    rows = Analysis.objects.for_user(request.user).filter(**chosen.lookup).with_video()
    rows = rows.annotate(duration_s=F("document__video__duration_s")).defer("document")
    page = Paginator(rows, PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "analyses/history.html", {"page": page, "filters": FILTERS, "chosen": chosen})
