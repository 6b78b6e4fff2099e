"""How much one user and one token may ask for, by what it costs.

Counted in windows of fixed length, in all web processes together (``truthlens_site.shared_cache``).
"""

from abc import ABC, abstractmethod
from time import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiToken

if TYPE_CHECKING:
    from analyses.api.base import ApiView

USER_SHARE = 2
"""A user with several tokens may ask for so many times what one token may."""


class Throttle(BaseThrottle, ABC):
    """So many requests of one cost by whoever ``who`` names. The view says what a request costs."""

    share = 1

    def __init__(self) -> None:
        self.wait_s = 0.0

    @abstractmethod
    def who(self, request: Request) -> str | None:
        """Whose requests are counted together; None for one that no throttle counts."""

    def allow_request(self, request: Request, view: "ApiView") -> bool:  # type: ignore[override]
        who, cost = self.who(request), view.cost_of(request)
        if who is None:
            return True
        most, seconds = settings.API_RATES[cost]
        window, passed = divmod(time(), seconds)
        self.wait_s = seconds - passed
        return count(f"api:{cost}:{who}:{window:.0f}", seconds) <= most * self.share

    def wait(self) -> float:
        return self.wait_s


class TokenThrottle(Throttle):
    def who(self, request: Request) -> str | None:
        return f"token-{request.auth.uuid}" if isinstance(request.auth, ApiToken) else None


class UserThrottle(Throttle):
    share = USER_SHARE

    def who(self, request: Request) -> str | None:
        return f"user-{request.user.pk}" if request.user.is_authenticated else None


def count(key: str, seconds: int) -> int:
    """Count one more; how many there are now."""
    if cache.add(key, 1, timeout=seconds):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out in between
        cache.set(key, 1, timeout=seconds)
        return 1
