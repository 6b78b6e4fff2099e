"""What a site that strangers reach must not start with."""

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY = 50
"""What Django's own check of a deployment asks for."""
KNOWN_KEYS = ("fifty-random-characters", "django-insecure-", "change-me", "changeme", "secret")
"""Beginnings of keys out of examples, ours among them: everybody knows those."""
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})


def check_mode(*, debug: bool, production: bool, key: str, hosts: Sequence[str]) -> None:
    """Raises ``ImproperlyConfigured`` with one sentence."""
    if production:
        _check_key(key)
        _check_hosts(hosts)
    if debug and not LOCAL_HOSTS.issuperset(hosts):
        raise ImproperlyConfigured(
            "DEBUG is true, which shows tracebacks to whoever meets an error, so ALLOWED_HOSTS may name "
            "this machine alone. Set DEBUG=false."
        )


def _check_key(key: str) -> None:
    if not key:
        raise ImproperlyConfigured("SECRET_KEY must be set when DEBUG is false.")
    if len(key) < SHORTEST_KEY or key.lower().startswith(KNOWN_KEYS):
        raise ImproperlyConfigured(
            f"SECRET_KEY must be random, secret and at least {SHORTEST_KEY} characters long."
        )


def _check_hosts(hosts: Sequence[str]) -> None:
    if not hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts when DEBUG is false.")
    if any(host.strip(".") in ("", "*") for host in hosts):
        raise ImproperlyConfigured("ALLOWED_HOSTS must name hosts; * would answer to any name.")


def site_address(hosts: Sequence[str], *, https: bool) -> str:
    """Where people find the site, as far as the first of its hosts tells."""
    return f"{'https' if https else 'http'}://{hosts[0].lstrip('.')}"
