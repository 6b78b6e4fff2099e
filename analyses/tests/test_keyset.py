from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from analyses import keyset
from analyses.filters import HistoryParameters, Sort, filtered
from analyses.keyset import Cursor, Page, bounded_count, page_of
from analyses.models import Analysis
from analyses.querysets import AnalysisQuerySet
from analyses.tests.factories import make_analysis, make_done, make_result, make_video


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "PAGE_LENGTH", 3)


@pytest.fixture
def rows(alice: User) -> AnalysisQuerySet:
    """Ten rows, of which many are level: at the same moment, of the same name, without a score."""
    video, moment = make_video(alice), timezone.now()
    for number in range(8):
        make_analysis(alice, video=video, created_at=moment - timedelta(days=number // 4))
    for share in (0.2, 0.2):
        make_done(alice, video=video, result=make_result(video, fake_probability=share), created_at=moment)
    return Analysis.objects.for_user(alice)


def turn(rows: AnalysisQuerySet, sort: Sort, page: Page | None = None, *, back: bool = False) -> Page:
    """The next page, or the one before, by way of the address."""
    place = {} if page is None else {"before": page.previous} if back else {"after": page.next}
    return page_of(filtered(rows, HistoryParameters(sort=sort)), sort, Cursor.of(place, sort))


@pytest.mark.parametrize("sort", Sort)
def test_all_rows_come_once_in_order_on_the_way_there_and_back(rows: AnalysisQuerySet, sort: Sort) -> None:
    expected = list(filtered(rows, HistoryParameters(sort=sort)))
    there = [turn(rows, sort)]
    while there[-1].next:
        there.append(turn(rows, sort, there[-1]))
    assert [row for page in there for row in page.rows] == expected
    assert [len(page.rows) for page in there] == [3, 3, 3, 1]
    back = [there[-1]]
    while back[-1].previous:
        back.append(turn(rows, sort, back[-1], back=True))
    assert [page.rows for page in reversed(back)] == [page.rows for page in there]


@pytest.mark.parametrize("sort", Sort)
def test_what_is_uploaded_and_deleted_meanwhile_moves_no_row(
    rows: AnalysisQuerySet, sort: Sort, alice: User
) -> None:
    expected = list(filtered(rows, HistoryParameters(sort=sort)))
    first = turn(rows, sort)
    make_analysis(alice, name="a.mp4", created_at=timezone.now() + timedelta(days=1))
    make_analysis(alice, name="a.mp4", created_at=timezone.now() - timedelta(days=9))
    first.rows[-1].delete()  # the very row that the next page begins behind
    second = turn(rows, sort, first)
    known = [row for row in second.rows if row in expected]
    assert known
    assert known == expected[3 : 3 + len(known)]


def test_back_to_a_beginning_that_has_become_too_short_is_the_first_page(rows: AnalysisQuerySet) -> None:
    first = turn(rows, Sort.NEWEST)
    second = turn(rows, Sort.NEWEST, first)
    first.rows[0].delete()
    again = turn(rows, Sort.NEWEST, second, back=True)
    assert again.rows == [*first.rows[1:], second.rows[0]]
    assert again.previous == ""


def test_no_rows_are_an_empty_page(alice: User) -> None:
    assert turn(Analysis.objects.for_user(alice), Sort.NEWEST) == Page([])


@pytest.mark.parametrize(
    ("sort", "place"),
    [
        (Sort.NEWEST, "2026-01-01T00:00:00~00000000-0000-4000-8000-000000000000"),  # without a zone
        (Sort.NEWEST, "0001-01-01T00:00:00+14:00~00000000-0000-4000-8000-000000000000"),
        (Sort.PROBABILITY, "nan~00000000-0000-4000-8000-000000000000"),
        (Sort.PROBABILITY, "inf~00000000-0000-4000-8000-000000000000"),
        (Sort.NAME, "a\0~00000000-0000-4000-8000-000000000000"),
        (Sort.NAME, "a~1"),
        (Sort.NAME, ""),
    ],
)
def test_a_place_that_cannot_be_read_is_none(sort: Sort, place: str) -> None:
    assert Cursor.of({"after": place}, sort) is None


def test_a_name_may_hold_the_sign_before_the_uuid(alice: User) -> None:
    row = make_analysis(alice, name="a~b~c.mp4")
    cursor = Cursor.of({"before": keyset.place_of(row, Sort.NAME)}, Sort.NAME)
    assert cursor == Cursor("a~b~c.mp4", row.uuid, backwards=True)


def test_counting_ends_at_its_bound(rows: AnalysisQuerySet, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bounded_count(rows) == (10, False)
    monkeypatch.setattr(keyset, "COUNTED", 10)
    assert bounded_count(rows) == (10, False)
    monkeypatch.setattr(keyset, "COUNTED", 9)
    assert bounded_count(rows) == (9, True)
