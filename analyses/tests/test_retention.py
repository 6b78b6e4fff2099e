"""Policy, clock and hold: what is deleted when, what stays, and that each deletion is in the log."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry, User
from analyses import services
from analyses.models import Analysis, Video
from analyses.moderation.cases import NotAllowed, case_of
from analyses.moderation.decisions import decide
from analyses.moderation.models import Kind
from analyses.quotas import Quota, meters
from analyses.retention import clock_of, hold, lift_hold, purge, purge_file, purge_result
from analyses.storage import stored_evidence_sizes
from analyses.tests.factories import make_analysis, make_done, make_failed
from analyses.uploads import check_model


def aged(analysis: Analysis, days: float) -> Analysis:
    """As if it had been uploaded and finished so long ago."""
    then = timezone.now() - timedelta(days=days)
    Video.objects.filter(pk=analysis.video_id).update(created_at=then)
    Analysis.objects.filter(pk=analysis.pk, finished_at__isnull=False).update(finished_at=then)
    return Analysis.objects.with_video().get(pk=analysis.pk)


@pytest.fixture
def policy(settings: Settings) -> None:
    settings.RETENTION_FILES_DAYS, settings.RETENTION_RESULTS_DAYS = 7, 30


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    return django_capture_on_commit_callbacks(execute=True)


def test_without_a_policy_everything_stays(done: Analysis) -> None:
    aged(done, 10_000)
    assert purge() == (0, 0)
    clock = clock_of(done)
    assert (clock.file_at, clock.result_at, clock.is_running) == (None, None, False)


def test_a_file_goes_and_its_result_stays(done: Analysis, policy: None, committed: Any) -> None:
    old = aged(done, 7.01)
    fresh = aged(make_done(done.owner), 6.9)
    with committed:
        assert purge() == (1, 0)
    assert not default_storage.exists(str(old.video.file.name))
    assert default_storage.exists(str(fresh.video.file.name))
    assert stored_evidence_sizes(old.uuid)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == (None, "purge_file", str(old.video.uuid))
    assert entry.before == {"sha256": old.video.sha256, "size_bytes": old.video.size_bytes}
    assert purge() == (0, 0)


def test_a_result_goes_with_its_evidence_and_its_video(done: Analysis, policy: None, committed: Any) -> None:
    old = aged(done, 31)
    failed = aged(make_failed(done.owner), 31)
    with committed:
        assert purge() == (2, 2)
    assert not Analysis.objects.exists()
    assert not Video.objects.exists()
    assert not stored_evidence_sizes(old.uuid)
    logged = AuditEntry.objects.filter(action="purge_result").values_list("target", flat=True)
    assert set(logged) == {str(old.uuid), str(failed.uuid)}


def test_what_is_being_analysed_again_keeps_its_file(done: Analysis, policy: None) -> None:
    old = aged(done, 8)
    make_analysis(done.owner, video=old.video)
    assert purge() == (0, 0)
    assert not purge_file(old.video)
    assert not AuditEntry.objects.exists()


def test_a_hold_stops_both_until_it_is_lifted(done: Analysis, mo: User, policy: None, committed: Any) -> None:
    old = aged(done, 31)
    hold(analysis=old, moderator=mo, reason=" A court asked for it. ")
    assert purge() == (0, 0)
    assert not purge_file(old.video)
    assert not purge_result(old)
    assert (clock_of(old).is_kept, clock_of(old).is_running) == (True, False)
    assert case_of(old).kept_reason == "A court asked for it."
    lift_hold(analysis=old, moderator=mo, reason="The case is closed.")
    with committed:
        assert purge() == (1, 1)
    assert list(AuditEntry.objects.values_list("action", flat=True)) == [
        "hold",
        "lift_hold",
        "purge_file",
        "purge_result",
    ]


def test_a_hold_keeps_the_file_that_other_results_share(done: Analysis, mo: User, policy: None) -> None:
    other = make_done(done.owner, video=done.video)
    hold(analysis=other, moderator=mo, reason="A court.")
    old = aged(done, 31)
    assert clock_of(old).is_kept
    assert purge() == (0, 0)


def test_a_hold_keeps_moderators_from_deleting_and_not_the_owner(done: Analysis, mo: User) -> None:
    held = make_done(done.owner, video=done.video)
    hold(analysis=held, moderator=mo, reason="A court.")
    for analysis in (done, held):
        with pytest.raises(NotAllowed, match="Lift the hold first"):
            decide(analysis=analysis, moderator=mo, kind=Kind.DELETE_FILE, reason="x", seen=None)
        with pytest.raises(services.StillNeeded, match="Lift the hold first"):
            services.delete_analysis(analysis=analysis, by=mo)
    done.video.refresh_from_db()
    assert (bool(done.video.file), Analysis.objects.count()) == (True, 2)
    assert AuditEntry.objects.count() == 1
    services.delete_analysis(analysis=done, by=done.owner)
    lift_hold(analysis=held, moderator=mo, reason="It is over.")
    services.delete_analysis(analysis=held, by=mo)
    assert not Analysis.objects.exists()


def test_holding_twice_or_without_a_reason_is_refused(done: Analysis, mo: User) -> None:
    with pytest.raises(NotAllowed, match="reason"):
        hold(analysis=done, moderator=mo, reason=" ")
    with pytest.raises(NotAllowed, match="isn’t on hold"):
        lift_hold(analysis=done, moderator=mo, reason="x")
    hold(analysis=done, moderator=mo, reason="x")
    with pytest.raises(NotAllowed, match="on hold already"):
        hold(analysis=done, moderator=mo, reason="x")
    with pytest.raises(NotAllowed, match="reason"):
        lift_hold(analysis=done, moderator=mo, reason="")
    assert AuditEntry.objects.count() == 1


def test_the_clock_tells_both_times(done: Analysis, policy: None) -> None:
    clock = clock_of(done)
    assert clock.file_at == done.video.created_at + timedelta(days=7)
    assert isinstance(done.finished_at, datetime)
    assert clock.result_at == done.finished_at + timedelta(days=30)
    services.delete_video_files(video=done.video)
    done.video.refresh_from_db()
    assert clock_of(done).file_at is None


def test_a_deleted_file_takes_up_no_room_and_is_analysed_anew_when_it_comes_again(
    done: Analysis, alice: User, installed_weights: Any, settings: Settings
) -> None:
    installed = check_model("").sha256
    Analysis.objects.update(model_sha256=installed, threshold=settings.DETECTOR.threshold)
    same: dict[str, Any] = {"owner": alice, "sha256": done.video.sha256, "backbone": "", "stability": False}
    assert services.find_earlier(**same) == done
    services.delete_video_files(video=done.video)
    used = {meter.quota: meter.used for meter in meters(alice)}
    assert used[Quota.STORAGE] == 0
    assert services.find_earlier(**same) is None
