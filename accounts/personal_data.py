"""What the accounts keep of one person: told to that person, and erased."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import ProtectedError, RestrictedError

from accounts.models import ApiToken, Invitation, User
from accounts.tokens import revoke_all


def account_facts(user: User) -> dict[str, Any]:
    """As plain JSON values, without secrets: those would let somebody in who has the file."""
    return {
        "uuid": str(user.uuid),
        "email": user.email,
        "name": user.display_name,
        "time_zone": user.time_zone,
        "language": user.language,
        "joined_at": user.date_joined.isoformat(),
        "last_login_at": user.last_login.isoformat() if user.last_login else None,
        "moderator": user.is_staff,
        "administrator": user.is_superuser,
        "addresses": [
            {"email": address.email, "confirmed": address.verified, "in_use": address.email == user.email}
            for address in EmailAddress.objects.filter(user=user)
        ],
        "sessions": [
            {"since": session.created_at.isoformat(), "ip": session.ip, "browser": session.user_agent}
            for session in UserSession.objects.filter(user=user)
        ],
        "second_factors": [
            {
                "kind": factor.type,
                "name": factor.data.get("name", ""),
                "added_at": factor.created_at.isoformat(),
                "used_at": factor.last_used_at.isoformat() if factor.last_used_at else None,
            }
            for factor in Authenticator.objects.filter(user=user)
        ],
        "api_tokens": [
            {
                "name": token.name,
                "scope": token.scope,
                "made_at": token.created.isoformat(),
                "ends_at": token.expiry.isoformat() if token.expiry else None,
                "used_at": token.last_used_at.isoformat() if token.last_used_at else None,
            }
            for token in ApiToken.objects.for_user(user)
        ],
    }


def erase_user(user: User) -> None:
    """Remove the account and end its sessions.

    Where others' records need the row, as a moderator's decisions do, it stays without anything that says
    who it was; the audit log knows people by their UUID alone.
    """
    with transaction.atomic():
        for session in UserSession.objects.filter(user=user):
            session.end()
        Invitation.objects.filter(email__iexact=user.email).delete()
        try:
            User.objects.get(pk=user.pk).delete()
        except (ProtectedError, RestrictedError):
            _forget_who(user)


def _forget_who(user: User) -> None:
    for model in (EmailAddress, Authenticator, UserSession):
        model.objects.filter(user=user).delete()
    revoke_all(user)
    nobody = User(email=f"{user.uuid}@deleted.invalid")
    nobody.set_unusable_password()
    User.objects.filter(pk=user.pk).update(
        email=nobody.email,
        password=nobody.password,
        display_name="",
        time_zone="",
        language="",
        last_login=None,
        is_active=False,
        is_staff=False,
        is_superuser=False,
    )
