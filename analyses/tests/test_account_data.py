"""The download of all that one has: what is in it, what is not, and its life."""

import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Scope, User
from accounts.tokens import create_token
from analyses import account_data, export_services
from analyses.detection import Failure
from analyses.export_services import TooManyExports
from analyses.models import Analysis, Dispute, Export, ExportKind, ExportState
from analyses.moderation.decisions import decide
from analyses.moderation.models import Kind
from analyses.resumable import begin_upload
from analyses.tasks import run_export
from analyses.tests.factories import (
    JPEG,
    MP4_BYTES,
    make_done,
    make_export,
    make_failed,
    make_link,
    make_video,
)

pytestmark = pytest.mark.django_db


def asked(owner: User, kind: ExportKind = ExportKind.ACCOUNT) -> Export:
    return export_services.request_account_data(owner=owner, kind=kind)


def made(owner: User, kind: ExportKind = ExportKind.ACCOUNT) -> ZipFile:
    export = asked(owner, kind)
    run_export(str(export.uuid))
    export.refresh_from_db()
    assert export.state == ExportState.DONE
    with export.file.open("rb") as file:
        return ZipFile(io.BytesIO(file.read()))


def facts(archive: ZipFile, name: str) -> Any:
    return json.loads(archive.read(name))


def test_an_analysis_is_there_with_its_result_pictures_links_disputes_and_decisions(
    alice: User, mo: User
) -> None:
    analysis = make_done(alice, name="Überprüfung.mp4")
    make_link(analysis)
    Dispute.objects.create(analysis=analysis, author=alice, opinion="real", comment="I filmed it.")
    decide(analysis=analysis, moderator=mo, kind=Kind.OVERRULE_REAL, reason="I know it.", seen=None)
    archive = made(alice)
    folder = f"analyses/{analysis.uuid}"
    told = facts(archive, f"{folder}/analysis.json")
    assert told["file"]["name"] == "Überprüfung.mp4"
    assert (told["state"], told["verdict"], told["fake_probability"]) == ("done", "fake", 0.92)
    assert [link["views"] for link in told["share_links"]] == [0]
    assert [(d["opinion"], d["comment"]) for d in told["disputes"]] == [("real", "I filmed it.")]
    assert [(d["kind"], d["reason"]) for d in told["decisions"]] == [("overrule_real", "I know it.")]
    assert facts(archive, f"{folder}/result.json") == analysis.document
    assert archive.read(f"{folder}/evidence/1-0-crop.jpg") == JPEG
    assert archive.testzip() is None


def test_what_failed_or_waits_is_there_too(alice: User, queued: Analysis) -> None:
    failed = make_failed(alice, code=Failure.TOO_LONG)
    archive = made(alice)
    assert facts(archive, f"analyses/{failed.uuid}/result.json")["error"]["code"] == "too_long"
    assert facts(archive, f"analyses/{queued.uuid}/analysis.json")["state"] == "queued"
    assert f"analyses/{queued.uuid}/result.json" not in archive.namelist()


def test_the_account_is_told_without_its_secrets(alice: User) -> None:
    Authenticator.objects.create(user=alice, type=Authenticator.Type.TOTP, data={"secret": "S3CRET"})
    begin_upload(owner=alice, name="half.mp4", size=1000)
    _, token = create_token(owner=alice, name="nightly script", scope=Scope.READ)
    archive = made(alice)
    account = facts(archive, "account.json")
    assert (account["email"], account["name"], account["uuid"]) == (alice.email, "Alice", str(alice.uuid))
    assert [factor["kind"] for factor in account["second_factors"]] == ["totp"]
    assert [upload["name"] for upload in account["uploads"]] == ["half.mp4"]
    assert [(t["name"], t["scope"]) for t in account["api_tokens"]] == [("nightly script", "read")]
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"S3CRET" not in everything
    assert token.encode() not in everything
    assert alice.password.encode() not in everything
    assert make_link(make_done(alice))[0].token_sha256.encode() not in everything


