"""A user's own exports: ask for one, watch it, fetch it, delete it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analyses import export_services
from analyses.access import get_export
from analyses.media import signed_redirect
from analyses.models import Export
from analyses.views.requests import UserRequest
from analyses.wording import filter_words

MOST_SHOWN = 100
KINDS = {".csv": ("history", "text/csv; charset=utf-8"), ".zip": ("data", "application/zip")}
"""What a downloaded file is called, and its type."""
TOO_MANY = _("You have several exports under way already. Wait until one of them is ready.")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def exports(request: UserRequest) -> HttpResponse:
    """The list; POST asks for the history as CSV, with the filters that the form carries."""
    if request.method != "POST":
        return render(request, "exports/list.html", _context(request))
    try:
        export_services.request_export(owner=request.user, filters=request.POST.dict())
    except export_services.TooManyExports:
        messages.error(request, TOO_MANY)
    return redirect("exports")


@login_required
@require_safe
@never_cache
def exports_fragment(request: UserRequest) -> HttpResponse:
    """The piece of the page that changes while an export is being written."""
    return render(request, "exports/_list.html", _context(request))


@login_required
@require_safe
def export_file(request: UserRequest, uuid: UUID) -> HttpResponseBase:
    export = get_export(request.user, uuid)
    if not export.is_done:
        raise Http404
    what, content_type = KINDS[export.suffix]
    name = f"truthlens-{what}-{export.created_at:%Y-%m-%d}{export.suffix}"
    elsewhere = signed_redirect(
        request,
        export.file.storage,
        export.file.name or "",
        name,
        content_type=content_type,
        as_attachment=True,
    )
    if elsewhere is not None:
        return elsewhere
    try:
        file = export.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_POST
def export_delete(request: UserRequest, uuid: UUID) -> HttpResponse:
    export_services.delete_export(export=get_export(request.user, uuid))
    messages.success(request, gettext("The export was deleted."))
    return redirect("exports")


def _context(request: UserRequest) -> dict[str, object]:
    rows = Export.objects.for_user(request.user)[:MOST_SHOWN]
    entries = [(export, filter_words(export.filters)) for export in rows]
    return {"entries": entries, "busy": any(not export.is_finished for export, _ in entries)}
