"""Who may sign up, as the accounts library asks."""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render

from accounts.addresses import forget_claims_on
from accounts.invitations import SESSION_KEY, InvitationGone, accept_invitation, invitation_with
from accounts.models import Invitation, User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.SIGNUP == "open" or invitation_of(request) is not None

    def send_notification_mail(self, *args: Any, **options: Any) -> None:
        """What it tells of has happened already, letter or not."""
        try:
            super().send_notification_mail(*args, **options)
        except (SMTPException, OSError):
            logger.exception("A letter about a change of an account could not be sent.")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By the address alone: the library adds the host, whose port whoever guesses makes up."""
        return str(credentials.get("email", "")).lower()

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """The account and the invitation that it uses up, both or neither."""
        invitation = invitation_of(request)
        try:
            with transaction.atomic():
                saved: User = super().save_user(request, user, form, commit)
                forget_claims_on(email=saved.email, owner=saved)
                if invitation is not None:
                    accept_invitation(invitation=invitation)
        except InvitationGone:
            raise ImmediateHttpResponse(render(request, "account/signup_closed.html")) from None
        request.session.pop(SESSION_KEY, None)
        return saved


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation whose link this visitor has followed, as long as it is open."""
    uuid = request.session.get(SESSION_KEY)
    return invitation_with(uuid) if uuid else None
