import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from analyses.detection import Failure, Verdict
from analyses.models import Analysis
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


def link(client: Client, query: str, rel: str) -> str:
    """The query of the link to the next or the previous page; empty where there is none."""
    page = client.get(reverse("analyses") + query).content.decode()
    found = re.search(rf'rel="{rel}" href="[^"?]*([^"]*)"', page)
    return unescape(found[1]) if found else ""


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
    ("query", "expected"),
    [
        ("verdict=fake", ["fake.mp4"]),
        ("verdict=real", ["real.mp4"]),
        ("verdict=inconclusive", []),
        ("state=unfinished", ["running.mp4", "queued.mp4"]),
        ("state=queued", ["queued.mp4"]),
        ("state=failed", ["failed.mp4"]),
        ("state=cancelled", ["cancelled.mp4"]),
        ("state=done", ["real.mp4", "fake.mp4"]),
        ("model=tiny_lstm", ["real.mp4", "fake.mp4"]),
        ("model=other", []),
        ("q=EAL", ["real.mp4"]),
        ("q=%25", []),
        ("verdict=fake&q=real", []),
        ("verdict=nonsense&state=failed", ["failed.mp4"]),
        ("state=nonsense&q=fake", ["fake.mp4"]),
        ("since=tomorrow&state=failed", ["failed.mp4"]),
        ("state=done&sort=probability", ["fake.mp4", "real.mp4"]),
        ("state=done&sort=oldest", ["fake.mp4", "real.mp4"]),
        ("sort=name&state=unfinished", ["queued.mp4", "running.mp4"]),
    ],
)
def test_the_history_is_filtered_and_sorted(
    query: str, expected: list[str], alice: User, alice_client: Client
) -> None:
    make_done(alice, name="fake.mp4")
    video = make_video(alice, name="real.mp4")
    make_done(alice, video=video, result=make_result(video, verdict=Verdict.REAL, fake_probability=0.1))
    make_analysis(alice, name="queued.mp4")
    make_running(alice, name="running.mp4")
    make_failed(alice, name="failed.mp4")
    make_failed(alice, code=Failure.CANCELLED, name="cancelled.mp4")
    assert names(alice_client, f"?{query}") == expected


def test_filters_without_a_match_can_be_cleared(alice: User, alice_client: Client) -> None:
    make_analysis(alice)
    page = alice_client.get(reverse("analyses") + "?verdict=fake").content.decode()
    assert "No analysis matches." in page
    assert f'<a class="button" href="{reverse("analyses")}">Clear filters</a>' in page
    assert "Nothing analysed yet." not in page


def test_a_filter_that_makes_no_sense_is_named(alice: User, alice_client: Client) -> None:
    make_analysis(alice)
    page = alice_client.get(reverse("analyses") + "?since=2026-02-02&until=2026-02-01").content.decode()
    assert "This day is before the first one." in page
    page = alice_client.get(reverse("analyses") + "?since=32.13.2026").content.decode()
    assert "Write the date as year-month-day" in page


def test_the_pages_of_25_keep_filter_and_order(alice: User, alice_client: Client) -> None:
    video = make_video(alice)
    for _ in range(26):
        make_analysis(alice, video=video)
    make_failed(alice)
    query = "?state=queued&sort=oldest"
    assert len(names(alice_client, query)) == 25
    onwards = link(alice_client, query, "next")
    assert "state=queued&sort=oldest&after=" in onwards
    assert len(names(alice_client, onwards)) == 1
    backwards = link(alice_client, onwards, "prev")
    assert "state=queued&sort=oldest&before=" in backwards
    assert len(names(alice_client, backwards)) == 25
    assert link(alice_client, backwards, "prev") == ""


def test_a_long_history_is_not_counted_to_its_end(alice: User, alice_client: Client) -> None:
    video = make_video(alice)
    Analysis.objects.bulk_create(Analysis(owner=alice, video=video) for _ in range(1001))
    assert "<p>1,000+ analyses</p>" in alice_client.get(reverse("analyses")).content.decode()
    assert "<p>1,000+ analyses found." in alice_client.get(reverse("analyses") + "?q=clip").content.decode()


@pytest.mark.parametrize("place", ["after=nonsense", "before=~", "after=2026-01-01~x", "page=4"])
def test_a_place_that_makes_no_sense_is_the_first_page(place: str, alice: User, alice_client: Client) -> None:
    make_analysis(alice)
    assert len(names(alice_client, f"?{place}")) == 1


def test_a_page_whose_rows_were_deleted_leads_to_the_first(alice: User, alice_client: Client) -> None:
    video = make_video(alice)
    for _ in range(26):
        make_analysis(alice, video=video, name="clip.mp4")
    onwards = link(alice_client, "?sort=oldest", "next")
    Analysis.objects.order_by("-created_at")[0].delete()
    response = alice_client.get(reverse("analyses") + onwards)
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('analyses')}?sort=oldest"


def test_select_all_works_without_a_script(alice: User, alice_client: Client) -> None:
    make_analysis(alice)
    make_analysis(alice)
    page = alice_client.get(reverse("analyses") + "?select=all").content.decode()
    assert len(re.findall(r'name="uuid"[^>]* checked', page)) == 2
    assert "Select none" in page


def test_a_row_shows_a_face_of_reserved_size_when_it_is_near(alice: User, alice_client: Client) -> None:
    analysis = make_done(alice)
    page = alice_client.get(reverse("analyses")).content.decode()
    address = reverse("analysis_thumbnail", args=[analysis.uuid])
    assert f'src="{address}" alt="" width="48" height="48" loading="lazy"' in page


def test_the_history_asks_as_often_for_many_rows_and_loads_no_document(
    alice: User, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        make_done(alice)
    with django_assert_num_queries(7) as asked:  # session, user, models, places, rows, count, notices
        names(alice_client)
    assert not [query["sql"] for query in asked.captured_queries if '"document"' in query["sql"]]
