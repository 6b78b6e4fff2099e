from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from analyses.detection import Failure, Reason, Verdict
from analyses.models import Analysis, State, Video
from analyses.tests.factories import (
    make_analysis,
    make_done,
    make_failed,
    make_result,
    make_running,
    make_video,
)


def refuse(analysis: Analysis, **fields: Any) -> None:
    """The database itself must say no."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Analysis.objects.filter(pk=analysis.pk).update(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "lost"},
        {"stage": "coffee"},
        {"verdict": "maybe"},
        {"failure": "bad_mood"},
        {"fake_probability": 1.01},
        {"fake_probability": -0.01},
        {"threshold": 0.5},
        {"threshold": 1.0},
        {"state": "failed", "finished_at": timezone.now()},
        {"state": "failed", "failure": "crashed"},
        {"state": "cancelled", "finished_at": timezone.now()},
        {"state": "done", "finished_at": timezone.now()},
        {"state": "running"},
        {"verdict": "fake"},
    ],
)
def test_the_database_refuses_what_makes_no_sense(queued: Analysis, fields: dict[str, Any]) -> None:
    refuse(queued, **fields)


@pytest.mark.parametrize("missing", ["verdict", "model_version", "model_sha256"])
def test_a_finished_analysis_has_a_verdict_and_names_its_model(done: Analysis, missing: str) -> None:
    refuse(done, **{missing: ""})


@pytest.mark.parametrize("missing", ["document", "threshold", "finished_at"])
def test_a_finished_analysis_keeps_its_document(done: Analysis, missing: str) -> None:
    refuse(done, **{missing: None})


def test_an_analysis_without_a_face_has_no_probability_and_is_fine(alice: User) -> None:
    video = make_video(alice)
    result = make_result(video, verdict=Verdict.INCONCLUSIVE, fake_probability=None, scores=())
    assert make_done(alice, video=video, result=result).fake_probability is None


def test_two_analyses_never_share_a_uuid(queued: Analysis, alice: User) -> None:
    with pytest.raises(IntegrityError):
        make_analysis(alice, uuid=queued.uuid)


def test_reasons_come_with_their_sentences(alice: User) -> None:
    video = make_video(alice)
    result = make_result(video, verdict=Verdict.INCONCLUSIVE, reasons=(Reason.LOW_BITRATE,))
    analysis = make_done(alice, video=video, result=result)
    assert analysis.reasons == [
        (
            "low_bitrate",
            "Compression this strong can hide traces of manipulation and leave similar ones.",
        )
    ]


def test_a_waiting_analysis_has_no_reasons_and_no_failure(queued: Analysis) -> None:
    assert queued.reasons == []
    assert queued.failure_sentence == ""
    assert not queued.is_finished


def test_a_failure_has_one_plain_sentence(alice: User) -> None:
    assert make_failed(alice, code=Failure.EMPTY).failure_sentence == "The file is empty."


def test_the_queue_position_counts_everybody_who_came_before(alice: User, bob: User) -> None:
    earlier = timezone.now() - timedelta(minutes=5)
    make_analysis(bob, created_at=earlier)
    make_running(bob, created_at=earlier)
    make_failed(bob, created_at=earlier)
    assert make_analysis(alice).queue_position == 2


def test_a_running_analysis_is_no_longer_in_the_queue(running: Analysis) -> None:
    assert running.queue_position is None


def test_the_progress_of_a_stage_is_a_percentage(running: Analysis) -> None:
    running.progress_done, running.progress_total = 30, 120
    assert running.progress_percent == 25


def test_a_stage_of_unknown_length_has_no_percentage(running: Analysis) -> None:
    assert running.progress_percent is None


def test_a_copy_that_a_lost_worker_was_to_make_is_not_awaited_for_ever(done: Analysis) -> None:
    Video.objects.update(proxy_due=True)
    assert Analysis.objects.get(pk=done.pk).awaits_proxy
    Analysis.objects.update(finished_at=timezone.now() - timedelta(hours=1))
    assert not Analysis.objects.get(pk=done.pk).awaits_proxy


def test_waiting_ends_when_a_worker_takes_it(alice: User) -> None:
    now = timezone.now()
    analysis = make_running(
        alice, created_at=now - timedelta(seconds=90), started_at=now - timedelta(seconds=30)
    )
    assert analysis.seconds_waiting == pytest.approx(60)
    assert analysis.seconds_running == pytest.approx(30, abs=5)


def test_users_see_their_own_and_moderators_see_all(alice: User, bob: User, mo: User) -> None:
    mine, other = make_analysis(alice), make_analysis(bob)
    assert list(Analysis.objects.visible_to(alice)) == [mine]
    assert set(Analysis.objects.visible_to(mo)) == {mine, other}
    assert list(Analysis.objects.for_user(mo)) == []


def test_history_begins_with_the_newest(alice: User) -> None:
    old = make_analysis(alice, created_at=timezone.now() - timedelta(days=1))
    new = make_analysis(alice)
    assert list(Analysis.objects.for_user(alice)) == [new, old]


def test_only_silent_workers_analyses_are_stuck(alice: User) -> None:
    make_running(alice)
    make_analysis(alice)
    silent = make_running(alice, heartbeat_at=timezone.now() - timedelta(seconds=21))
    assert list(Analysis.objects.stuck()) == [silent]


def test_unfinished_are_those_that_wait_or_run(alice: User) -> None:
    waiting, running = make_analysis(alice), make_running(alice)
    make_failed(alice)
    make_done(alice)
    assert set(Analysis.objects.unfinished()) == {waiting, running}
    assert {waiting.state, running.state} == {State.QUEUED, State.RUNNING}
