import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import User
from analyses.export_writing import COLUMNS
from analyses.models import Analysis, Video
from analyses.tests.factories import make_analysis, make_done, make_failed, make_running


def stored(settings: Settings) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


@pytest.fixture
def delete(
    alice_client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Callable[..., str]:
    """Posts the selection and returns the page that follows."""

    def post(*chosen: Analysis, **posted: str) -> str:
        uuids = [str(analysis.uuid) for analysis in chosen]
        with django_capture_on_commit_callbacks(execute=True):
            response = alice_client.post(reverse("analyses_delete"), {"uuid": uuids, **posted}, follow=True)
        return response.content.decode()

    return post


def test_deleting_asks_first(alice: User, delete: Callable[..., str]) -> None:
    chosen = [make_done(alice, name="one.mp4"), make_failed(alice, name="two.mp4")]
    page = delete(*chosen, list="verdict=fake&evil=1")
    assert "Delete 2 analyses?" in page
    assert "one.mp4" in page
    assert "two.mp4" in page
    assert f'href="{reverse("analyses")}?verdict=fake"' in page
    assert Analysis.objects.count() == 2


def test_what_was_confirmed_is_deleted_with_its_files(
    alice: User, delete: Callable[..., str], settings: Settings
) -> None:
    chosen = [make_done(alice, content=b"1"), make_running(alice, content=b"2")]
    kept = make_analysis(alice, content=b"3")
    page = delete(*chosen, confirmed="yes")
    assert "2 analyses deleted." in page
    assert list(Analysis.objects.all()) == [kept]
    assert [path.read_bytes() for path in stored(settings)] == [b"3"]


def test_a_video_that_another_analysis_uses_stays(alice: User, delete: Callable[..., str]) -> None:
    first = make_done(alice)
    make_done(alice, video=first.video)
    assert "1 analysis deleted." in delete(first, confirmed="yes")
    assert Video.objects.count() == 1


def test_what_is_somebody_elses_is_passed_over(alice: User, bob: User, delete: Callable[..., str]) -> None:
    own, foreign = make_done(alice, name="own.mp4"), make_done(bob, name="secret.mp4")
    assert "secret.mp4" not in delete(own, foreign)
    assert "1 analysis deleted." in delete(own, foreign, confirmed="yes")
    assert list(Analysis.objects.all()) == [foreign]


def test_the_number_is_honest_where_a_row_is_gone_already(alice: User, delete: Callable[..., str]) -> None:
    gone, there = make_analysis(alice), make_analysis(alice)
    Analysis.objects.filter(pk=gone.pk).delete()
    assert "1 analysis deleted." in delete(gone, there, confirmed="yes")


@pytest.mark.parametrize("posted", [{}, {"uuid": "nonsense"}])
@pytest.mark.parametrize("name", ["analyses_delete", "analyses_export"])
def test_nothing_ticked_is_said_so(posted: dict[str, str], name: str, alice_client: Client) -> None:
    response = alice_client.post(reverse(name), {**posted, "list": "sort=name"}, follow=True)
    assert response.redirect_chain == [(f"{reverse('analyses')}?sort=name", 302)]
    assert "Nothing was selected." in response.content.decode()


def test_a_selection_is_exported_as_a_table(alice: User, bob: User, alice_client: Client) -> None:
    done, failed = make_done(alice, name="=1+1.mp4"), make_failed(alice, name="two.mp4")
    foreign = make_done(bob)
    uuids = [str(analysis.uuid) for analysis in (done, failed, foreign)]
    response = alice_client.post(reverse("analyses_export"), {"uuid": uuids})
    assert response["Content-Disposition"] == 'attachment; filename="truthlens-analyses.csv"'
    assert response["Cache-Control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["analysis"] for row in rows] == [str(failed.uuid), str(done.uuid)]
    assert rows[1]["file"] == "'=1+1.mp4"
    assert (rows[1]["verdict"], rows[1]["fake_probability"], rows[1]["duration_s"]) == ("fake", "0.92", "4.0")
    assert (rows[0]["state"], rows[0]["failure"], rows[0]["verdict"]) == ("failed", "unreadable", "")


def test_no_more_than_a_page_is_taken(alice: User, alice_client: Client) -> None:
    first = make_analysis(alice)
    uuids = [str(make_analysis(alice, video=first.video).uuid) for _ in range(26)]
    alice_client.post(reverse("analyses_delete"), {"uuid": uuids, "confirmed": "yes"})
    assert Analysis.objects.count() == 2
