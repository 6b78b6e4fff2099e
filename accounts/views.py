"""A user's own account, and the invitations that administrators make. Passwords, addresses, second factors
and sessions are pages of the accounts library."""

from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import addresses, services
from accounts.addresses import waiting_address
from accounts.forms import AddressForm, InvitationForm, ProfileForm
from accounts.invitations import (
    SESSION_KEY,
    create_invitation,
    find_invitation,
    revoke_invitation,
    send_invitation,
)
from accounts.models import Invitation, User
from accounts.requests import UserRequest

MOST_SHOWN = 100


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def profile(request: UserRequest) -> HttpResponse:
    form = ProfileForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_bound and form.is_valid():
        services.change_profile(user=request.user, **form.cleaned_data)
        messages.success(request, gettext("Your profile was saved."))
        return redirect("profile")
    context = {"form": form, "waiting": waiting_address(request.user)}
    return render(request, "account/profile.html", context, status=400 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication_required(allow_get=True, app="allauth.account")  # type: ignore[untyped-decorator]
def email_address(request: UserRequest) -> HttpResponse:
    """A new address, another letter to the one that waits, or no change after all."""
    waiting = waiting_address(request.user)
    form = AddressForm(request.POST if "action_add" in request.POST else None, user=request.user)
    if request.method != "POST" or (form.is_bound and not form.is_valid()):
        context = {"form": form, "waiting": waiting}
        return render(request, "account/email_change.html", context, status=400 if form.is_bound else 200)
    if not ratelimit.consume(request, action="manage_email", user=request.user):
        return render(request, "429.html", status=429)
    if form.is_bound:
        addresses.request_address(request=request, user=request.user, email=form.cleaned_data["email"])
    elif waiting is not None and "action_send" in request.POST:
        addresses.send_letter(request=request, address=waiting)
    elif "action_remove" in request.POST:
        addresses.forget_waiting(user=request.user)
    return redirect("account_email")


@login_required
@require_safe
@never_cache
def security(request: UserRequest) -> HttpResponse:
    """What protects the account, with the way to each of its pages."""
    factors = Authenticator.objects.filter(user=request.user)
    kinds = list(factors.values_list("type", flat=True))
    context = {
        "has_app": Authenticator.Type.TOTP in kinds,
        "keys": kinds.count(Authenticator.Type.WEBAUTHN),
        "has_codes": Authenticator.Type.RECOVERY_CODES in kinds,
        "sessions": len(UserSession.objects.purge_and_list(request.user)),
    }
    return render(request, "account/security.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitations(request: UserRequest) -> HttpResponse:
    """The list and the form; on POST the new link, which this one answer shows and no other."""
    _administrators_only(request.user)
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        rows = Invitation.objects.select_related("created_by")[:MOST_SHOWN]
        context = {"form": form, "invitations": rows, "signup": settings.SIGNUP}
        return render(request, "account/invitations.html", context, status=400 if form.is_bound else 200)
    invitation, token = create_invitation(email=form.cleaned_data["email"], created_by=request.user)
    address = request.build_absolute_uri(reverse("invitation_follow", args=[token]))
    sent = send_invitation(invitation=invitation, address=address)
    context = {"invitation": invitation, "address": address, "sent": sent}
    return render(request, "account/invitation_made.html", context, status=201)


@login_required
@require_POST
def invitation_revoke(request: UserRequest, uuid: UUID) -> HttpResponse:
    _administrators_only(request.user)
    invitation = Invitation.objects.filter(uuid=uuid).first()
    if invitation is None:
        raise Http404
    revoke_invitation(invitation=invitation, actor=request.user)
    messages.success(request, gettext("The invitation was revoked. Its link lets nobody in any more."))
    return redirect("invitations")


@require_safe
@never_cache
def invitation_follow(request: HttpRequest, token: str) -> HttpResponse:
    """Remember the invitation and go to the sign-up page. Nothing is used up by a visit."""
    invitation = find_invitation(token)
    if invitation is None:
        return render(request, "account/invitation_gone.html", status=404)
    if request.user.is_authenticated:
        messages.info(request, gettext("You are logged in. Log out first to sign up with an invitation."))
        return redirect("profile")
    request.session[SESSION_KEY] = str(invitation.uuid)
    get_adapter(request).stash_verified_email(request, invitation.email)
    return redirect("account_signup")


def _administrators_only(user: User) -> None:
    if not user.is_superuser:
        raise Http404
