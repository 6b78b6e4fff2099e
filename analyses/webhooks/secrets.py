"""The secrets that sign: made, told once, kept sealed by the site's secret key.

Whoever reads the database alone can sign nothing. A key among ``SECRET_KEY_FALLBACKS`` still opens.
"""

import base64
from hashlib import sha256
from secrets import token_bytes

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

PREFIX = "whsec_"
SECRET_BYTES = 32


class SecretLost(Exception):
    """It was sealed with a key that this site no longer has."""


def new_secret() -> str:
    """As a receiver needs it."""
    return PREFIX + base64.b64encode(token_bytes(SECRET_BYTES)).decode()


def seal(secret: str) -> str:
    return _fernet().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises :class:`SecretLost`."""
    try:
        return _fernet().decrypt(sealed).decode()
    except InvalidToken as error:
        raise SecretLost from error


def reseal(sealed: str) -> str:
    """The same, sealed with the present key. Raises :class:`SecretLost`."""
    return seal(unseal(sealed))


def _fernet() -> MultiFernet:
    return MultiFernet([_of(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _of(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(sha256(b"truthlens.webhooks:" + key.encode()).digest()))
