"""The audit log for administrators: read it, filter it, take it away."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analyses.moderation.audit_log import AuditForm, as_csv, as_json_lines, entries, page
from analyses.views.moderators import administrators_only
from analyses.views.requests import UserRequest


@administrators_only
@require_safe
@never_cache
def audit_log(request: UserRequest) -> HttpResponse:
    """The newest first. The address holds the filters and, behind the first page, the place."""
    form = AuditForm(request.GET)
    rows, last = page(entries(form), request.GET.get("before", ""))
    words = form.words
    following = f"{reverse('audit_log')}?{urlencode({**words, 'before': last})}" if last else ""
    context = {"form": form, "rows": rows, "next_url": following, "query": urlencode(words)}
    return render(request, "moderation/audit_log.html", context)


@administrators_only
@require_safe
def audit_log_csv(request: UserRequest) -> HttpResponseBase:
    return _download(as_csv(entries(AuditForm(request.GET))), "csv", "text/csv; charset=utf-8")


@administrators_only
@require_safe
def audit_log_jsonl(request: UserRequest) -> HttpResponseBase:
    return _download(as_json_lines(entries(AuditForm(request.GET))), "jsonl", "application/jsonl")


def _download(lines: Iterator[str], extension: str, content_type: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="truthlens-audit.{extension}"'
    response["Cache-Control"] = "private, no-store"
    return response
