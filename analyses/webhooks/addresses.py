"""Which addresses are called: those of the public internet, unless the site's setting allows others.

A name is looked up once, every address that it has is checked, and the connection goes to what was checked:
a name that leads elsewhere a moment later changes nothing.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from analyses.webhooks.models import URL_LENGTH, Problem

UNICAST, NAT64 = IPv6Network("2000::/3"), IPv6Network("64:ff9b::/96")
NOT_AN_ADDRESS = _("This is no web address.")
NOT_HTTPS = _("The address must begin with https://.")
NO_NAMES = _("The address must hold no user name and no password.")
NOT_PUBLIC = _("This site calls only addresses on the public internet.")


class Uncallable(Exception):
    """``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


def parts_of(url: str) -> SplitResult:
    """Its parts. Raises ValueError, with one sentence for the page, for what can't be called anyway."""
    parts = _split(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.WEBHOOKS_PRIVATE):
        raise ValueError(NOT_HTTPS)
    if parts.username is not None or parts.password is not None:
        raise ValueError(NO_NAMES)
    if not settings.WEBHOOKS_PRIVATE and _is_private_literal(parts.hostname or ""):
        raise ValueError(NOT_PUBLIC)
    return parts


def callable_addresses(host: str, port: int) -> list[str]:
    """What the name leads to. Raises :class:`Uncallable` where one of it may not be called."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Uncallable(Problem.UNKNOWN_HOST) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not settings.WEBHOOKS_PRIVATE and not all(is_public(address) for address in addresses):
        raise Uncallable(Problem.PRIVATE)
    return addresses


def is_public(address: str) -> bool:
    """Also of the IPv4 addresses that an IPv6 one stands for or leads through."""
    try:
        found = ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return found.is_global and not found.is_multicast
    stands_for = _stands_for(found)
    if stands_for is not None:
        return is_public(str(stands_for))
    led_through = (found.sixtofour, *(found.teredo or ()))
    return found in UNICAST and found.is_global and all(is_public(str(one)) for one in led_through if one)


def _stands_for(address: IPv6Address) -> IPv4Address | None:
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port != 0
    except ValueError as error:
        raise ValueError(NOT_AN_ADDRESS) from error
    printable = url.isascii() and url.isprintable() and " " not in url
    if not printable or not parts.hostname or not port_is_fine or len(url) > URL_LENGTH:
        raise ValueError(NOT_AN_ADDRESS)
    return parts


def _is_private_literal(host: str) -> bool:
    try:
        ip_address(host.split("%")[0])
    except ValueError:
        return False
    return not is_public(host)
