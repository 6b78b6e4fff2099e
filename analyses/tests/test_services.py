import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import User
from analyses import claims, services
from analyses.detection import DetectorConfig, Failure, Verdict
from analyses.evidence import EvidenceMissing, open_evidence
from analyses.models import Analysis, State, Video
from analyses.queue import queued_uuids
from analyses.services import UploadRejected
from analyses.storage import StorageAway, delete_evidence, save_evidence
from analyses.tests.factories import (
    JPEG,
    MP4_BYTES,
    PNG,
    make_analysis,
    make_done,
    make_failed,
    make_result,
    make_running,
)
from analyses.uploads import shown_name


def stored_files(settings: Settings) -> list[str]:
    root = Path(settings.MEDIA_ROOT)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


# Submitting


@pytest.mark.usefixtures("installed_weights")
def test_an_upload_becomes_a_waiting_analysis(alice: User, upload: SimpleUploadedFile) -> None:
    analysis = services.submit_analysis(owner=alice, upload=upload)
    video = analysis.video
    assert analysis.state == State.QUEUED
    assert (video.owner, video.original_name, video.size_bytes) == (alice, "clip.mp4", len(MP4_BYTES))
    assert video.sha256 == hashlib.sha256(MP4_BYTES).hexdigest()
    assert Path(video.file.path).read_bytes() == MP4_BYTES


@pytest.mark.usefixtures("installed_weights")
def test_nothing_of_the_uploaded_name_reaches_the_file_system(alice: User) -> None:
    upload = SimpleUploadedFile("secret-source.mp4", MP4_BYTES)
    name = services.submit_analysis(owner=alice, upload=upload).video.file.name
    assert name is not None
    assert "secret" not in name
    assert name.endswith(".bin")


@pytest.mark.usefixtures("installed_weights", "broker")
def test_the_queue_gets_the_uuid_once_the_rows_are_committed(
    alice: User,
    upload: SimpleUploadedFile,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        analysis = services.submit_analysis(owner=alice, upload=upload)
        assert queued_uuids() == set()
    assert queued_uuids() == {analysis.uuid}


@pytest.mark.usefixtures("installed_weights")
def test_without_a_broker_the_analysis_waits_all_the_same(
    alice: User,
    upload: SimpleUploadedFile,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        analysis = services.submit_analysis(owner=alice, upload=upload)
    assert len(callbacks) == 1
    assert Analysis.objects.get(uuid=analysis.uuid).state == State.QUEUED


@pytest.mark.usefixtures("installed_weights")
def test_a_transaction_that_fails_leaves_neither_row_nor_file(
    alice: User, upload: SimpleUploadedFile, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**fields: Any) -> None:
        raise OperationalError("disk is full")

    monkeypatch.setattr(Analysis.objects, "create", full)
    with pytest.raises(OperationalError):
        services.submit_analysis(owner=alice, upload=upload)
    assert not Video.objects.exists()
    assert stored_files(settings) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Failure.EMPTY),
        (b"just some text, named like a video", Failure.NOT_VIDEO),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", Failure.NOT_VIDEO),
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", Failure.NOT_VIDEO),
        (b"\x00" * 64, Failure.NOT_VIDEO),
        (b"\xff\xd8\xff\xe0 a photo", Failure.NOT_VIDEO),
        (b"FLV\x01\x05 a flash video", Failure.UNSUPPORTED),
        (MP4_BYTES + b"x" * 2000, Failure.TOO_LARGE),
    ],
    ids=["empty", "text", "ffconcat", "HLS", "zeros", "photo", "FLV", "too large"],
)
@pytest.mark.usefixtures("installed_weights")
def test_what_is_no_video_is_refused_and_not_kept(
    alice: User, settings: Settings, content: bytes, code: Failure
) -> None:
    settings.MAX_VIDEO_SIZE_BYTES = 2000
    upload = SimpleUploadedFile("clip.mp4", content, content_type="video/mp4")
    with pytest.raises(UploadRejected) as refusal:
        services.submit_analysis(owner=alice, upload=upload)
    assert refusal.value.code == code
    assert refusal.value.sentence.endswith(".")
    assert stored_files(settings) == []


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00",
        b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat",
        b"RIFF\x00\x00\x01\x00AVI LIST",
        b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04",
    ],
    ids=["MOV", "old MOV", "AVI", "Matroska"],
)
@pytest.mark.usefixtures("installed_weights")
def test_every_supported_container_is_taken_whatever_its_name(alice: User, head: bytes) -> None:
    upload = SimpleUploadedFile("holiday.txt", head + b"\x00" * 500)
    assert services.submit_analysis(owner=alice, upload=upload).state == State.QUEUED


