"""Files that no row owns."""

import os
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from analyses.models import Upload
from analyses.presence import WORKER, present
from analyses.resumable import begin_upload
from analyses.strays import remove_strays
from analyses.tests.factories import make_analysis, make_done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed_weights")]


def written(path: Path, *, long_ago: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left over")
    if long_ago:
        for touched in (path, path.parent):
            os.utime(touched, (0, 0))
    return path


def test_only_old_videos_that_no_row_knows_are_removed(alice: User, settings: Settings) -> None:
    known = Path(make_analysis(alice).video.file.path)
    os.utime(known, (0, 0))
    folder = Path(settings.MEDIA_ROOT) / "videos"
    fresh = written(folder / "fresh.bin", long_ago=False)
    written(folder / "old.bin")
    assert remove_strays() == 1
    assert sorted(folder.iterdir()) == sorted([known, fresh])


def test_a_file_that_somebody_else_removes_meanwhile_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyses.strays.listed", lambda folder: ([], ["vanished.bin"]))
    assert remove_strays() == 0


def test_evidence_of_analyses_that_are_gone_is_removed(alice: User, settings: Settings) -> None:
    kept = make_done(alice)
    folder = Path(settings.MEDIA_ROOT) / "evidence"
    written(folder / "0f0e0d0c-0b0a-4908-8706-050403020100" / "1-0-crop.jpg")
    written(folder / "a folder of somebody else" / "notes.txt")
    assert remove_strays() == 1
    assert {path.name for path in folder.iterdir()} == {str(kept.uuid), "a folder of somebody else"}
    assert len(list((folder / str(kept.uuid)).iterdir())) == 2


def test_uploads_and_copies_that_were_broken_off_are_removed(settings: Settings) -> None:
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    written(folder / "tmpa.upload.mp4")
    written(folder / "copy-a" / ".proxy-b.mp4")
    others = [
        written(folder / "notes.txt"),
        written(folder / "tmpb.upload.mp4", long_ago=False),
        written(folder / "copy-c" / ".proxy-d.mp4", long_ago=False),
    ]
    os.utime(folder / "copy-c", (0, 0))
    assert remove_strays() == 2
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(others)


def test_uploads_that_nobody_goes_on_with_are_removed(alice: User, settings: Settings) -> None:
    awaited = begin_upload(owner=alice, name="a.mp4", size=9)
    expired = begin_upload(owner=alice, name="b.mp4", size=9)
    Upload.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    os.utime(awaited.path, (0, 0))
    written(folder / "0f0e0d0c-0b0a-4908-8706-050403020100.part")
    assert remove_strays() == 2
    assert list(folder.iterdir()) == [awaited.path]
    assert list(Upload.objects.all()) == [awaited]


def test_a_worker_that_lives_keeps_its_lock_and_one_that_is_gone_does_not(settings: Settings) -> None:
    with present():
        gone = written(settings.STATE / "workers" / "gone.lock")
        remove_strays()
        assert [path.name for path in gone.parent.iterdir()] == [f"{WORKER}.lock"]
    assert list(gone.parent.iterdir()) == []


def test_where_nothing_was_ever_stored_there_is_nothing_to_remove() -> None:
    assert remove_strays() == 0
