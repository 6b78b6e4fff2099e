"""The history as CSV, and the life of an export: asked for, written, lost, expired, deleted."""

import csv
import io
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import User
from analyses import export_services, export_writing
from analyses.account_deletion import delete_account
from analyses.export_services import TooManyExports
from analyses.export_writing import COLUMNS, write_export
from analyses.models import Analysis, Export, ExportState, State
from analyses.moderation.decisions import decide
from analyses.moderation.models import Kind
from analyses.presence import HOST
from analyses.queue import CHORES, analysis_queue, queued_exports, queued_uuids
from analyses.reconciler import reconcile
from analyses.storage import StorageAway
from analyses.strays import remove_strays
from analyses.tasks import run_export
from analyses.tests.factories import (
    make_analysis,
    make_done,
    make_export,
    make_failed,
    make_result,
    make_video,
)
from detector.codes import Reason, Verdict


def asked(owner: User, **filters: str) -> Export:
    return export_services.request_export(owner=owner, filters=filters)


def written(export: Export) -> list[dict[str, str]]:
    """Run the job and read what it made."""
    run_export(str(export.uuid))
    export.refresh_from_db()
    assert export.state == ExportState.DONE
    with export.file.open("rb") as file:
        return list(csv.DictReader(io.StringIO(file.read().decode("utf-8-sig"))))


def test_an_analysis_is_a_row(alice: User) -> None:
    video = make_video(alice, name="=cmd|'/c calc'!A1.mp4")
    result = make_result(video, verdict=Verdict.REAL, fake_probability=0.2, reasons=(Reason.TRUNCATED,))
    analysis = make_done(alice, video=video, result=result)
    failed = make_failed(alice, name="Überprüfung.mp4")
    rows = written(asked(alice))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["file"] for row in rows] == ["Überprüfung.mp4", "'=cmd|'/c calc'!A1.mp4"]
    assert (rows[0]["state"], rows[0]["failure"], rows[0]["fake_probability"]) == ("failed", "unreadable", "")
    assert rows[0]["analysis"] == str(failed.uuid)
    row = rows[1]
    assert (row["verdict"], row["fake_probability"], row["reasons"]) == ("real", "0.2", "truncated")
    assert (row["duration_s"], row["video_sha256"]) == ("4.0", analysis.video.sha256)
    assert (row["model"], row["model_sha256"]) == ("tiny_lstm", "a" * 64)


def test_what_a_moderator_found_stands_beside_the_verdict(alice: User, mo: User) -> None:
    analysis = make_done(alice)
    make_done(alice)
    decide(analysis=analysis, moderator=mo, kind=Kind.OVERRULE_REAL, reason="=1+1", seen=None)
    plain, judged = written(asked(alice))
    columns = ("verdict", "moderator_label", "moderator_reason")
    assert [judged[column] for column in columns] == ["fake", "real", "'=1+1"]
    assert judged["moderator_decided_at"]
    assert [plain[column] for column in columns] == ["fake", "", ""]


def test_the_filters_in_force_are_kept_and_others_rows_never(alice: User, bob: User) -> None:
    make_done(alice, name="mine.mp4")
    make_failed(alice)
    make_done(bob, name="not mine.mp4")
    export = asked(alice, verdict="fake", page="3")
    assert export.filters == {"verdict": "fake"}
    assert [row["file"] for row in written(export)] == ["mine.mp4"]
    export.refresh_from_db()
    assert (export.rows, export.total) == (1, 1)
    assert export.size_bytes == export.file.size
    assert export.expires_at is not None
    assert export.expires_at > timezone.now() + timedelta(days=6)


def test_an_empty_history_is_a_header(alice: User) -> None:
    assert written(asked(alice)) == []


def test_its_file_has_a_random_name(alice: User, settings: Settings) -> None:
    export = make_export(alice)
    assert Path(export.file.path).parent == Path(settings.MEDIA_ROOT) / "exports"
    assert str(export.uuid) not in str(export.file.name)
    assert "alice" not in str(export.file.name)


def test_a_long_history_needs_no_more_memory(alice: User) -> None:
    """Loaded at once, the documents of these rows would take 80 MB."""
    done = make_done(alice)
    document = {**(done.document or {}), "padding": "x" * 40_000}
    fields = {"owner": alice, "video": done.video, "state": State.DONE, "verdict": "fake", "threshold": 0.7}
    fields |= {"model_version": "1", "model_sha256": "a" * 64, "document": document}
    fields |= {"finished_at": timezone.now()}
    for _ in range(4):
        Analysis.objects.bulk_create([Analysis(**fields) for _ in range(500)])
    export = export_services.claim_export(uuid=asked(alice).uuid, worker="worker-1")
    assert export is not None
    tracemalloc.start()
    write_export(export)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    export.refresh_from_db()
    assert export.rows == 2001
    assert peak < 12_000_000


def test_a_second_delivery_does_nothing(alice: User) -> None:
    export = asked(alice)
    written(export)
    name = export.file.name
    run_export(str(export.uuid))
    export.refresh_from_db()
    assert export.file.name == name