def test_without_weights_no_analysis_starts(
    alice: User, upload: SimpleUploadedFile, settings: Settings, tmp_path: Path
) -> None:
    settings.DETECTOR = DetectorConfig(model_path=tmp_path / "nothing.safetensors")
    with pytest.raises(UploadRejected) as refusal:
        services.submit_analysis(owner=alice, upload=upload)
    assert refusal.value.code == Failure.NO_WEIGHTS
    assert not Analysis.objects.exists()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Überprüfung 視頻.mp4", "Überprüfung 視頻.mp4"),
        ("C:\\Users\\alice\\clip.mp4", "clip.mp4"),
        ("a\x00b\x1b[31m\u202egpj.mp4", "ab[31mgpj.mp4"),
        ("  two \n lines .mp4 ", "two lines .mp4"),
        ("x" * 400 + ".mp4", "x" * 196 + ".mp4"),
        ("\u200b", "video"),
    ],
)
def test_names_are_kept_as_data_to_show(given: str, shown: str) -> None:
    assert shown_name(given) == shown


# Claiming and progress


def test_only_one_worker_gets_an_analysis(queued: Analysis) -> None:
    first = claims.claim(uuid=queued.uuid, worker="worker-1")
    assert first is not None
    assert (first.state, first.claimed_by) == (State.RUNNING, "worker-1")
    assert claims.claim(uuid=queued.uuid, worker="worker-2") is None


def test_there_is_nothing_to_claim_of_an_analysis_that_does_not_exist(db: None) -> None:
    assert claims.claim(uuid=uuid4(), worker="worker-1") is None


def test_progress_is_written_and_counts_as_a_sign_of_life(alice: User) -> None:
    analysis = make_running(alice, heartbeat_at=timezone.now() - timedelta(seconds=15))
    assert claims.record_progress(analysis=analysis, stage="faces", done=12, total=40)
    row = Analysis.objects.get(pk=analysis.pk)
    assert (row.stage, row.progress_done, row.progress_total) == ("faces", 12, 40)
    assert row.heartbeat_at is not None
    assert (timezone.now() - row.heartbeat_at).total_seconds() < 5


def test_a_worker_that_lost_its_claim_is_told_so_and_writes_nothing(running: Analysis) -> None:
    Analysis.objects.filter(pk=running.pk).update(claimed_by="worker-2")
    assert not claims.record_progress(analysis=running, stage="faces", done=12, total=40)
    assert not claims.record_result(analysis=running, result=make_result(running.video))
    claims.record_failure(analysis=running, code=Failure.CRASHED)
    claims.release(analysis=running)
    row = Analysis.objects.get(pk=running.pk)
    assert (row.state, row.stage, row.claimed_by) == (State.RUNNING, "", "worker-2")


# Results and failures


def test_a_result_becomes_columns_document_and_images(running: Analysis) -> None:
    assert claims.record_progress(analysis=running, stage="model", done=32, total=60)
    assert claims.record_result(analysis=running, result=make_result(running.video))
    row = Analysis.objects.get(pk=running.pk)
    assert (row.stage, row.progress_done, row.progress_total) == ("", 0, 0), "it is no longer on its way"
    assert (row.state, row.verdict, row.fake_probability) == (State.DONE, "fake", 0.92)
    assert (row.model_name, row.model_version, row.threshold) == ("tiny_lstm", "test", 0.7)
    assert row.document is not None
    assert row.document["path"] == "clip.mp4"
    assert open_evidence(row, "1-0-crop.jpg").read() == JPEG
    assert open_evidence(row, "1-0-heatmap.png").read() == PNG


