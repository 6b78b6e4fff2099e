"""Invitations by e-mail: made and revoked by administrators, followed once, kept as a hash."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe
from smtplib import SMTPException
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Target
from accounts.locks import take_turn
from accounts.models import Invitation, User

logger = logging.getLogger(__name__)

TOKEN_BYTES = 32
LIFETIME = timedelta(days=7)
SESSION_KEY = "invitation"


class InvitationGone(Exception):
    """It was accepted, revoked or has expired meanwhile."""


def token_hash(token: str) -> str:
    """What is stored of a token. It is random and long, so that a plain hash can't be turned round."""
    return sha256(token.encode()).hexdigest()


def create_invitation(*, email: str, created_by: User) -> tuple[Invitation, str]:
    """A new invitation in place of an open one of the same address, and its token, which is told once."""
    token, now = token_urlsafe(TOKEN_BYTES), timezone.now()
    with transaction.atomic():
        take_turn(user=created_by)
        Invitation.objects.open().filter(email=email.lower()).update(revoked_at=now)
        invitation = Invitation.objects.create(
            email=email.lower(),
            token_sha256=token_hash(token),
            created_by=created_by,
            created_at=now,
            expires_at=now + LIFETIME,
        )
        _record(created_by, "invite", invitation, {"expires_at": invitation.expires_at.isoformat()})
    return invitation, token


def send_invitation(*, invitation: Invitation, address: str) -> bool:
    """Send the link. False: the mail server didn't take it."""
    context = {"address": address, "expires_at": invitation.expires_at}
    try:
        get_adapter().send_mail("account/email/invitation", invitation.email, context)
    except (SMTPException, OSError):
        logger.exception("The invitation %s could not be sent.", invitation.uuid)
        return False
    return True


def revoke_invitation(*, invitation: Invitation, actor: User) -> None:
    """From now on nobody signs up with it. One that is no longer open stays as it is."""
    with transaction.atomic():
        if Invitation.objects.open().filter(pk=invitation.pk).update(revoked_at=timezone.now()):
            _record(actor, "revoke_invitation", invitation, {"revoked": True})


def find_invitation(token: str) -> Invitation | None:
    """The open invitation that this link belongs to, where the site takes invitations."""
    return _open(token_sha256=token_hash(token))


def invitation_with(uuid: str) -> Invitation | None:
    """The open invitation that a session remembers."""
    return _open(uuid=UUID(uuid))


def accept_invitation(*, invitation: Invitation) -> None:
    """Use it up, in the transaction that makes the account. Raises :class:`InvitationGone`."""
    if not Invitation.objects.open().filter(pk=invitation.pk).update(accepted_at=timezone.now()):
        raise InvitationGone(str(invitation.uuid))


def _open(**which: object) -> Invitation | None:
    if settings.SIGNUP == "closed":
        return None
    return Invitation.objects.open().filter(**which).first()


def _record(actor: User, action: str, invitation: Invitation, after: Mapping[str, object]) -> None:
    """Without the address: the log is never changed, and a person may ask to be forgotten."""
    audit.record(actor=actor, action=action, target=Target("invitation", invitation.uuid), after=after)
