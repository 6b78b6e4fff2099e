"""Quotas by role: what counts, for how long, and that nobody gets past them with many requests at once."""

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import Settings

from accounts import roles
from accounts.models import User
from analyses import claims, quotas, resumable, services
from analyses.detection import Failure
from analyses.models import Analysis, AnalysisStart, State, Upload
from analyses.quotas import Quota, QuotaExceeded
from analyses.tests.factories import (
    MP4_BYTES,
    make_analysis,
    make_done,
    make_failed,
    make_result,
    make_running,
)
from truthlens_site.tests.site import printed_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed_weights")]

SIZE = len(MP4_BYTES)
UNLIMITED: dict[str, int | None] = dict.fromkeys(Quota)
Limit = Callable[..., None]


@pytest.fixture
def limit(settings: Settings) -> Limit:
    """Set these limits for users, and no others."""

    def set_limits(role: str = "user", **limits: int) -> None:
        settings.QUOTAS = dict.fromkeys(settings.QUOTAS, UNLIMITED) | {role: UNLIMITED | limits}

    return set_limits


@pytest.fixture
def tiny_megabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of two clips."""
    monkeypatch.setattr(quotas, "MEGABYTE", 2 * SIZE)


def submit(owner: User, number: int = 0) -> Analysis:
    """A clip that differs from those with other numbers in one byte."""
    content = MP4_BYTES[:-1] + bytes([number])
    return services.submit_analysis(owner=owner, upload=SimpleUploadedFile("clip.mp4", content))


def begin(owner: User, size: int) -> Upload:
    return resumable.begin_upload(owner=owner, name="clip.mp4", size=size)


def refusal(act: Callable[[], object]) -> QuotaExceeded:
    before = Analysis.objects.count(), Upload.objects.count(), AnalysisStart.objects.count()
    with pytest.raises(QuotaExceeded) as refused:
        act()
    assert before == (Analysis.objects.count(), Upload.objects.count(), AnalysisStart.objects.count())
    return refused.value


def started(owner: User, *, ago: timedelta, seconds: float = 0.0) -> datetime:
    """A finished analysis of so long ago; when that was."""
    then = timezone.now() - ago
    analysis = make_done(owner)
    AnalysisStart.objects.create(owner=owner, analysis=analysis.uuid, seconds=seconds, created_at=then)
    return then


def meter(user: User, quota: Quota) -> quotas.Meter:
    return next(meter for meter in quotas.meters(user) if meter.quota == quota)


# Analyses a day


def test_so_many_analyses_a_day_and_no_more(alice: User, bob: User, limit: Limit) -> None:
    limit(analyses=2)
    for number in range(2):
        submit(alice, number)
    assert refusal(lambda: submit(alice, 2)).quota == Quota.ANALYSES
    submit(bob)


def test_a_refused_file_is_not_kept(alice: User, limit: Limit, settings: Settings) -> None:
    limit(analyses=1)
    submit(alice)
    refusal(lambda: submit(alice, 1))
    assert len(list(Path(settings.MEDIA_ROOT).rglob("*.bin"))) == 1


def test_a_day_is_the_last_24_hours_and_it_is_told_when_the_next_is_possible(
    alice: User, limit: Limit
) -> None:
    limit(analyses=2)
    started(alice, ago=timedelta(hours=25))
    first = started(alice, ago=timedelta(hours=20))
    started(alice, ago=timedelta(hours=1))
    exceeded = refusal(lambda: submit(alice))
    assert exceeded.frees_at == first + timedelta(hours=24)
    assert exceeded.retry_after_s == pytest.approx(4 * 3600, abs=5)
    AnalysisStart.objects.filter(created_at=first).update(created_at=first - timedelta(hours=5))
    submit(alice)
    assert AnalysisStart.objects.filter(owner=alice).count() == 2, "those that count no longer are forgotten"


def test_a_lowered_limit_frees_when_enough_are_a_day_old(alice: User, limit: Limit) -> None:
    times = [started(alice, ago=timedelta(hours=hours)) for hours in (20, 15, 10, 5)]
    limit(analyses=2)
    assert refusal(lambda: submit(alice)).frees_at == times[2] + timedelta(hours=24)


def test_deleting_an_analysis_gives_nothing_back(alice: User, limit: Limit) -> None:
    limit(analyses=1)
    analysis = submit(alice)
    Analysis.objects.filter(pk=analysis.pk).update(
        state=State.FAILED, failure="crashed", finished_at=timezone.now()
    )
    services.delete_analysis(analysis=analysis)
    assert refusal(lambda: submit(alice)).quota == Quota.ANALYSES


@pytest.mark.parametrize("way", [services.request_cancel, services.delete_analysis])
def test_what_never_ran_is_given_back(way: Callable[..., None], alice: User, limit: Limit) -> None:
    limit(analyses=1)
    way(analysis=submit(alice))
    submit(alice, 1)


def test_what_was_cancelled_while_it_ran_is_not(alice: User, limit: Limit) -> None:
    limit(analyses=1)
    claimed = claims.claim(uuid=submit(alice).uuid, worker="worker-1")
    assert claimed is not None
    services.request_cancel(analysis=claimed)
    claims.record_failure(analysis=claimed, code=Failure.CANCELLED)
    assert refusal(lambda: submit(alice)).quota == Quota.ANALYSES


def lose(analysis: Analysis) -> None:
    analysis.losses = claims.MAX_LOSSES
    claims.requeue_lost(analysis=analysis)


def without_weights(analysis: Analysis) -> None:
    claims.record_failure(analysis=analysis, code=Failure.NO_WEIGHTS)


@pytest.mark.parametrize("end", [lose, without_weights])
def test_what_failed_by_the_sites_fault_is_given_back(
    end: Callable[[Analysis], None], alice: User, limit: Limit
) -> None:
    limit(analyses=1)
    claimed = claims.claim(uuid=submit(alice).uuid, worker="worker-1")
    assert claimed is not None
    end(claimed)
    assert Analysis.objects.get().state == State.FAILED
    submit(alice, 1)


def test_an_earlier_result_costs_nothing(alice: User, limit: Limit) -> None:
    from analyses.detection import check_weights

    done = make_done(alice)
    Analysis.objects.filter(pk=done.pk).update(model_sha256=check_weights().sha256)
    limit(analyses=1)
    started(alice, ago=timedelta(hours=1))
    assert services.submit_analysis(owner=alice, upload=SimpleUploadedFile("a.mp4", MP4_BYTES)) == done


# Analysing again


def test_another_analysis_of_the_same_video_counts(alice: User, limit: Limit) -> None:
    limit(analyses=1)
    done = make_done(alice)
    again = services.rerun_analysis(analysis=done)
    assert services.rerun_analysis(analysis=done) == again, "the same one under way costs nothing"
    assert refusal(lambda: services.rerun_analysis(analysis=done, stability=True)).quota == Quota.ANALYSES


def test_a_moderator_who_has_it_analysed_again_pays_for_it(alice: User, mo: User, limit: Limit) -> None:
    limit("user", analyses=1)
    done = make_done(alice)
    assert services.rerun_analysis(analysis=done, asked_by=mo).owner == alice
    submit(alice, 1)
    assert list(AnalysisStart.objects.order_by("pk").values_list("owner__email", flat=True)) == [
        mo.email,
        alice.email,
    ]


def test_analysing_again_needs_no_room(alice: User, limit: Limit, tiny_megabyte: None) -> None:
    done = make_done(alice)
    make_done(alice), make_done(alice)
    limit(storage=1)
    services.rerun_analysis(analysis=done)


# Minutes of video


def test_minutes_count_once_they_are_known(alice: User, limit: Limit, settings: Settings) -> None:
    settings.MAX_VIDEO_DURATION_S = 30
    limit(minutes=2)
    first = started(alice, ago=timedelta(hours=3), seconds=50)
    started(alice, ago=timedelta(hours=2), seconds=65)
    analysis = submit(alice)
    assert meter(alice, Quota.MINUTES).held == 30
    held = refusal(lambda: submit(alice, 1))
    assert held.quota == Quota.MINUTES
    assert held.waits_for_own
    assert held.retry_after_s == pytest.approx(60, abs=2)
    finish(analysis)
    assert (meter(alice, Quota.MINUTES).used, meter(alice, Quota.MINUTES).held) == (119.0, 0.0)
    finish(submit(alice, 1))
    full = refusal(lambda: submit(alice, 2))
    assert full.frees_at == first + timedelta(hours=24)
    assert not full.waits_for_own


def finish(analysis: Analysis) -> None:
    """As the worker does it; the video is four seconds long."""
    claimed = claims.claim(uuid=analysis.uuid, worker="worker-1")
    assert claimed is not None
    assert claims.record_result(analysis=claimed, result=make_result(claimed.video))


def test_a_result_that_is_no_longer_wanted_counts_no_length(alice: User) -> None:
    analysis = submit(alice)
    claimed = claims.claim(uuid=analysis.uuid, worker="worker-1")
    assert claimed is not None
    Analysis.objects.filter(pk=analysis.pk).update(claimed_by="worker-2")
    assert not claims.record_result(analysis=claimed, result=make_result(claimed.video))
    assert AnalysisStart.objects.get().seconds == 0


# Bytes stored


def test_a_file_that_has_no_room_is_refused_until_something_is_deleted(
    alice: User, limit: Limit, tiny_megabyte: None
) -> None:
    limit(storage=1)
    first, _ = make_done(alice, content=b"x" * SIZE), make_done(alice)
    exceeded = refusal(lambda: submit(alice))
    assert (exceeded.quota, exceeded.frees_at, exceeded.retry_after_s) == (Quota.STORAGE, None, None)
    services.delete_analysis(analysis=first)
    submit(alice)


def test_room_is_taken_when_an_upload_begins_and_given_back_when_it_is_discarded(
    alice: User, limit: Limit, tiny_megabyte: None, settings: Settings
) -> None:
    limit(storage=1)
    upload = begin(alice, SIZE + 1)
    assert refusal(lambda: begin(alice, SIZE)).quota == Quota.STORAGE
    assert refusal(lambda: submit(alice)).quota == Quota.STORAGE
    assert len(list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir())) == 1
    resumable.discard_upload(upload=upload)
    begin(alice, SIZE)


def send_all(upload: Upload) -> Upload:
    return resumable.receive_piece(
        upload=upload, piece=resumable.Piece(upload.received_bytes, SIZE, io.BytesIO(MP4_BYTES))
    )


def test_an_upload_doesn_t_stand_in_its_own_way(alice: User, limit: Limit, tiny_megabyte: None) -> None:
    limit(storage=1)
    make_done(alice, content=b"x" * SIZE)
    upload = begin(alice, SIZE)
    assert send_all(upload).analysis is not None
    assert meter(alice, Quota.STORAGE).left == 0


def test_an_upload_that_ends_while_the_quota_is_full_can_be_finished_later(alice: User, limit: Limit) -> None:
    limit(analyses=1)
    upload = begin(alice, SIZE)
    first = submit(alice, 1)
    assert refusal(lambda: send_all(upload)).quota == Quota.ANALYSES
    services.request_cancel(analysis=first)
    assert send_all(Upload.objects.get()).analysis is not None


# At once


def test_so_many_wait_or_run_at_once(alice: User, limit: Limit) -> None:
    limit(running=2)
    running = make_running(alice)
    make_analysis(alice), make_failed(alice)
    exceeded = refusal(lambda: submit(alice))
    assert (exceeded.quota, exceeded.waits_for_own) == (Quota.RUNNING, True)
    assert exceeded.retry_after_s == pytest.approx(60, abs=2)
    claims.record_failure(analysis=running, code=Failure.CRASHED)
    submit(alice)


def test_nothing_begins_that_would_be_refused_in_the_end(alice: User, limit: Limit) -> None:
    make_running(alice)
    limit(running=1)
    assert refusal(lambda: begin(alice, 9)).quota == Quota.RUNNING


# Roles


def test_limits_go_by_role(alice: User, mo: User, settings: Settings) -> None:
    root = User.objects.create_superuser("root@example.org", "correct horse battery")
    settings.QUOTAS = {
        "user": UNLIMITED | {"analyses": 1},
        "moderator": UNLIMITED | {"analyses": 2, "running": 9},
        "administrator": UNLIMITED,
    }
    shown = {user.role: [meter.limit for meter in quotas.meters(user)] for user in (alice, mo, root)}
    assert shown == {
        "user": [1, inf, inf, inf], "moderator": [2, inf, inf, 9], "administrator": [inf] * 4,
    }  # fmt: skip


def test_a_new_role_counts_at_once(alice: User, limit: Limit) -> None:
    """Also where the request began under the old one."""
    limit("moderator", analyses=1)
    started(alice, ago=timedelta(hours=1))
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    with pytest.raises(QuotaExceeded):
        quotas.admit(user=alice)


def test_a_request_that_was_under_way_when_its_user_was_suspended_starts_nothing(
    alice: User, settings: Settings
) -> None:
    upload = begin(alice, SIZE)
    roles.suspend_user(user=User.objects.get(pk=alice.pk), actor=None, reason="A test.")
    for act in (lambda: submit(alice, 1), lambda: send_all(upload), lambda: begin(alice, SIZE)):
        with pytest.raises(PermissionDenied):
            act()
    assert not Analysis.objects.exists()
    assert list(Path(settings.MEDIA_ROOT).rglob("*.bin")) == []


# At the same moment

RACE = """
import json, os, sys, io
import django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from accounts.models import User
from analyses import quotas, resumable, services
from analyses.models import Analysis, Upload, Video
from analyses.tests.factories import MP4_BYTES, make_done
from detector import DetectorConfig

