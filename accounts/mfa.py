"""Second factors: their secrets are encrypted in the database, with keys made from the site's secret keys."""

from base64 import urlsafe_b64encode
from hashlib import sha256

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.utils.encoding import force_bytes
from django.utils.translation import gettext

from accounts.models import User

PURPOSE = b"truthlens.accounts.mfa:"
SEALED = ("secret", "seed", "migrated_codes")
"""What allauth encrypts in the data of an app and of recovery codes."""


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def generate_authenticator_name(self, user: User, type: str) -> str:
        """Proposed to whoever adds a passkey; a device's own name is a better one."""
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Passkey {number}").format(number=count + 1) if count else gettext("Passkey")

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()


def reseal_factors() -> tuple[int, int]:
    """Encrypt the secrets of all factors with the present key.

    Returns how many factors that were, and how many are left as they are because no key opens them.
    """
    done = lost = 0
    with transaction.atomic():
        for factor in Authenticator.objects.select_for_update().exclude(type=Authenticator.Type.WEBAUTHN):
            try:
                factor.data |= {name: _resealed(factor.data[name]) for name in SEALED if name in factor.data}
            except InvalidToken:
                lost += 1
                continue
            factor.save(update_fields=["data"])
            done += 1
    return done, lost


def _resealed(value: str | list[str]) -> str | list[str]:
    if isinstance(value, list):
        return [_cipher().rotate(text).decode() for text in value]
    return _cipher().rotate(value).decode()


def _cipher() -> MultiFernet:
    """Encrypts with the present key, reads what was encrypted with one before it."""
    keys = (force_bytes(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    return MultiFernet([Fernet(urlsafe_b64encode(sha256(PURPOSE + key).digest())) for key in keys])