def test_progress_is_written_batch_by_batch(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_video(alice)
    for _ in range(5):
        make_analysis(alice, video=video)
    monkeypatch.setattr(export_writing, "BATCH", 2)
    monkeypatch.setattr(export_writing, "BEAT_EVERY_S", 0.0)
    told: list[tuple[int, int]] = []

    def note(*, export: Export, rows: int, total: int) -> bool:
        told.append((rows, total))
        return True

    monkeypatch.setattr(export_writing, "record_export_progress", note)
    assert len(written(asked(alice))) == 5
    assert told == [(0, 5), (2, 5), (4, 5)]


def test_one_that_is_deleted_while_it_is_written_leaves_nothing(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_analysis(alice)
    export = asked(alice)
    claimed = export_services.claim_export(uuid=export.uuid, worker="worker-1")
    assert claimed is not None
    export_services.delete_export(export=export)
    write_export(claimed)
    assert not export_services.record_export(export=claimed, file=ContentFile(b"x"), rows=0)
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.csv"))
    assert list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()) == []


def test_one_that_breaks_fails_and_is_raised(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(export: Export) -> None:
        raise ValueError("a bad row")

    monkeypatch.setattr("analyses.tasks.write_export", broken)
    export = asked(alice)
    with pytest.raises(ValueError, match="a bad row"):
        run_export(str(export.uuid))
    export.refresh_from_db()
    assert (export.state, bool(export.file)) == (ExportState.FAILED, False)


def test_nobody_has_endlessly_many_under_way(alice: User, bob: User) -> None:
    for _ in range(3):
        asked(alice)
    with pytest.raises(TooManyExports):
        asked(alice)
    assert asked(bob).state == ExportState.QUEUED


@pytest.mark.usefixtures("broker")
def test_it_is_enqueued_by_its_uuid_alone(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        export = asked(alice)
    assert queued_exports() == {export.uuid}
    assert queued_uuids() == set()
    job = analysis_queue(CHORES).jobs[0]
    assert (job.func_name, job.args) == ("analyses.tasks.run_export", [str(export.uuid)])


@pytest.mark.usefixtures("broker")
def test_what_waits_without_a_job_is_enqueued_once(alice: User) -> None:
    export = asked(alice)
    reconcile()
    reconcile()
    assert analysis_queue(CHORES).job_ids == [f"export-{export.uuid}"]


@pytest.mark.usefixtures("broker")
def test_what_a_lost_worker_was_writing_is_queued_again(alice: User) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    export = make_export(
        alice, state=ExportState.RUNNING, claimed_by="elsewhere", heartbeat_at=long_ago, rows=7
    )
    reconcile()
    export.refresh_from_db()
    assert (export.state, export.losses, export.rows) == (ExportState.QUEUED, 1, 0)
    assert queued_exports() == {export.uuid}


@pytest.mark.usefixtures("broker")
def test_a_living_worker_keeps_what_it_writes(alice: User) -> None:
    now = timezone.now()
    export = make_export(alice, state=ExportState.RUNNING, claimed_by=f"{HOST}:1:x", heartbeat_at=now)
    reconcile()
    export.refresh_from_db()
    assert export.state == ExportState.RUNNING


def test_after_five_lost_workers_it_fails(alice: User) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    export = make_export(
        alice, state=ExportState.RUNNING, claimed_by="elsewhere", heartbeat_at=long_ago, losses=4
    )
    reconcile()
    export.refresh_from_db()
    assert export.state == ExportState.FAILED


def test_what_has_expired_goes_with_its_file(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    fresh, old = make_export(alice), make_export(alice)
    Export.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        reconcile()
    assert list(Export.objects.all()) == [fresh]
    assert Path(fresh.file.path).exists()
    assert not Path(old.file.path).exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_that_can_not_be_removed_keeps_no_other_from_being_removed(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = [make_export(alice) for _ in range(2)]
    Export.objects.update(expires_at=timezone.now())
    storage, delete = exports[0].file.storage, exports[0].file.storage.delete

    def away(name: str) -> None:
        if name == exports[0].file.name:
            raise StorageAway("the store is away")
        delete(name)

    monkeypatch.setattr(storage, "delete", away)
    assert export_services.remove_expired_exports() == 2
    assert [Path(export.file.path).exists() for export in exports] == [True, False]


def test_a_deleted_account_takes_its_exports_along(
    alice: User, bob: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    mine, other = make_export(alice), make_export(bob)
    with django_capture_on_commit_callbacks(execute=True):
        delete_account(user=alice)
    assert not Path(mine.file.path).exists()
    bob.delete()
    assert not Export.objects.exists()
    assert remove_strays() == 0, "written to within the hour"
    other.file.storage.get_modified_time = lambda name: timezone.now() - timedelta(hours=2)  # type: ignore[method-assign]
    assert remove_strays() == 1
    assert not Path(other.file.path).exists()
