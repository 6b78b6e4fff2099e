"""The time zone and the language that somebody chose: on pages, and nowhere else."""

from datetime import UTC, datetime

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django import Settings

from accounts.models import Scope, User
from accounts.preferences import in_zone_of, time_zones
from accounts.tokens import create_token

pytestmark = pytest.mark.django_db
JOINED = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
PROFILE = "/account/"


@pytest.fixture
def traveller(alice: User) -> User:
    """Alice, in Tokyo."""
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Tokyo", date_joined=JOINED)
    return alice


def save(client: Client, **fields: str) -> int:
    return client.post(PROFILE, {"display_name": "Alice", **fields}).status_code


def test_pages_show_times_of_the_zone_that_was_chosen_and_name_it(alice: User, alice_client: Client) -> None:
    User.objects.filter(pk=alice.pk).update(date_joined=JOINED)
    assert "1 Jul 2026, 23:30 UTC" in alice_client.get(PROFILE).content.decode()
    assert save(alice_client, time_zone="Europe/Berlin") == 302
    page = alice_client.get(PROFILE).content.decode()
    assert '<time datetime="2026-07-02T01:30:00+02:00">2 Jul 2026, 01:30 CEST</time>' in page
    assert '<option value="Europe/Berlin" selected>Berlin</option>' in page
    assert save(alice_client, time_zone="") == 302
    assert "23:30 UTC" in alice_client.get(PROFILE).content.decode()


@pytest.mark.parametrize("zone", ["Mars/Phobos", "../../etc/passwd", "UTC+1", "x" * 100])
def test_a_zone_that_there_is_not_is_refused(zone: str, alice_client: Client) -> None:
    assert save(alice_client, time_zone=zone) == 400
    assert User.objects.get().time_zone == ""


@pytest.mark.parametrize("zone", ["Gone/Away", "../x", "\0"])
def test_a_zone_that_is_no_longer_known_is_the_sites(zone: str, alice: User) -> None:
    with in_zone_of(User(time_zone=zone)):
        assert timezone.get_current_timezone_name() == "UTC"


def test_every_zone_that_is_offered_can_be_used(alice: User) -> None:
    names = [name for _, zones in time_zones() for name, _ in zones]
    assert len(names) > 300
    for name in names:
        with in_zone_of(User(time_zone=name)):
            assert timezone.get_current_timezone_name() == name


def test_the_next_visitor_has_the_sites_zone_again(
    traveller: User, alice_client: Client, client: Client
) -> None:
    assert "08:30 JST" in alice_client.get(PROFILE).content.decode()
    client.get("/")
    assert timezone.get_current_timezone_name() == site_settings.TIME_ZONE


def test_programs_get_utc_with_a_session_as_with_a_token(traveller: User, alice_client: Client) -> None:
    from analyses.tests.factories import make_done

    url = reverse("api_analysis", args=[make_done(traveller).uuid])
    _, text = create_token(owner=traveller, name="script", scope=Scope.READ)
    for client in (alice_client, Client(headers={"Authorization": f"Token {text}"})):
        assert client.get(url).json()["created_at"].endswith("Z")


def test_files_keep_to_utc(traveller: User, alice_client: Client) -> None:
    from analyses.tests.factories import make_done

    analysis = make_done(traveller)
    finished = analysis.finished_at
    assert finished is not None
    answer = alice_client.post(reverse("analyses_export"), {"uuid": str(analysis.uuid)})
    table = answer.getvalue().decode() if not answer.streaming else b"".join(answer).decode()
    assert finished.astimezone(UTC).isoformat(timespec="seconds") in table
    assert "+09:00" not in table


def test_days_in_filters_are_those_of_the_page(traveller: User, alice_client: Client) -> None:
    """Half past eleven at night in London is the next morning in Tokyo."""
    from analyses.tests.factories import make_done

    make_done(traveller, name="early.mp4", created_at=JOINED)
    for day, is_there in (("2026-07-01", False), ("2026-07-02", True)):
        page = alice_client.get(reverse("analyses"), {"since": day, "until": day}).content.decode()
        assert ("early.mp4" in page) == is_there, day


# Languages


def test_with_one_language_there_is_nothing_to_choose(alice_client: Client, settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English")]
    page = alice_client.get(PROFILE).content.decode()
    assert '<input type="hidden" name="language"' in page
    assert save(alice_client, language="de") == 400


def test_a_language_that_was_chosen_wins(alice: User, alice_client: Client, settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    assert '<option value="de">Deutsch</option>' in alice_client.get(PROFILE).content.decode()
    assert save(alice_client, language="de") == 302
    answer = alice_client.get(PROFILE, headers={"accept-language": "en"})
    assert answer["Content-Language"] == "de"
    settings.LANGUAGES = [("en", "English")]
    assert alice_client.get(PROFILE)["Content-Language"] != "de"
    assert translation.get_language() == "en"
