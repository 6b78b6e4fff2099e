"""The page of usage and quotas, and how pages and protocol answer when one is full."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from analyses.models import Analysis, AnalysisStart
from analyses.quotas import Quota
from analyses.tests.factories import MP4_BYTES, make_done, make_running, make_upload
from analyses.tests.test_views_resumable import TUS, create, send
from analyses.usage import length, usage_rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed_weights")]

AS_SCRIPT = {"Accept": "application/json"}
GENEROUS = {"analyses": 200, "minutes": 1440, "storage": 20_480, "running": 25}
Limit = Callable[..., None]


@pytest.fixture
def limit(settings: Settings) -> Limit:
    """Set these limits for users beside generous ones."""

    def set_limits(**limits: int | None) -> None:
        settings.QUOTAS = {**settings.QUOTAS, "user": GENEROUS | limits}

    return set_limits


def text_of(client: Client, name: str = "usage") -> str:
    return client.get(reverse(name)).content.decode().replace("\u00a0", " ")


def use(owner: User, count: int, *, seconds: float = 0.0) -> None:
    for _ in range(count):
        AnalysisStart.objects.create(owner=owner, analysis=make_done(owner).uuid, seconds=seconds)


# The page


def test_what_is_used_is_told_in_words_and_bars(alice: User, alice_client: Client, limit: Limit) -> None:
    limit(analyses=4, minutes=90, storage=100, running=5)
    use(alice, 2, seconds=150)
    make_running(alice)
    make_upload(alice, size=50 * 1024 * 1024)
    page = text_of(alice_client)
    for words in ("as a user", "2 of 4", "5 min of 1 h 30 min", "50 MB of 100 MB", "1 of 5"):
        assert words in page
    for bar in ('max="4" value="2"', 'max="5" value="1"'):
        assert bar in page
    assert "count as 30 min each until then" in page
    assert "sed up" not in page


def test_only_one_s_own_is_counted(alice: User, bob_client: Client, limit: Limit) -> None:
    limit(analyses=4)
    use(alice, 3)
    make_upload(alice, name="alices.mp4")
    page = text_of(bob_client)
    assert "0 of 4" in page
    assert "alices.mp4" not in page


def test_a_full_quota_says_when_there_is_room_again(alice: User, alice_client: Client, limit: Limit) -> None:
    limit(analyses=1, running=1)
    use(alice, 1)
    AnalysisStart.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert "Used up" not in text_of(alice_client)
    then = timezone.now() - timedelta(hours=23)
    AnalysisStart.objects.update(created_at=then)
    page = text_of(alice_client)
    assert "Used up" in page
    assert f"There is room again from {then + timedelta(days=1):%-d %b %Y, %H:%M} UTC on." in page
    make_running(alice)
    assert "There is room again when those under way are done." in text_of(alice_client)


def test_administrators_have_no_limit(limit: Limit) -> None:
    limit(analyses=1)
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "correct horse battery"))
    page = text_of(client)
    assert "as an administrator" in page
    assert page.count(", no limit") == 4
    assert "<progress" not in page


def test_an_upload_under_way_is_listed_and_can_be_discarded(alice: User, alice_client: Client) -> None:
    upload = make_upload(alice, name="holiday.mp4", size=3 * 1024 * 1024, received_bytes=1024 * 1024)
    make_upload(alice, name="expired.mp4", expires_at=timezone.now())
    page = text_of(alice_client)
    assert "holiday.mp4" in page
    assert "1 MB of 3 MB are here" in page
    assert "expired.mp4" not in page
    response = alice_client.post(reverse("upload_discard", args=[upload.uuid]), follow=True)
    assert "The upload of “holiday.mp4” was discarded." in response.content.decode()


def test_the_menu_leads_to_it(alice_client: Client) -> None:
    assert f'href="{reverse("usage")}"' in text_of(alice_client, "analyses")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 min"), (59, "0 min"), (2700, "45 min"), (86400, "24 h"), (3660, "1 h 1 min")],
)
def test_lengths_are_whole_minutes(seconds: float, words: str) -> None:
    assert length(seconds).replace("\u00a0", " ") == words


# Before it bites


@pytest.mark.parametrize("name", ["analysis_new", "analysis_webcam"])
def test_what_is_left_stands_where_one_uploads(
    name: str, alice: User, alice_client: Client, limit: Limit
) -> None:
    limit(analyses=10, storage=None)
    use(alice, 3)
    page = text_of(alice_client, name)
    assert "7 of 10 analyses in 24 hours" in page
    assert "of storage" not in page
    use(alice, 6)
    assert "<strong>1 of 10 analyses in 24 hours</strong>" in text_of(alice_client, name)


@pytest.mark.parametrize("name", ["analysis_new", "analysis_webcam"])
def test_a_full_quota_is_said_before_anything_is_uploaded(
    name: str, alice: User, alice_client: Client, limit: Limit
) -> None:
    limit(analyses=1)
    sentence = "You have started as many analyses in the last 24 hours as your account may."
    assert sentence not in text_of(alice_client, name)
    use(alice, 1)
    page = text_of(alice_client, name)
    assert sentence in page
    assert "The next one is possible from" in page


# When it bites


def test_a_full_day_is_429_with_the_time_to_try_again(
    alice: User, alice_client: Client, limit: Limit
) -> None:
    limit(analyses=1)
    use(alice, 1)
    AnalysisStart.objects.update(created_at=timezone.now() - timedelta(hours=23))
    for headers in ({}, AS_SCRIPT):
        posted = {"video": SimpleUploadedFile("clip.mp4", MP4_BYTES[:-1])}
        response = alice_client.post(reverse("analysis_new"), posted, headers=headers)
        assert response.status_code == 429
        assert int(response["Retry-After"]) == pytest.approx(3600, abs=5)
    problem = response.json()
    assert problem["code"] == "quota_analyses"
    assert "The next one is possible from" in problem["hint"]
    assert Analysis.objects.count() == 1


def test_no_room_is_413_without_a_time(
    alice: User, alice_client: Client, limit: Limit, settings: Settings
) -> None:
    limit(storage=1)
    make_upload(alice, size=1024 * 1024)
    response = create(alice_client)
    assert (response.status_code, response.json()["code"]) == (413, "quota_storage")
    assert "Retry-After" not in response
    assert list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()) == []


def test_an_upload_in_pieces_is_refused_as_it_begins(alice: User, alice_client: Client, limit: Limit) -> None:
    limit(running=1)
    make_running(alice)
    response = create(alice_client)
    assert (response.status_code, response.json()["code"]) == (429, "quota_running")
    assert int(response["Retry-After"]) == pytest.approx(60, abs=2)


def test_one_that_was_let_in_before_can_be_finished_when_there_is_room(
    alice: User, alice_client: Client, limit: Limit
) -> None:
    url = create(alice_client)["Location"]
    limit(running=1)
    running = make_running(alice, content=b"another")
    response = send(alice_client, url, MP4_BYTES)
    assert (response.status_code, response.json()["code"]) == (429, "quota_running")
    assert alice_client.head(url, headers=TUS)["Upload-Offset"] == "0"
    running.delete()
    assert send(alice_client, url, MP4_BYTES).status_code == 204


def test_analysing_again_tells_it_on_the_result_s_page(
    alice: User, alice_client: Client, limit: Limit
) -> None:
    limit(minutes=1)
    use(alice, 1, seconds=61)
    done = Analysis.objects.get()
    response = alice_client.post(reverse("analysis_rerun", args=[done.uuid]), follow=True)
    assert "You have had as many minutes of video analysed" in response.content.decode()
    assert Analysis.objects.count() == 1


def test_a_moderator_s_second_look_is_on_the_moderator(
    alice: User, mo: User, mo_client: Client, limit: Limit
) -> None:
    limit(analyses=1)
    use(alice, 1)
    done = Analysis.objects.get()
    mo_client.post(reverse("analysis_rerun", args=[done.uuid]))
    assert AnalysisStart.objects.filter(owner=mo).count() == 1
    rows = {row.meter.quota: row.used for row in usage_rows(mo)}
    assert rows[Quota.ANALYSES] == "1 of 1,000"
