"""``manage.py reseal``: what was sealed with an old secret key opens without it."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command
from pytest_django import Settings

from accounts.mfa import MfaAdapter
from accounts.models import User
from analyses.webhooks.endpoints import create_webhook, rotate_secret
from analyses.webhooks.models import Webhook
from analyses.webhooks.secrets import SecretLost, unseal

pytestmark = pytest.mark.django_db


def reseal() -> list[str]:
    out = StringIO()
    call_command("reseal", stdout=out)
    return out.getvalue().splitlines()


def secrets_of(webhook: Webhook) -> list[str]:
    webhook.refresh_from_db()
    return [unseal(webhook.earlier_secret), unseal(webhook.secret)]


def test_everything_opens_without_the_old_key(alice: User, settings: Settings) -> None:
    app = TOTP.activate(alice, "JBSWY3DPEHPK3PXP").instance
    codes = RecoveryCodes.activate(alice)
    before = codes.get_unused_codes()
    webhook, first = create_webhook(owner=alice, url="https://a.example.org/", events=[], site="https://x")
    second = rotate_secret(webhook=webhook)
    passkey = Authenticator.objects.create(user=alice, type=Authenticator.Type.WEBAUTHN, data={"name": "key"})
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY]
    assert reseal() == [
        "second factors: 2 sealed with the present key, 0 that no key opens.",
        "webhooks: 1 sealed with the present key, 0 that no key opens.",
    ]
    settings.SECRET_KEY_FALLBACKS = []
    app.refresh_from_db()
    codes.instance.refresh_from_db()
    assert MfaAdapter().decrypt(app.data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert codes.get_unused_codes() == before
    assert secrets_of(webhook) == [first, second]
    passkey.refresh_from_db()
    assert passkey.data == {"name": "key"}


def test_what_no_key_opens_is_counted_and_left_alone(alice: User, settings: Settings) -> None:
    factor = TOTP.activate(alice, "JBSWY3DPEHPK3PXP").instance
    webhook, _ = create_webhook(owner=alice, url="https://a.example.org/", events=[], site="https://x")
    sealed = factor.data, webhook.secret
    settings.SECRET_KEY = "new" * 20
    assert [line.split(", ")[1] for line in reseal()] == ["1 that no key opens."] * 2
    factor.refresh_from_db()
    webhook.refresh_from_db()
    assert (factor.data, webhook.secret) == sealed
    with pytest.raises(SecretLost):
        unseal(webhook.secret)
