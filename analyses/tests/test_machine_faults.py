"""The machine's own faults, a full disk or a database that restarts, are never held against a clip."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from analyses import claims, export_services, services, tasks
from analyses.detection import AnalysisResult
from analyses.evidence import evidence_sizes
from analyses.export_writing import write_export
from analyses.models import Analysis, Export, ExportState, State
from analyses.patience import PAUSES_S, patiently
from analyses.storage import save_evidence
from analyses.strays import remove_strays
from analyses.supervision import Interrupted
from analyses.tests.factories import MP4_BYTES, make_done, make_failed, make_result
from analyses.uploads import is_disk_full

pytestmark = [pytest.mark.django_db]
FULL = OSError(errno.ENOSPC, "No space left on device")
AWAY = OperationalError("server closed the connection unexpectedly")


class Failing:
    """Raises an error so many times, then does what it stands for."""

    def __init__(self, error: Exception, real: Callable[..., Any], times: int = 10**6) -> None:
        self.error, self.real, self.times = error, real, times

    def __call__(self, *args: object, **named: object) -> Any:
        self.times -= 1
        if self.times >= 0:
            raise self.error
        return self.real(*args, **named)


@pytest.fixture
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses aren't waited for, and the connection of the test stays. What would have been waited."""
    pauses: list[float] = []
    monkeypatch.setattr("analyses.patience.sleep", pauses.append)
    monkeypatch.setattr("analyses.patience.connection.close", lambda: None)
    return pauses


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every clip gets a result at once."""

    def score(path: Path, **_: object) -> AnalysisResult:
        return make_result(Analysis.objects.with_video().get(video__file__endswith=path.name).video)

    monkeypatch.setattr(tasks, "analyze_in_child", score)
    monkeypatch.setattr(tasks, "make_proxy", lambda analysis, path: None)


def run(analysis: Analysis) -> Analysis:
    tasks.run_analysis(str(analysis.uuid))
    return Analysis.objects.get(pk=analysis.pk)


@pytest.mark.usefixtures("scored")
def test_a_full_disk_sends_the_analysis_back_and_it_is_done_once_there_is_room(
    queued: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "save_evidence", Failing(FULL, save_evidence, 1))
    back = run(queued)
    assert (back.state, back.attempts, back.losses, back.failure) == (State.QUEUED, 0, 1, "")
    assert run(queued).state == State.DONE


@pytest.mark.usefixtures("scored")
def test_a_disk_that_stays_full_ends_it_as_the_machine_s_fault(
    queued: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "save_evidence", Failing(FULL, save_evidence))
    states = [run(queued) for _ in range(claims.MAX_LOSSES)]
    assert [row.state for row in states] == [State.QUEUED] * 4 + [State.FAILED]
    assert states[-1].failure == "worker_lost"


@pytest.mark.usefixtures("scored")
def test_a_database_that_restarts_costs_the_result_nothing(
    queued: Analysis, monkeypatch: pytest.MonkeyPatch, in_no_time: list[float]
) -> None:
    monkeypatch.setattr(claims, "record_result", Failing(AWAY, claims.record_result, 3))
    done = run(queued)
    assert (done.state, done.losses) == (State.DONE, 0)
    assert in_no_time == list(PAUSES_S[:3])


@pytest.mark.usefixtures("in_no_time")
def test_a_database_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OperationalError):
        patiently(Failing(AWAY, int))


def test_an_export_goes_back_to_the_queue_too(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    export = export_services.request_export(owner=alice, filters={})
    monkeypatch.setattr(tasks, "write_export", Failing(FULL, write_export, 1))
    states = []
    for _ in range(2):
        tasks.run_export(str(export.uuid))
        states.append(Export.objects.get().state)
    assert states == [ExportState.QUEUED, ExportState.DONE]


def test_images_of_an_attempt_that_never_got_its_result_are_swept(alice: User, settings: Settings) -> None:
    """A worker was killed between writing them and the result, and then the analysis failed."""
    failed, done = make_failed(alice), make_done(alice, name="other.mp4", content=b"\0\0\0\x08ftyp" * 9)
    folder = Path(settings.MEDIA_ROOT) / "evidence" / str(failed.uuid)
    folder.mkdir()
    (folder / "1-0-crop.jpg").write_bytes(b"left over")
    remove_strays()
    assert {path.name for path in folder.parent.iterdir()} == {str(done.uuid)}


def test_a_result_whose_commit_was_in_doubt_keeps_its_images(
    running: Analysis, monkeypatch: pytest.MonkeyPatch, in_no_time: list[float]
) -> None:
    """The connection broke after the database had written it: the second try finds it written."""
    written = claims.record_result

    def cut_off(*, analysis: Analysis, result: AnalysisResult) -> bool:
        monkeypatch.setattr(claims, "record_result", written)
        written(analysis=analysis, result=result)
        raise AWAY

    monkeypatch.setattr(claims, "record_result", cut_off)
    assert not patiently(lambda: tasks.record(running, make_result(running.video)))
    done = Analysis.objects.get(pk=running.pk)
    assert done.state == State.DONE
    assert set(evidence_sizes(done)) == {"1-0-crop.jpg", "1-0-heatmap.png"}


def test_a_worker_that_is_asked_to_end_leaves_the_copy_to_the_next_one(
    done: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims.set_proxy_due(video=done.video, due=True)
    monkeypatch.setattr(tasks, "playable_copy", Failing(Interrupted(), int))
    tasks.make_proxy(done, Path(done.video.file.path))
    assert Analysis.objects.awaiting_copy().get() == done


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing more can be stored among the media."""
    monkeypatch.setattr(FileSystemStorage, "_save", Failing(FULL, int))
    yield
    assert not Analysis.objects.exists()


