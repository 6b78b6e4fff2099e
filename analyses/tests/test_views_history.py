import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from analyses.detection import Failure, Verdict
from analyses.tests.factories import (
    make_analysis,
    make_done,
    make_failed,
    make_result,
    make_running,
    make_video,
)


def names(client: Client, query: str = "") -> list[str]:
    page = client.get(reverse("analyses") + query).content.decode()
    return re.findall(r'class="history__name"[^>]*>([^<]*)<', page)


def test_visitors_learn_what_this_is_and_what_it_cannot_tell(client: Client) -> None:
    page = client.get(reverse("home")).content.decode()
    assert "Was a face in this video manipulated?" in page
    assert "What it can’t tell" in page
    assert reverse("account_signup") in page


def test_the_start_page_leads_users_to_their_analyses(alice_client: Client) -> None:
    response = alice_client.get(reverse("home"))
    assert response.status_code == 302
    assert response["Location"] == reverse("analyses")


def test_an_empty_history_says_what_to_do(alice_client: Client) -> None:
    page = alice_client.get(reverse("analyses")).content.decode()
    assert "Nothing analysed yet." in page
    assert reverse("analysis_new") in page


def test_the_history_is_ones_own_and_newest_first(alice: User, bob: User, alice_client: Client) -> None:
    now = timezone.now()
    make_analysis(alice, name="old.mp4", created_at=now - timedelta(days=2))
    make_analysis(alice, name="new.mp4", created_at=now)
    make_analysis(alice, name="middle.mp4", created_at=now - timedelta(days=1))
    make_analysis(bob, name="secret.mp4")
    assert names(alice_client) == ["new.mp4", "middle.mp4", "old.mp4"]


def test_a_moderators_history_is_their_own_too(alice: User, mo_client: Client) -> None:
    make_analysis(alice)
    assert names(mo_client) == []


def test_a_row_says_verdict_probability_and_length(alice: User, alice_client: Client) -> None:
    make_done(alice)
    page = alice_client.get(reverse("analyses")).content.decode().replace("\u00a0", " ")
    assert "Likely manipulated</span>" in page
    assert "92 %" in page
    assert "4.0 s" in page


def test_a_failed_row_says_why(alice: User, alice_client: Client) -> None:
    analysis = make_failed(alice, code=Failure.NOT_VIDEO)
    assert analysis.failure_sentence in alice_client.get(reverse("analyses")).content.decode()


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        ("fake", ["fake.mp4"]),
        ("real", ["real.mp4"]),
        ("inconclusive", []),
        ("unfinished", ["running.mp4", "queued.mp4"]),
        ("failed", ["failed.mp4"]),
        ("cancelled", ["cancelled.mp4"]),
        ("nonsense", ["cancelled.mp4", "failed.mp4", "running.mp4", "queued.mp4", "real.mp4", "fake.mp4"]),
    ],
)
def test_the_history_is_filtered_by_verdict_and_state(
    show: str, expected: list[str], alice: User, alice_client: Client
) -> None:
    make_done(alice, name="fake.mp4")
    video = make_video(alice, name="real.mp4")
    make_done(alice, video=video, result=make_result(video, verdict=Verdict.REAL, fake_probability=0.1))
    make_analysis(alice, name="queued.mp4")
    make_running(alice, name="running.mp4")
    make_failed(alice, name="failed.mp4")
    make_failed(alice, code=Failure.CANCELLED, name="cancelled.mp4")
    assert names(alice_client, f"?show={show}") == expected


def test_a_filter_without_a_row_offers_all(alice: User, alice_client: Client) -> None:
    make_analysis(alice)
    assert "Show all" in alice_client.get(reverse("analyses") + "?show=fake").content.decode()


def test_the_history_has_pages_of_25_that_keep_the_filter(alice: User, alice_client: Client) -> None:
    video = make_video(alice)
    for _ in range(26):
        make_analysis(alice, video=video)
    assert len(names(alice_client, "?show=unfinished")) == 25
    assert len(names(alice_client, "?show=unfinished&page=2")) == 1
    page = alice_client.get(reverse("analyses") + "?show=unfinished").content.decode()
    assert "?show=unfinished&amp;page=2" in page
    assert len(names(alice_client, "?page=nonsense")) == 25


def test_the_history_asks_the_database_as_often_for_many_rows(
    alice: User, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        make_done(alice)
    with django_assert_num_queries(4):  # session, user, count, rows
        names(alice_client)
