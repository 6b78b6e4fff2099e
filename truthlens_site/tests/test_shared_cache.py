"""What web processes know together, and what is left of it while the broker is away."""

import pytest
from django.conf import settings
from django.core.cache import cache
from redis import Redis

from truthlens_site import shared_cache
from truthlens_site.shared_cache import RESTS_S, SharedCache


def another_process(url: str) -> SharedCache:
    return SharedCache(url, {**settings.CACHES["default"], "LOCATION": url})


def test_what_one_process_writes_the_others_read(broker: str) -> None:
    assert cache.add("tries", 1, timeout=60)
    other = another_process(broker)
    assert not other.add("tries", 1)
    assert (other.incr("tries"), cache.get("tries")) == (2, 2)
    other.set("times", [1.5, 2.5], timeout=60)
    assert cache.get("times") == [1.5, 2.5]
    assert cache.delete("times")
    assert other.get("times", "none") == "none"
    with pytest.raises(ValueError, match="not found"):
        cache.incr("times")


def test_nothing_that_lies_in_the_broker_is_run(broker: str) -> None:
    cache.set("tries", [1], timeout=60)
    with Redis.from_url(broker) as connection:
        assert [connection.get(key) for key in connection.keys("*tries")] == [b"[1]"]


def test_clearing_leaves_what_others_know_and_the_jobs(broker: str) -> None:
    cache.set("tries", 1, timeout=60)
    with Redis.from_url(broker) as connection:
        connection.set("rq:job", "x")
        cache.clear()
        assert connection.get("rq:job") == b"x"
    assert cache.get("tries") == 1


def test_without_a_broker_a_process_remembers_for_itself_and_asks_again_later(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(shared_cache, "monotonic", lambda: now)
    asked: list[str] = []

    def away(*_: object) -> None:
        asked.append("get")
        raise ConnectionRefusedError

    lost = another_process(broker)
    with monkeypatch.context() as broken:
        broken.setattr(lost._shared, "get", away)
        assert lost.get("tries", 0) == 0
        lost.set("tries", 3)
        assert lost.get("tries") == 3
        assert asked == ["get"]
    assert cache.get("tries") == 3, "all that ask this broker wait"
    now += RESTS_S
    assert lost.get("tries") is None
