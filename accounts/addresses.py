"""The change of one's e-mail address. A new one takes the old one's place once its owner has confirmed it.

The accounts library has a page for this too. It takes an address that was never confirmed, as all are where
the site verifies none, for the one that is waiting, and drops it.
"""

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.db import transaction
from django.http import HttpRequest

from accounts.models import User


def waiting_address(user: User) -> EmailAddress | None:
    """The one that takes the place of the present one when it is confirmed."""
    return EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).first()


def request_address(*, request: HttpRequest, user: User, email: str) -> None:
    """Let this address wait in place of any other, and write to it."""
    with transaction.atomic():
        forget_waiting(user=user)
        # So that a letter tells the old one of the change.
        EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True})
        address = EmailAddress.objects.create(user=user, email=email.lower())
    send_letter(request=request, address=address)


def send_letter(*, request: HttpRequest, address: EmailAddress) -> None:
    """A link that confirms; to the owner of another account a letter that says so. The page tells neither."""
    if is_taken(address.email, besides=address.user):
        get_adapter(request).send_account_already_exists_mail(address.email)
    else:
        address.send_confirmation(request)


def is_taken(email: str, *, besides: User | None = None) -> bool:
    """Whether an account has it. One that somebody only waits for is free."""
    others = User.objects.filter(email__iexact=email)
    return (others.exclude(pk=besides.pk) if besides else others).exists()


def forget_waiting(*, user: User) -> None:
    EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).delete()


def forget_claims_on(*, email: str, owner: User) -> None:
    """Of others who wait to have the address of this new account."""
    EmailAddress.objects.filter(email=email.lower(), verified=False).exclude(user=owner).delete()
