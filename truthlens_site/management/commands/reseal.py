"""``manage.py reseal``: after a change of the secret key, before the old one is taken away."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.mfa import reseal_factors
from analyses.webhooks.endpoints import reseal_webhooks


class Command(BaseCommand):
    help = "Seal the secrets of second factors and webhooks with the present SECRET_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, reseal in {"second factors": reseal_factors, "webhooks": reseal_webhooks}.items():
            done, lost = reseal()
            self.stdout.write(f"{name}: {done} sealed with the present key, {lost} that no key opens.")
