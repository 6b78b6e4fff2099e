"""The page of a user's exports: nobody else sees, fetches or deletes them."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from analyses.models import Export, ExportState
from analyses.tests.factories import make_done, make_export

PAGES = ("exports", "exports_fragment")
OWN = ("export_file", "export_delete")


def test_a_ready_export_is_listed_and_can_be_fetched(alice: User, alice_client: Client) -> None:
    export = make_export(
        alice, content=b"file\r\na.mp4\r\n", filters={"verdict": "fake", "since": "2026-01-31"}
    )
    page = alice_client.get(reverse("exports")).content.decode()
    assert "verdict: fake, from: 2026-01-31" in page
    assert "Expires" in page
    response = alice_client.get(reverse("export_file", args=[export.uuid]))
    assert response.getvalue() == b"file\r\na.mp4\r\n"
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "truthlens-history-" in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]


def test_the_history_s_button_carries_its_filters(alice: User, alice_client: Client) -> None:
    make_done(alice)
    page = alice_client.get(reverse("analyses") + "?verdict=fake&page=2").content.decode()
    assert '<input type="hidden" name="verdict" value="fake">' in page
    response = alice_client.post(reverse("exports"), {"verdict": "fake", "evil": "x"}, follow=True)
    assert Export.objects.get().filters == {"verdict": "fake"}
    assert "Waiting for a worker" in response.content.decode()


def test_too_many_at_once_are_refused_in_words(alice: User, alice_client: Client) -> None:
    for _ in range(4):
        response = alice_client.post(reverse("exports"), follow=True)
    assert Export.objects.count() == 3
    assert "several exports under way" in response.content.decode()


def test_the_list_says_how_far_one_is(alice: User, alice_client: Client) -> None:
    from django.utils import timezone

    make_export(
        alice, state=ExportState.RUNNING, claimed_by="w", heartbeat_at=timezone.now(), rows=500, total=2000
    )
    page = alice_client.get(reverse("exports_fragment")).content.decode()
    assert 'data-busy="true"' in page
    assert "500 of 2000 rows" in page


def test_deleting_removes_row_and_file(
    alice: User, alice_client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    export = make_export(alice)
    with django_capture_on_commit_callbacks(execute=True):
        alice_client.post(reverse("export_delete", args=[export.uuid]))
    assert not Export.objects.exists()
    assert not Path(export.file.path).exists()


def test_what_is_not_ready_or_gone_cannot_be_fetched(alice: User, alice_client: Client) -> None:
    waiting = make_export(alice, state=ExportState.QUEUED)
    assert alice_client.get(reverse("export_file", args=[waiting.uuid])).status_code == 404
    ready = make_export(alice)
    Path(ready.file.path).unlink()
    assert alice_client.get(reverse("export_file", args=[ready.uuid])).status_code == 404


@pytest.mark.parametrize("who", ["bob_client", "mo_client"])
def test_nobody_else_gets_at_it_moderators_neither(
    who: str, alice: User, request: pytest.FixtureRequest
) -> None:
    export, client = make_export(alice), request.getfixturevalue(who)
    assert client.get(reverse("export_file", args=[export.uuid])).status_code == 404
    assert client.post(reverse("export_delete", args=[export.uuid])).status_code == 404
    assert str(export.uuid) not in client.get(reverse("exports")).content.decode()
    assert Export.objects.count() == 1


@pytest.mark.parametrize("name", PAGES)
def test_nobody_is_sent_to_the_login(name: str, client: Client) -> None:
    assert client.get(reverse(name)).status_code == 302


@pytest.mark.parametrize("name", OWN)
def test_without_a_login_there_is_no_export(name: str, alice: User, client: Client) -> None:
    url = reverse(name, args=[make_export(alice).uuid])
    response = client.post(url) if name == "export_delete" else client.get(url)
    assert response["Location"] == f"{reverse('account_login')}?next={url}"
    assert Export.objects.count() == 1


def test_methods_that_make_no_sense_are_refused(alice: User, alice_client: Client) -> None:
    export = make_export(alice)
    assert alice_client.get(reverse("export_delete", args=[export.uuid])).status_code == 405
    assert alice_client.post(reverse("export_file", args=[export.uuid])).status_code == 405
    assert alice_client.put(reverse("exports")).status_code == 405


def test_a_change_without_the_sites_own_token_is_refused(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(reverse("exports")).status_code == 403
    assert strict.post(reverse("export_delete", args=[make_export(alice).uuid])).status_code == 403