@pytest.mark.usefixtures("no_room", "installed_weights")
def test_the_upload_page_says_that_the_disk_is_full(alice_client: Client, upload: SimpleUploadedFile) -> None:
    answer = alice_client.post("/analyses/new/", {"video": upload})
    assert answer.status_code == 507
    assert "The disk of this site is full." in answer.content.decode()
    upload.seek(0)
    told = alice_client.post("/analyses/new/", {"video": upload}, headers={"Accept": "application/json"})
    assert (told.status_code, told.json()["code"]) == (507, "disk_full")


@pytest.mark.usefixtures("installed_weights")
def test_an_upload_that_does_not_even_fit_into_the_folder_for_uploads_is_told_the_same(
    alice_client: Client, upload: SimpleUploadedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails while the form is read, before any view sees it."""
    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", Failing(FULL, int))
    answer = alice_client.post("/analyses/new/", {"video": upload})
    assert answer.status_code == 507
    assert "The disk of this site is full." in answer.content.decode()


@pytest.mark.usefixtures("no_room", "installed_weights")
@pytest.mark.parametrize("address", ["/api/v1/analyses/", "/api/detect"])
def test_the_api_says_that_the_disk_is_full(api: Client, upload: SimpleUploadedFile, address: str) -> None:
    answer = api.post(address, {"video": upload})
    told = answer.json()
    assert (answer.status_code, told.get("error", told)["code"]) == (507, "disk_full")


@pytest.mark.usefixtures("installed_weights")
def test_a_piece_that_does_not_fit_is_told_so_and_can_be_sent_again(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    tus = {"Tus-Resumable": "1.0.0"}
    address = api.post("/api/v1/uploads/", headers={**tus, "Upload-Length": str(len(MP4_BYTES))})["Location"]
    monkeypatch.setattr("analyses.resumable.os.fsync", Failing(FULL, int, 1))

    answers = []
    for _ in range(2):
        kind = "application/offset+octet-stream"
        answers.append(
            api.patch(address, MP4_BYTES, content_type=kind, headers={**tus, "Upload-Offset": "0"})
        )
    full, taken = answers
    assert (full.status_code, full.json()["code"]) == (507, "disk_full")
    assert (taken.status_code, taken["Upload-Offset"]) == (204, str(len(MP4_BYTES)))


@pytest.mark.parametrize(("room", "is_full"), [(0, False), (2**62, True)])
def test_sqlite_s_word_for_a_full_disk_is_understood_where_the_disk_is_full(
    room: int, is_full: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STATE.mkdir()
    monkeypatch.setattr("analyses.uploads.LEAST_ROOM", room)
    assert is_disk_full(OperationalError("disk I/O error")) == is_full
    assert is_disk_full(OperationalError("database or disk is full"))
    assert not is_disk_full(ValueError("disk is full"))


@pytest.mark.usefixtures("installed_weights")
@pytest.mark.parametrize(("vendor", "kept"), [("postgresql", 1), ("sqlite", 0)])
def test_a_file_stays_where_nobody_knows_whether_its_row_was_written(
    vendor: str, kept: int, alice: User, upload: SimpleUploadedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyses.patience.connection.vendor", vendor)
    monkeypatch.setattr(services, "_queue", Failing(AWAY, int))
    with pytest.raises(OperationalError):
        services.submit_analysis(owner=alice, upload=upload)
    monkeypatch.undo()
    assert len(default_storage.listdir("videos")[1]) == kept
