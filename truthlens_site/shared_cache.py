"""What all web processes must know of together, like how often somebody tried: kept in the broker.

Without the broker each process remembers for itself, so that one that is down stops nobody.
"""

import json
import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

RESTS_S = 5.0
"""A broker that didn't answer isn't asked for so long: one out of reach costs a second each time."""
MOST_OWN = 10_000
"""Entries that a process keeps; with fewer, somebody could push out what is known of them by many others."""
_asked_again_at: dict[str, float] = {}


class Json:
    """In place of pickle, which would run whatever somebody wrote into the broker."""

    dumps = staticmethod(json.dumps)
    loads = staticmethod(json.loads)


class SharedCache(BaseCache):
    """Of Django's caches what is needed: ``add``, ``get``, ``set``, ``incr`` and ``delete``."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        options = {**params.get("OPTIONS", {}), "serializer": Json}
        self._location = location
        self._shared = RedisCache(location, {**params, "OPTIONS": options})
        self._own = LocMemCache("own", {**params, "max_entries": MOST_OWN})

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._asked(lambda cache: cache.add(key, value, timeout, version)))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._asked(lambda cache: cache.get(key, default, version))

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._asked(lambda cache: cache.set(key, value, timeout, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Raises ValueError for a key that isn't there."""
        return int(self._asked(lambda cache: cache.incr(key, delta, version)))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._asked(lambda cache: cache.delete(key, version)))

    def clear(self) -> None:
        """What this process remembers for itself. The broker holds jobs too."""
        self._own.clear()

    def _asked(self, ask: Callable[[BaseCache], Any]) -> Any:
        if monotonic() >= _asked_again_at.get(self._location, 0.0):
            try:
                return ask(self._shared)
            except (RedisError, OSError) as error:
                logger.debug("This process remembers for itself: %s", error)
                _asked_again_at[self._location] = monotonic() + RESTS_S
        return ask(self._own)
