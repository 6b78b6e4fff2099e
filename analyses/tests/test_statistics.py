"""The dashboard's figures against rows whose figures are known."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from analyses import disputes, services
from analyses.detection import Failure, Verdict
from analyses.models import Analysis, State
from analyses.moderation import statistics
from analyses.moderation.cases import case_of, claim
from analyses.moderation.decisions import decide
from analyses.moderation.models import Kind
from analyses.moderation.statistics import Scored, Share
from analyses.tests.factories import (
    make_analysis,
    make_done,
    make_export,
    make_failed,
    make_result,
    make_video,
)


def judged(
    owner: User, moderator: User, name: str, verdict: Verdict, share: float | None, kind: Kind
) -> Analysis:
    """A result of bytes of its own, and what a moderator found."""
    video = make_video(owner, name=name, content=name.encode() * 50)
    analysis = make_done(
        owner, video=video, result=make_result(video, verdict=verdict, fake_probability=share)
    )
    last = case_of(analysis).last
    decide(analysis=analysis, moderator=moderator, kind=kind, reason="x", seen=last.uuid if last else None)
    return analysis


@pytest.fixture
def labels(alice: User, mo: User) -> None:
    """Manipulated: one found, one missed, one undecided. Real: one passed, one accused. One can't be told."""
    judged(alice, mo, "a", Verdict.FAKE, 0.92, Kind.CONFIRM)
    judged(alice, mo, "b", Verdict.REAL, 0.2, Kind.OVERRULE_FAKE)
    judged(alice, mo, "c", Verdict.INCONCLUSIVE, 0.65, Kind.OVERRULE_FAKE)
    judged(alice, mo, "d", Verdict.REAL, 0.1, Kind.CONFIRM)
    judged(alice, mo, "e", Verdict.FAKE, 0.75, Kind.OVERRULE_REAL)
    judged(alice, mo, "f", Verdict.INCONCLUSIVE, 0.5, Kind.CONFIRM)


def test_accuracy_counts_what_people_found(labels: None) -> None:
    clips = statistics.labelled()
    assert len(clips) == 5
    found = statistics.accuracy(clips)
    assert (found.found, found.missed) == (Share(1, 3), Share(1, 3))
    assert (found.passed, found.accused) == (Share(1, 2), Share(1, 2))
    assert (found.undecided, found.right) == (Share(1, 5), Share(2, 4))
    assert statistics.overruled() == Share(3, 6)


def test_another_limit_moves_the_answers(labels: None) -> None:
    lower = statistics.accuracy(statistics.labelled(), 0.6)
    assert (lower.found, lower.accused, lower.undecided) == (Share(2, 3), Share(1, 2), Share(0, 5))
    higher = statistics.accuracy(statistics.labelled(), 0.85)
    assert (higher.found, higher.accused, higher.passed) == (Share(1, 3), Share(0, 2), Share(1, 2))
    assert higher.undecided == Share(3, 5)


def test_what_had_no_verdict_for_another_reason_gets_none_by_another_limit() -> None:
    thin = Scored(0.95, 0.7, "inconclusive")
    assert [thin.verdict_at(limit) for limit in (0.6, 0.7, 0.9)] == ["inconclusive"] * 3
    assert Scored(None, 0.7, "inconclusive").verdict_at(0.6) == "inconclusive"
    assert Scored(0.65, 0.7, "inconclusive").verdict_at(0.6) == "fake"
    assert Scored(0.35, 0.7, "inconclusive").verdict_at(0.65) == "real"


def test_a_file_that_was_analysed_twice_counts_once_with_its_newest_label(alice: User, mo: User) -> None:
    first = judged(alice, mo, "a", Verdict.FAKE, 0.9, Kind.CONFIRM)
    judged(alice, mo, "a", Verdict.FAKE, 0.9, Kind.OVERRULE_REAL)
    assert [clip.label for clip in statistics.labelled()] == ["real"]
    last = case_of(first).last
    assert last is not None
    decide(analysis=first, moderator=mo, kind=Kind.OVERRULE_FAKE, reason="x", seen=last.uuid)
    assert [clip.label for clip in statistics.labelled()] == ["fake"]


