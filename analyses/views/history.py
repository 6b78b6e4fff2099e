"""Where a visitor lands, and the list of one's own analyses."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from analyses.filters import HistoryForm, HistoryParameters, filtered
from analyses.keyset import Cursor, Page, bounded_count, page_of
from analyses.models import Analysis
from analyses.scale import scale_of
from analyses.views.requests import UserRequest


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, for visitors; the list, for those who are logged in."""
    if request.user.is_authenticated:
        return redirect("analyses")
    return render(request, "home.html", {"scale": scale_of(settings.DETECTOR.threshold)})


@login_required
@require_safe
def analyses(request: UserRequest) -> HttpResponse:
    """The address holds the filters, the order and, behind the first page, the place in it."""
    own = Analysis.objects.for_user(request.user)
    form = HistoryForm(request.GET)
    form.offer_models(own.model_names())
    params = HistoryParameters.from_form(form)
    rows = filtered(own, params)
    cursor = Cursor.of(request.GET, params.sort)
    page = page_of(rows, params.sort, cursor)
    if cursor and not page.rows:  # all that came behind it was deleted
        return redirect(history_url(params.words))
    count, is_more = bounded_count(rows)
    context: dict[str, object] = {"form": form, "params": params, "count": count}
    context |= {"counted": f"{count:,}{'+' if is_more else ''}"}
    context |= {"all_selected": request.GET.get("select") == "all"}
    return render(request, "analyses/history.html", context | _page_context(page, params))


def history_url(words: dict[str, str]) -> str:
    """The list's address with these parameters."""
    return f"{reverse('analyses')}?{urlencode(words)}" if words else reverse("analyses")


def _page_context(page: Page, params: HistoryParameters) -> dict[str, object]:
    words = params.words
    return {
        "rows": page.rows,
        "previous_url": history_url({**words, "before": page.previous}) if page.previous else "",
        "next_url": history_url({**words, "after": page.next}) if page.next else "",
    }
