"""What changes users, beside allauth's own pages."""

import secrets

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.validators import validate_email
from django.db import transaction

from accounts import audit
from accounts.audit import Target
from accounts.models import User


def create_first_administrator(*, email: str, password: str = "") -> tuple[User, str] | None:
    """An administrator where there is no user at all, with the password; None where there is one.

    Without ``password`` a random one is made. Raises ``ValidationError`` for an address or a password that
    the sign-up page would not take either.
    """
    with transaction.atomic():
        if User.objects.exists():
            return None
        validate_email(email)
        if password:
            validate_password(password, User(email=email))
        password = password or secrets.token_urlsafe(12)
        user = User.objects.create_superuser(email, password)
        # Whoever runs the site chose it. No letter could be read before the first login.
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user, password


def remove_factor(*, factor: Authenticator, actor: User) -> None:
    """Of somebody who lost it. Recovery codes go with the last of the others, which they stand in for."""
    with transaction.atomic():
        if not Authenticator.objects.filter(pk=factor.pk).delete()[0]:
            return
        left = Authenticator.objects.filter(user=factor.user)
        if not left.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
            left.delete()
        target = Target("user", factor.user.uuid)
        audit.record(actor=actor, action="remove_factor", target=target, before={"factor": factor.type})


def change_profile(*, user: User, display_name: str, time_zone: str, language: str) -> None:
    """What others see of a user, and how the user sees pages. The address has pages of its own."""
    user.display_name, user.time_zone, user.language = display_name, time_zone, language
    user.save(update_fields=["display_name", "time_zone", "language"])