def test_images_that_cannot_be_written_take_the_result_back(
    running: Analysis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored_files(settings)

    def half(uuid: UUID, images: dict[str, bytes]) -> None:
        save_evidence(uuid, dict(list(images.items())[:1]))
        raise OSError("disk is full")

    monkeypatch.setattr(claims, "save_evidence", half)
    with pytest.raises(OSError, match="disk is full"):
        claims.record_result(analysis=running, result=make_result(running.video))
    assert Analysis.objects.get(pk=running.pk).state == State.RUNNING
    assert stored_files(settings) == before


def test_a_result_of_another_file_is_refused(running: Analysis, alice: User) -> None:
    other = make_analysis(alice, content=MP4_BYTES + b"!")
    with pytest.raises(ValueError, match="no longer the one"):
        claims.record_result(analysis=running, result=make_result(other.video))


def test_a_probability_that_is_no_number_is_refused(running: Analysis) -> None:
    result = make_result(running.video, scores=(float("nan"),))
    with pytest.raises(ValueError, match="JSON"):
        claims.record_result(analysis=running, result=result)
    assert Analysis.objects.get(pk=running.pk).state == State.RUNNING


def test_only_images_that_the_result_names_are_opened(done: Analysis) -> None:
    for name in ("2-0-crop.jpg", "../../videos/x.bin", ""):
        with pytest.raises(EvidenceMissing):
            open_evidence(done, name)


def test_an_image_that_is_gone_is_missing_and_not_an_error(done: Analysis) -> None:
    delete_evidence(done.uuid)
    with pytest.raises(EvidenceMissing):
        open_evidence(done, "1-0-crop.jpg")


def test_a_failure_ends_the_analysis_with_its_code(running: Analysis) -> None:
    claims.record_failure(analysis=running, code=Failure.UNREADABLE)
    row = Analysis.objects.get(pk=running.pk)
    assert (row.state, row.failure) == (State.FAILED, "unreadable")
    assert row.finished_at is not None


def test_the_first_crash_is_forgiven_and_the_second_is_final(running: Analysis) -> None:
    assert claims.record_attempt(analysis=running, code=Failure.CRASHED)
    assert Analysis.objects.get(pk=running.pk).state == State.RUNNING
    assert not claims.record_attempt(analysis=running, code=Failure.TIMED_OUT)
    row = Analysis.objects.get(pk=running.pk)
    assert (row.state, row.failure, row.attempts) == (State.FAILED, "timed_out", 2)


# Losses


def test_a_lost_worker_sends_the_analysis_back_to_the_queue(running: Analysis) -> None:
    claims.requeue_lost(analysis=running)
    row = Analysis.objects.get(pk=running.pk)
    assert (row.state, row.losses, row.attempts, row.claimed_by) == (State.QUEUED, 1, 0, "")


def test_the_fifth_loss_is_the_last(alice: User) -> None:
    analysis = make_running(alice, losses=4)
    claims.requeue_lost(analysis=analysis)
    row = Analysis.objects.get(pk=analysis.pk)
    assert (row.state, row.failure, row.losses) == (State.FAILED, "worker_lost", 5)


def test_a_worker_that_spoke_again_meanwhile_keeps_its_analysis(running: Analysis) -> None:
    claims.requeue_lost(analysis=running, if_silent=True)
    assert Analysis.objects.get(pk=running.pk).state == State.RUNNING


def test_a_lost_analysis_that_was_to_be_cancelled_is_cancelled(alice: User) -> None:
    analysis = make_running(alice, cancel_requested=True)
    claims.requeue_lost(analysis=analysis)
    row = Analysis.objects.get(pk=analysis.pk)
    assert (row.state, row.failure) == (State.CANCELLED, "cancelled")


def test_a_worker_that_is_asked_to_end_counts_nothing_against_the_clip(running: Analysis) -> None:
    claims.release(analysis=running)
    row = Analysis.objects.get(pk=running.pk)
    assert (row.state, row.losses, row.attempts) == (State.QUEUED, 0, 0)


# Cancelling and deleting


def test_a_waiting_analysis_is_cancelled_at_once(queued: Analysis) -> None:
    services.request_cancel(analysis=queued)
    assert (queued.state, queued.failure) == (State.CANCELLED, "cancelled")
    assert claims.claim(uuid=queued.uuid, worker="worker-1") is None


def test_a_running_analysis_is_told_to_stop(running: Analysis) -> None:
    services.request_cancel(analysis=running)
    assert running.state == State.RUNNING
    assert not claims.record_progress(analysis=running, stage="model", done=1, total=2)


def test_a_finished_analysis_cannot_be_cancelled(done: Analysis) -> None:
    services.request_cancel(analysis=done)
    assert (done.state, done.verdict) == (State.DONE, Verdict.FAKE)


def test_deleting_removes_row_video_evidence_and_proxy(
    done: Analysis,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    claims.record_proxy(video=done.video, proxy=ContentFile(b"a proxy"))
    assert len(stored_files(settings)) == 4
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_analysis(analysis=done)
    assert stored_files(settings) == []
    assert not Analysis.objects.exists()
    assert not Video.objects.exists()


def test_a_video_stays_as_long_as_another_analysis_needs_it(
    done: Analysis,
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    other = make_done(alice, video=done.video)
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_analysis(analysis=done)
    assert Path(other.video.file.path).exists()
    assert open_evidence(other, "1-0-crop.jpg").read() == JPEG


def test_the_worker_of_a_deleted_analysis_is_told_and_leaves_nothing_behind(
    running: Analysis,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_analysis(analysis=running)
    assert not claims.record_progress(analysis=running, stage="model", done=1, total=2)
    assert not claims.record_result(analysis=running, result=make_result(running.video))
    claims.record_proxy(video=running.video, proxy=ContentFile(b"a proxy"))
    assert stored_files(settings) == []


@pytest.mark.django_db(transaction=True)
def test_a_store_that_is_away_undoes_no_deletion(done: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(name: str) -> None:
        raise StorageAway("the store is away")

    monkeypatch.setattr(default_storage, "delete", away)
    services.delete_analysis(analysis=done)
    assert not Video.objects.exists()


def test_a_copy_that_is_ready_after_the_file_was_deleted_is_not_kept(
    done: Analysis,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert services.delete_video_files(video=done.video)
    claims.record_proxy(video=done.video, proxy=ContentFile(b"a proxy"))
    assert not Video.objects.get().proxy
    assert not any("videos" in str(path) for path in stored_files(settings))


def test_a_failed_analysis_can_be_deleted(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    analysis = make_failed(alice)
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_analysis(analysis=analysis)
    assert not Analysis.objects.exists()
