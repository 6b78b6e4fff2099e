"""What changes users, beside allauth's own pages."""

import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.validators import validate_email
from django.db import transaction

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
        return User.objects.create_superuser(email, password), password