settings.DETECTOR = DetectorConfig(model_path=Path(sys.argv[1]), device="cpu")
PEOPLE = 0


def admitted(act, **limits):
    "How many of eight at the same moment get in."
    global PEOPLE
    PEOPLE += 1
    user = User.objects.create_user(f"user{PEOPLE}@example.org", "correct horse battery")
    settings.QUOTAS = {"user": dict.fromkeys(quotas.Quota)}
    done = [make_done(user, content=b"%d" % number) for number in range(8)]
    settings.QUOTAS = {"user": {**dict.fromkeys(quotas.Quota), **limits}}
    barrier = Barrier(8)

    def one(number):
        barrier.wait()
        try:
            act(user, number, done)
            return True
        except quotas.QuotaExceeded:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(one, range(8)))


def submit(user, number, done):
    content = MP4_BYTES[:-1] + bytes([number])
    services.submit_analysis(owner=user, upload=SimpleUploadedFile("clip.mp4", content))


def rerun(user, number, done):
    services.rerun_analysis(analysis=done[number])


def begin(user, number, done):
    resumable.begin_upload(owner=user, name="clip.mp4", size=quotas.MEGABYTE // 2)


settings.MAX_VIDEO_DURATION_S = 60
print(json.dumps({
    "vendor": connection.vendor,
    "submit, analyses": admitted(submit, analyses=3),
    "submit, minutes": admitted(submit, minutes=3),
    "submit, running": admitted(submit, running=3),
    "rerun, analyses": admitted(rerun, analyses=3),
    "begin, storage": admitted(begin, storage=2),
    "videos": Video.objects.count(),
    "files": len(list(Path(settings.MEDIA_ROOT).rglob("*.bin"))),
    "parts": len(list(Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.part"))),
}))
"""


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_many_at_the_same_moment_get_no_more_than_one_after_the_other(
    vendor: str, tmp_path: Path, tiny_weights: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(f"migrated_{vendor}_url")
    printed = printed_by(RACE, str(tiny_weights), url=url, state=tmp_path / "race")
    assert json.loads(printed) == {
        "vendor": vendor,
        "submit, analyses": 3,
        "submit, minutes": 3,
        "submit, running": 3,
        "rerun, analyses": 3,
        "begin, storage": 3,  # of half a megabyte beside the eight small videos
        "videos": 5 * 8 + 9,
        "files": 5 * 8 + 9,
        "parts": 3,
    }
