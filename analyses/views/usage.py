"""What somebody has used of what they may, and the uploads under way that take up room."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from analyses.access import get_upload
from analyses.models import Upload
from analyses.resumable import discard_upload
from analyses.usage import usage_rows
from analyses.views.requests import UserRequest


@login_required
@require_safe
@never_cache
def usage(request: UserRequest) -> HttpResponse:
    under_way = Upload.objects.for_user(request.user).open().order_by("created_at")
    context = {"rows": usage_rows(request.user), "under_way": under_way, "role": request.user.role}
    return render(request, "analyses/usage.html", context)


@login_required
@require_POST
def upload_discard(request: UserRequest, uuid: UUID) -> HttpResponse:
    """One that was begun in another browser can't be discarded there by whoever no longer has that."""
    upload = get_upload(request.user, uuid)
    discard_upload(upload=upload)
    words = gettext("The upload of “{name}” was discarded.")
    messages.success(request, words.format(name=upload.original_name))
    return redirect("usage")
