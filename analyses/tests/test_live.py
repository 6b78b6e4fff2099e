"""Scores and the time left while an analysis runs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from analyses import claims, services
from analyses.detection import Failure, FrameScore
from analyses.heartbeat import Heartbeat
from analyses.live import MOST_POINTS, LiveScores, live_points
from analyses.models import Analysis
from analyses.progress import progress_of
from analyses.tests.factories import make_analysis, make_done, make_result, make_running

SCORES = {"duration_s": 8.0, "points": [[2, 1.0, 0.2], [1, 1.0, 0.9], [1, 0.96, 0.8]]}


def score(frame: int, track: int = 1, value: float = 0.5) -> FrameScore:
    return FrameScore(frame, frame / 25, track, (0, 0, 90, 120), value)


def searching(owner: User, *, seconds: float = 10, **fields: Any) -> Analysis:
    """In the step that finds faces, since ``seconds``."""
    began = timezone.now() - timedelta(seconds=seconds)
    usual = {"stage": "faces", "progress_done": 40, "progress_total": 120, "stage_started_at": began}
    return make_running(owner, **{**usual, **fields})


def test_scores_add_up_and_a_new_look_forgets_them() -> None:
    scores = LiveScores()
    scores.add(8.0, ())
    scores.add(8.0, [score(0), score(1)])
    assert scores.is_news
    assert scores.take() == {"duration_s": 8.0, "points": [(1, 0.0, 0.5), (1, 0.04, 0.5)]}
    assert not scores.is_news
    scores.add(8.0, ())
    scores.add(8.0, [score(5)])
    assert scores.take()["points"] == [(1, 0.2, 0.5)]


def test_a_row_stays_small_however_much_is_scored() -> None:
    scores = LiveScores()
    scores.add(900.0, [score(frame) for frame in range(5 * MOST_POINTS + 1)])
    points = scores.take()["points"]
    assert MOST_POINTS / 2 < len(points) <= MOST_POINTS
    assert points[-1][1] > 0.99 * 5 * MOST_POINTS / 25


def test_points_come_in_the_order_of_the_clip(alice: User) -> None:
    points = live_points(make_running(alice, live_scores=SCORES))
    assert [(point.time_s, point.track) for point in points] == [(0.96, 1), (1.0, 1), (1.0, 2)]


def test_a_heart_writes_scores_once_a_second_at_most(
    running: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("analyses.heartbeat.monotonic", lambda: now)
    heart = Heartbeat(running)
    written = []
    monkeypatch.setattr(claims, "record_live_scores", lambda *, analysis, scores: written.append(scores))
    for tick in range(60):
        now = 100 + tick / 20
        heart.on_progress("faces", tick, 60)
        heart.on_scores(8.0, [score(tick)])
        assert not heart.should_stop()
    assert len(written) == 3
    assert len(written[-1]["points"]) > len(written[0]["points"])


@pytest.mark.parametrize("end", ["cancel", "fail", "attempt", "release", "lose"])
def test_scores_leave_the_row_however_it_goes_on(end: str, alice: User) -> None:
    analysis = make_running(alice, live_scores=SCORES)
    if end == "cancel":
        services.request_cancel(analysis=analysis)
        claims.record_failure(analysis=analysis, code=Failure.CANCELLED)
    elif end == "fail":
        claims.record_failure(analysis=analysis, code=Failure.CRASHED)
    elif end == "attempt":
        claims.record_attempt(analysis=analysis, code=Failure.CRASHED)
    elif end == "release":
        claims.release(analysis=analysis)
    else:
        claims.requeue_lost(analysis=analysis)
    analysis.refresh_from_db()
    assert analysis.live_scores is None
    assert analysis.stage_started_at is None or analysis.is_finished


def test_a_result_takes_their_place(alice: User) -> None:
    analysis = make_running(alice, live_scores=SCORES)
    assert claims.record_result(analysis=analysis, result=make_result(analysis.video))
    analysis.refresh_from_db()
    assert analysis.live_scores is None


def test_the_database_keeps_them_from_outliving_the_run(alice: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_analysis(alice, live_scores=SCORES)


def test_a_worker_that_lost_its_claim_shows_nothing(alice: User) -> None:
    analysis = make_running(alice)
    Analysis.objects.filter(pk=analysis.pk).update(claimed_by="another")
    claims.record_live_scores(analysis=analysis, scores=SCORES)
    analysis.refresh_from_db()
    assert analysis.live_scores is None


def test_a_step_began_when_it_was_first_told_of(alice: User) -> None:
    analysis = make_running(alice)
    starts = []
    for stage, done in (("decode", 0), ("faces", 1), ("faces", 2), ("model", 1)):
        claims.record_progress(analysis=analysis, stage=stage, done=done, total=9)
        analysis.refresh_from_db()
        starts.append(analysis.stage_started_at)
    decoding, first, second, scoring = (start.timestamp() for start in starts if start)
    assert decoding < first == second < scoring


def test_the_time_left_is_its_own_pace_and_what_came_after_in_earlier_ones(alice: User) -> None:
    make_done(alice)  # faces and decoding 2.3 s, the rest 1.4 s
    left = progress_of(searching(alice)).left_s
    assert left == pytest.approx(20 + 30 * 1.4 / 2.3, abs=0.5)
    scoring = searching(alice, stage="model", progress_done=60)
    assert progress_of(scoring).left_s == pytest.approx(10 + 20 * 0.3 / 1.1, abs=0.5)


@pytest.mark.parametrize(
    "fields",
    [
        {"seconds": 1},
        {"progress_done": 4},
        {"progress_total": 0},
        {"stage": "probe"},
        {"stage": "explain"},
        {"stage_started_at": None},
    ],
    ids=str,
)
def test_no_time_is_told_where_there_is_nothing_to_go_by(fields: dict[str, Any], alice: User) -> None:
    make_done(alice)
    assert progress_of(searching(alice, **fields)).left_s is None


def test_a_site_without_a_finished_analysis_tells_no_time(alice: User) -> None:
    assert progress_of(searching(alice)).left_s is None


def test_the_page_and_its_piece_show_scores_and_time(alice: User, alice_client: Client) -> None:
    make_done(alice)
    analysis = searching(alice, live_scores=SCORES)
    for name in ("analysis", "analysis_fragment"):
        page = alice_client.get(reverse(name, args=[analysis.uuid])).content.decode()
        assert page.count("strip__plot--drawn") == 2
        assert "Face 1: 2 frames scored between 0:01.0 and 0:01.0; mean 85" in page
        assert "so far, about 40\u00a0s left" in page


def test_a_page_without_scores_has_no_timeline(alice: User, alice_client: Client) -> None:
    page = alice_client.get(searching(alice).get_absolute_url()).content.decode()
    assert "Scores so far" not in page
    assert "left</span>" not in page


def test_the_state_has_the_points(alice: User, alice_client: Client) -> None:
    analysis = searching(alice, live_scores=SCORES)
    state = alice_client.get(reverse("analysis_state", args=[analysis.uuid])).json()
    assert state["duration_s"] == 8.0
    assert state["points"][0] == {"track": 1, "time_s": 0.96, "score": 0.8}
    assert len(state["points"]) == 3
    assert state["left_s"] is None
