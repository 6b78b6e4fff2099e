"""Requests are counted by what they cost, for each token and each user, in all web processes together."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from analyses.api import throttles
from analyses.api.throttles import USER_SHARE
from analyses.tests.factories import MP4_BYTES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]
USAGE, LIST = "/api/v1/usage/", "/api/v1/analyses/"


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands, so that no window ends within a test."""
    monkeypatch.setattr(throttles, "time", lambda: 1_000_000_040.0)


@pytest.fixture
def two_a_minute(settings: Settings) -> None:
    settings.API_RATES = dict.fromkeys(settings.API_RATES, (2, 60))


def statuses(client: Client, number: int, path: str = USAGE) -> list[int]:
    return [client.get(path).status_code for _ in range(number)]


@pytest.mark.usefixtures("two_a_minute")
def test_beyond_the_rate_a_token_is_told_when_to_come_back(api: Client) -> None:
    assert statuses(api, 3) == [200, 200, 429]
    answer = api.get(USAGE)
    assert (answer["Content-Type"], answer.json()["code"]) == (
        "application/problem+json",
        "too_many_requests",
    )
    assert answer["Retry-After"] == "40"


@pytest.mark.usefixtures("two_a_minute")
def test_the_next_window_begins_anew(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert statuses(api, 3)[-1] == 429
    monkeypatch.setattr(throttles, "time", lambda: 1_000_000_081.0)
    assert statuses(api, 1) == [200]


@pytest.mark.usefixtures("two_a_minute")
def test_each_token_is_counted_and_all_of_a_user_together(
    alice: User, bob: User, as_api: Callable[..., Client]
) -> None:
    one, two, three = (as_api(alice) for _ in range(3))
    assert USER_SHARE == 2
    assert statuses(one, 2) + statuses(two, 2) == [200] * 4
    assert statuses(three, 1) == [429]
    assert statuses(as_api(bob), 1) == [200]


@pytest.mark.usefixtures("two_a_minute")
def test_a_session_is_counted_as_its_user(alice_client: Client) -> None:
    assert statuses(alice_client, 5) == [200] * 4 + [429]


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize(("cost", "path"), [("upload", LIST), ("detect", "/api/detect")])
def test_what_costs_more_is_counted_apart(api: Client, settings: Settings, cost: str, path: str) -> None:
    settings.API_RATES = {**settings.API_RATES, cost: (1, 60)}

    def send(number: int) -> Any:
        video = SimpleUploadedFile("clip.mp4", MP4_BYTES + bytes([number]))
        return api.post(path, {"video": video}, headers={"Prefer": "wait=0"}).status_code

    assert [send(1), send(2)] == [202, 429]
    assert statuses(api, 3) == [200] * 3


def test_several_processes_count_together_in_the_broker(api: Client, broker: str, settings: Settings) -> None:
    settings.API_RATES = {**settings.API_RATES, "read": (2, 60)}
    assert statuses(api, 1) == [200]
    cache.clear()  # the next is another process: it remembers nothing
    assert statuses(api, 2) == [200, 429]
    from redis import Redis

    with Redis.from_url(broker) as connection:
        keys = connection.keys("truthlens*")
        assert len(keys) == 2
        assert all(0 < connection.ttl(key) <= 60 for key in keys)


@pytest.mark.usefixtures("two_a_minute")
def test_without_a_broker_requests_are_counted_here(api: Client) -> None:
    assert statuses(api, 3) == [200, 200, 429]