def test_the_interval_is_wilsons() -> None:
    low, high = Share(8, 10).interval
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert Share(0, 0).interval == (0.0, 1.0)
    assert Share(0, 20).interval[0] == 0.0


@pytest.mark.parametrize(("percent", "expected"), [(50, 5), (95, 10), (10, 1), (100, 10), (1, 1)])
def test_percentiles_go_by_the_nearest_rank(percent: int, expected: int) -> None:
    assert statistics.percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], percent) == expected
    assert statistics.percentile([], percent) is None


def test_times_are_those_within_the_span(alice: User) -> None:
    now = timezone.now()
    for hours, wait, run in ((1, 10, 20), (2, 30, 40), (100, 500, 600)):
        started = now - timedelta(hours=hours)
        analysis = make_done(alice)
        Analysis.objects.filter(pk=analysis.pk).update(
            created_at=started - timedelta(seconds=wait),
            started_at=started,
            finished_at=started + timedelta(seconds=run),
        )
    day, week = statistics.times()
    assert (day.count, day.waiting_p50, day.waiting_p95, day.running_p50, day.running_p95) == (
        2,
        10,
        30,
        20,
        40,
    )
    assert (week.count, week.waiting_p50, week.waiting_p95, week.running_p95) == (3, 30, 500, 600)


def test_without_any_analysis_there_is_no_time(db: None) -> None:
    assert [row.waiting_p50 for row in statistics.times()] == [None, None]


def test_failures_are_counted_by_code_and_old_ones_are_not(alice: User) -> None:
    for code in (Failure.UNREADABLE, Failure.CRASHED, Failure.UNREADABLE, Failure.CANCELLED):
        make_failed(alice, code=code)
    make_failed(alice, code=Failure.EMPTY, created_at=timezone.now() - timedelta(days=31))
    assert [(code, number) for code, _, number in statistics.failures()] == [
        ("unreadable", 2),
        ("crashed", 1),
    ]


def test_the_load_is_what_is_there_now(alice: User, mo: User, done: Analysis, running: Analysis) -> None:
    make_analysis(alice, created_at=timezone.now() - timedelta(seconds=90))
    make_analysis(alice)
    disputes.open_dispute(analysis=done, author=alice, opinion="real")
    claim(analysis=done, moderator=mo)
    load = statistics.load()
    assert (load.waiting, load.running, load.disputed, load.proposed, load.held) == (2, 1, 1, 0, 1)
    assert 90 <= load.longest_wait_s < 120


def test_storage_counts_files_that_are_there(done: Analysis, alice: User) -> None:
    gone = make_done(alice)
    services.delete_video_files(video=gone.video)
    make_export(alice, content=b"x" * 11)
    found = statistics.storage()
    assert (found.videos, found.video_bytes, found.export_bytes) == (1, done.video.size_bytes, 11)


def test_verdicts_are_shares_of_the_results(done: Analysis, alice: User) -> None:
    make_failed(alice)
    old = make_done(alice)
    Analysis.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert statistics.verdict_shares() == [
        ("real", Share(0, 1)),
        ("fake", Share(1, 1)),
        ("inconclusive", Share(0, 1)),
    ]


def test_the_page_says_it_all(labels: None, mo_client: Client) -> None:
    page = mo_client.get(reverse("moderation_dashboard")).content.decode()
    assert "(1 of 3;" in page
    assert "With 0.6" not in page
    page = mo_client.get(reverse("moderation_dashboard"), {"threshold": "0.6"}).content.decode()
    assert "With 0.6" in page
    assert "(2 of 3;" in page


@pytest.mark.parametrize("limit", ["0.5", "1", "nan", "x", "", "inf"])
def test_a_limit_that_makes_no_sense_is_told(limit: str, mo_client: Client) -> None:
    response = mo_client.get(reverse("moderation_dashboard"), {"threshold": limit})
    assert response.status_code == 200
    assert "Give a number from 0.51 to 0.99." in response.content.decode()


def test_the_page_stands_on_an_empty_site(mo_client: Client) -> None:
    assert not Analysis.objects.filter(state=State.DONE).exists()
    page = mo_client.get(reverse("moderation_dashboard"), {"threshold": "0.6"}).content.decode()
    assert "none yet" in page
