from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from analyses.models import Analysis, State, Video
from analyses.retention import hold
from analyses.tests.factories import make_analysis, make_done, make_running


def test_cancelling_what_waits_ends_it(alice: User, alice_client: Client) -> None:
    analysis = make_analysis(alice)
    response = alice_client.post(reverse("analysis_cancel", args=[analysis.uuid]), follow=True)
    analysis.refresh_from_db()
    assert analysis.state == State.CANCELLED
    assert "The analysis was cancelled." in response.content.decode()


def test_cancelling_what_runs_asks_the_worker(alice: User, alice_client: Client) -> None:
    analysis = make_running(alice)
    response = alice_client.post(reverse("analysis_cancel", args=[analysis.uuid]), follow=True)
    assert "Cancelling." in response.content.decode()


def test_deleting_asks_first(alice: User, alice_client: Client) -> None:
    analysis = make_done(alice, name="speech.mp4")
    page = alice_client.get(reverse("analysis_delete", args=[analysis.uuid])).content.decode()
    assert "speech.mp4" in page
    assert Analysis.objects.filter(pk=analysis.pk).exists()


def test_deleting_removes_the_row_and_the_files(
    alice: User,
    alice_client: Client,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    analysis = make_done(alice, name="speech.mp4")
    stored = str(analysis.video.file.name)
    with django_capture_on_commit_callbacks(execute=True):
        response = alice_client.post(reverse("analysis_delete", args=[analysis.uuid]), follow=True)
    assert "“speech.mp4” and its analysis were deleted." in response.content.decode()
    assert not Analysis.objects.exists()
    assert not Video.objects.exists()
    assert not default_storage.exists(stored)


def test_a_moderator_does_not_delete_what_is_on_hold(alice: User, mo: User, mo_client: Client) -> None:
    analysis = make_done(alice)
    hold(analysis=analysis, moderator=mo, reason="A court asked for it.")
    response = mo_client.post(reverse("analysis_delete", args=[analysis.uuid]), follow=True)
    assert "Lift the hold first." in response.content.decode()
    assert Analysis.objects.filter(pk=analysis.pk).exists()
