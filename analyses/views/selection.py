"""What a user does to the rows that they ticked in the list: delete them, take them away."""

from contextlib import suppress
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from analyses import services
from analyses.access import get_own_analyses
from analyses.export_writing import lines_of
from analyses.filters import HistoryParameters
from analyses.keyset import PAGE_LENGTH
from analyses.models import Analysis
from analyses.views.history import history_url
from analyses.views.requests import UserRequest


@login_required
@require_POST
def analyses_delete(request: UserRequest) -> HttpResponse:
    """Asks first; deletes once that is confirmed, and says how many it were."""
    chosen = _selected(request)
    if not chosen:
        return _nothing_selected(request)
    if "confirmed" not in request.POST:
        context = {"chosen": chosen, "list_query": _list_words(request), "back": _list_url(request)}
        return render(request, "analyses/delete_many.html", context)
    count = services.delete_analyses(analyses=chosen)
    words = ngettext("{count} analysis deleted.", "{count} analyses deleted.", count)
    messages.success(request, words.format(count=count))
    return redirect(_list_url(request))


@login_required
@require_POST
def analyses_export(request: UserRequest) -> HttpResponse:
    chosen = _selected(request)
    if not chosen:
        return _nothing_selected(request)
    lines = lines_of([analysis.pk for analysis in chosen])
    response = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="truthlens-analyses.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def _selected(request: UserRequest) -> list[Analysis]:
    """Empty where nothing was ticked. Raises Http404 where nothing of it is the user's."""
    uuids = []
    for text in request.POST.getlist("uuid")[:PAGE_LENGTH]:
        with suppress(ValueError):
            uuids.append(UUID(text))
    return get_own_analyses(request.user, uuids) if uuids else []


def _nothing_selected(request: UserRequest) -> HttpResponseRedirectBase:
    messages.warning(request, gettext("Nothing was selected. Tick the rows that you mean first."))
    return redirect(_list_url(request))


def _list_words(request: UserRequest) -> str:
    """The list that the user came from; only what a list understands."""
    return HistoryParameters.of(QueryDict(request.POST.get("list", ""))).query


def _list_url(request: UserRequest) -> str:
    return history_url(HistoryParameters.of(QueryDict(request.POST.get("list", ""))).words)
