"""The end of an account: all of it goes, and nothing of anybody else."""

from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.core.files.base import ContentFile
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import audit
from accounts.invitations import create_invitation
from accounts.models import AuditEntry, Invitation, User
from accounts.roles import LastAdministrator
from analyses import claims
from analyses.account_deletion import delete_account
from analyses.models import Analysis, Dispute, Export, ShareLink, Upload, Video
from analyses.resumable import begin_upload
from analyses.tests.factories import make_done, make_export, make_link, make_result, make_running, make_video

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def files_under(*folders: str | Path) -> set[Path]:
    return {path for folder in folders for path in Path(folder).rglob("*") if path.is_file()}


def furnish(owner: User) -> Analysis:
    """One of everything."""
    analysis = make_done(owner)
    claims.record_proxy(video=analysis.video, proxy=ContentFile(b"proxy"))
    make_link(analysis)
    Dispute.objects.create(analysis=analysis, author=owner, opinion="real")
    make_export(owner)
    upload = begin_upload(owner=owner, name="half.mp4", size=1000)
    upload.path.write_bytes(b"half")
    EmailAddress.objects.get_or_create(user=owner, email=owner.email, defaults={"primary": True})
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={"secret": "x"})
    return analysis


def rows_naming(user: User) -> list[Model]:
    """Every row of every table that points to this user."""
    found: list[Model] = []
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if (
                field.is_relation
                and field.concrete
                and field.related_model is User
                and not field.many_to_many
            ):
                found += model._default_manager.filter(**{field.name: user.pk})
    return found


def test_rows_and_files_are_gone_at_once_and_others_keep_theirs(
    alice: User,
    bob: User,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    furnish(bob)
    folders = (settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR)
    kept, rows = files_under(*folders), len(rows_naming(bob))
    furnish(alice)
    assert len(files_under(*folders)) == 2 * len(kept)
    assert len(rows_naming(alice)) == rows
    with django_capture_on_commit_callbacks(execute=True):
        delete_account(user=alice)
    assert files_under(*folders) == kept
    assert rows_naming(alice) == []
    assert not User.objects.filter(email=alice.email).exists()
    assert len(rows_naming(bob)) == rows
    for model in (Analysis, Video, Export, Upload, ShareLink, Dispute):
        assert model._default_manager.count() == 1


def test_the_audit_log_keeps_that_an_account_was_there_and_not_whose(alice: User) -> None:
    furnish(alice)
    delete_account(user=alice)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.target) == ("delete_account", alice.uuid, str(alice.uuid))
    assert entry.after == {"analyses": 1}
    assert alice.email not in str(audit.facts(entry))
    assert audit.verify().broken is None


def test_what_is_undone_removes_nothing(
    alice: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    furnish(alice)
    before = files_under(settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR)

    def broken(user: User) -> None:
        raise OSError("the database is gone")

    monkeypatch.setattr("analyses.account_deletion.erase_user", broken)
    with pytest.raises(OSError, match="gone"):
        delete_account(user=alice)
    assert files_under(settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR) == before
    assert Analysis.objects.for_user(alice).count() == 1
    assert not AuditEntry.objects.exists()


def test_a_worker_that_still_runs_one_keeps_nothing(
    alice: User, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    running = make_running(alice)
    result = make_result(running.video)
    with django_capture_on_commit_callbacks(execute=True):
        delete_account(user=alice)
    assert not claims.record_result(analysis=running, result=result)
    assert not claims.record_progress(analysis=running, stage="faces", done=1, total=2)
    assert files_under(settings.MEDIA_ROOT) == set()


def test_a_file_that_can_not_be_removed_keeps_no_other(
    alice: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    furnish(alice)

    def broken(uuid: object) -> None:
        raise OSError("read-only")

    monkeypatch.setattr("analyses.account_deletion.delete_evidence", broken)
    with django_capture_on_commit_callbacks(execute=True):
        delete_account(user=alice)
    left = files_under(settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR)
    assert {path.parent.parent.name for path in left} == {"evidence"}


def test_who_decided_about_others_becomes_nobody(alice: User, bob: User) -> None:
    """The row that others' records name stays, and says nothing."""
    theirs = make_done(bob)
    Dispute.objects.create(
        analysis=theirs, author=alice, opinion="fake", state="resolved", resolved_at=timezone.now()
    )
    furnish(alice)
    delete_account(user=alice)
    row = User.objects.get(pk=alice.pk)
    assert row.email == f"{alice.uuid}@deleted.invalid"
    assert (row.display_name, row.last_login, row.is_active) == ("", None, False)
    assert not row.has_usable_password()
    assert [type(found) for found in rows_naming(alice)] == [Dispute]


def test_an_administrator_always_stays(alice: User) -> None:
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    with pytest.raises(LastAdministrator):
        delete_account(user=root)
    other = User.objects.create_superuser("other@example.org", PASSWORD)
    create_invitation(email="carol@example.org", created_by=root)
    create_invitation(email=root.email, created_by=other)
    delete_account(user=root)
    assert Invitation.objects.get().created_by is None
    with pytest.raises(LastAdministrator):
        delete_account(user=other)


def test_the_page_asks_for_the_password_and_ends_all_sessions(alice: User) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    furnish(alice)
    assert "1 analysis with results" in here.get(reverse("account_delete")).content.decode()
    for wrong in ("", "wrong"):
        answer = here.post(reverse("account_delete"), {"password": wrong})
        assert answer.status_code == 400
        assert "field__error" in answer.content.decode()
    assert User.objects.filter(pk=alice.pk).exists()
    answer = here.post(reverse("account_delete"), {"password": PASSWORD}, follow=True)
    assert "Your account and everything in it is deleted." in answer.content.decode()
    assert not UserSession.objects.exists()
    for client in (here, there):
        assert client.get(reverse("profile")).status_code == 302
    again = Client().post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    assert again.status_code == 200


def test_the_password_can_not_be_guessed_there(alice: User, alice_client: Client) -> None:
    url = reverse("account_delete")
    answers = [alice_client.post(url, {"password": "wrong"}).status_code for _ in range(11)]
    assert answers == [400] * 10 + [429]
    assert alice_client.post(url, {"password": PASSWORD}).status_code == 429
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_last_administrator_is_told_what_to_do_first(client: Client) -> None:
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    client.force_login(root)
    answer = client.post(reverse("account_delete"), {"password": PASSWORD})
    assert answer.status_code == 409
    assert "make somebody else one first" in answer.content.decode()
    assert User.objects.filter(pk=root.pk).exists()


def test_many_analyses_go_without_their_documents_being_read(alice: User) -> None:
    import tracemalloc

    done = make_done(alice, video=make_video(alice))
    document = {**(done.document or {}), "padding": "x" * 40_000}
    fields = {"owner": alice, "video": done.video, "state": "done", "verdict": "fake", "threshold": 0.7}
    fields |= {"model_version": "1", "model_sha256": "a" * 64, "document": document}
    Analysis.objects.bulk_create([Analysis(**fields, finished_at=timezone.now()) for _ in range(600)])
    tracemalloc.start()
    delete_account(user=alice)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not Analysis.objects.exists()
    assert peak < 12_000_000
