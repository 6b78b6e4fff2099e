"""What a user may do with all that they have here: take it along, and remove it."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.roles import LastAdministrator
from analyses import export_services
from analyses.account_deletion import delete_account
from analyses.forms import DataForm, DeleteAccountForm
from analyses.models import Analysis, ExportKind, Video
from analyses.views.requests import UserRequest

BEING_MADE = _("A download of your data is being made already.")
LAST = _("You are the only administrator of this site: make somebody else one first.")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def account_data(request: UserRequest) -> HttpResponse:
    form = DataForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return render(request, "account/data.html", {"form": form, **_amounts(request.user)})
    kind = ExportKind.ACCOUNT_VIDEOS if form.cleaned_data["videos"] else ExportKind.ACCOUNT
    try:
        export_services.request_account_data(owner=request.user, kind=kind)
    except export_services.TooManyExports:
        messages.error(request, BEING_MADE)
    return redirect("exports")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def account_delete(request: UserRequest) -> HttpResponse:
    """What would be removed; on POST with the right password it is."""
    if request.method != "POST":
        return _ask(request, DeleteAccountForm(user=request.user), 200)
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        return render(request, "429.html", status=429)
    form = DeleteAccountForm(request.POST, user=request.user)
    if not form.is_valid():
        return _ask(request, form, 400)
    try:
        delete_account(user=request.user)
    except LastAdministrator:
        form.add_error(None, LAST)
        return _ask(request, form, 409)
    logout(request)
    messages.success(request, gettext("Your account and everything in it is deleted."))
    return redirect("home")


def _ask(request: UserRequest, form: DeleteAccountForm, status: int) -> HttpResponse:
    context = {"form": form, **_amounts(request.user)}
    return render(request, "account/delete.html", context, status=status)


def _amounts(user: User) -> dict[str, object]:
    videos = Video.objects.filter(owner=user).exclude(file="")
    return {
        "analysis_count": Analysis.objects.for_user(user).count(),
        "video_count": videos.count(),
        "video_bytes": videos.aggregate(total=Sum("size_bytes"))["total"] or 0,
    }