def test_videos_are_there_if_asked_for_under_names_that_lead_nowhere(alice: User) -> None:
    video = make_video(alice, name="../../etc/evil.mp4")
    make_done(alice, video=video)
    odd = make_video(alice, name="no suffix", content=MP4_BYTES + b"x")
    assert not [name for name in made(alice).namelist() if name.startswith("videos/")]
    archive = made(alice, ExportKind.ACCOUNT_VIDEOS)
    assert archive.read(f"videos/{video.uuid}.mp4") == MP4_BYTES
    assert archive.read(f"videos/{odd.uuid}") == MP4_BYTES + b"x"
    assert not [name for name in archive.namelist() if ".." in name or name.startswith("/")]


def test_nothing_of_others_is_there(alice: User, bob: User) -> None:
    theirs = make_done(bob, name="not mine.mp4")
    make_done(alice)
    archive = made(alice, ExportKind.ACCOUNT_VIDEOS)
    assert str(theirs.uuid) not in str(archive.namelist())
    assert str(theirs.video.uuid) not in str(archive.namelist())
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"not mine.mp4" not in everything
    assert bob.email.encode() not in everything


def test_a_video_or_picture_that_is_gone_is_left_out(alice: User) -> None:
    analysis = make_done(alice)
    analysis.video.file.delete(save=False)
    Path(analysis.video.file.storage.path(f"evidence/{analysis.uuid}/1-0-crop.jpg")).unlink()
    names = made(alice, ExportKind.ACCOUNT_VIDEOS).namelist()
    assert not [name for name in names if name.startswith("videos/") or name.endswith("crop.jpg")]
    assert f"analyses/{analysis.uuid}/evidence/1-0-heatmap.png" in names


def test_somebody_who_has_nothing_gets_their_account(alice: User) -> None:
    assert made(alice).namelist() == ["README.txt", "account.json"]


def test_a_new_one_takes_the_place_of_the_last(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    made(alice)
    table = make_export(alice)
    old = Export.objects.get(kind=ExportKind.ACCOUNT)
    with django_capture_on_commit_callbacks(execute=True):
        new = asked(alice, ExportKind.ACCOUNT_VIDEOS)
    assert set(Export.objects.all()) == {table, new}
    assert not Path(old.file.path).exists()
    with pytest.raises(TooManyExports):
        asked(alice)


def test_one_that_is_deleted_while_it_is_written_leaves_nothing(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_done(alice)
    export = export_services.claim_export(uuid=asked(alice).uuid, worker="worker-1")
    assert export is not None
    export_services.delete_export(export=export)
    account_data.write_account_data(export)
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.zip"))
    assert list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()) == []


def test_long_copies_give_signs_of_life(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make_done(alice, video=make_video(alice, content=b"v" * 5000))
    monkeypatch.setattr(account_data, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(account_data, "BEAT_EVERY_S", 0.0)
    beats: list[tuple[int, int]] = []

    def note(*, export: Export, rows: int, total: int) -> bool:
        beats.append((rows, total))
        return True

    monkeypatch.setattr(account_data, "record_export_progress", note)
    made(alice, ExportKind.ACCOUNT_VIDEOS)
    assert beats[0] == (0, 1)
    assert beats.count((1, 1)) >= 10, "five for the copy, more for the storing"


def test_the_page_asks_for_it_and_the_exports_list_has_it(
    alice: User, alice_client: Client, bob_client: Client
) -> None:
    make_done(alice)
    assert "your 1 analysis with" in alice_client.get(reverse("account_data")).content.decode()
    page = alice_client.post(reverse("account_data"), {"videos": "on"}, follow=True).content.decode()
    assert "All your data and videos" in page
    export = Export.objects.get()
    run_export(str(export.uuid))
    assert "1 analysis," in alice_client.get(reverse("exports")).content.decode()
    answer = alice_client.get(reverse("export_file", args=[export.uuid]))
    assert answer["Content-Type"] == "application/zip"
    assert f"truthlens-data-{timezone.now():%Y-%m-%d}.zip" in answer["Content-Disposition"]
    assert ZipFile(io.BytesIO(answer.getvalue())).testzip() is None
    assert bob_client.get(reverse("export_file", args=[export.uuid])).status_code == 404


def test_asking_twice_is_told_in_words(alice_client: Client) -> None:
    for _ in range(2):
        page = alice_client.post(reverse("account_data"), follow=True).content.decode()
    assert "is being made already" in page
    assert Export.objects.count() == 1
