"""Every address, climbed by everybody: owner, somebody else, moderator, nobody; and by the wrong method."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from analyses.models import Analysis
from analyses.tests.factories import make_done, make_running

ON_FINISHED = (
    "analysis",
    "analysis_state",
    "analysis_fragment",
    "analysis_delete",
    "analysis_json",
    "analysis_csv",
    "analysis_video",
)
READ_ONLY = tuple(name for name in ON_FINISHED if name != "analysis_delete")
PAGES = ("analyses", "analysis_new", "analysis_webcam")
POST_ONLY = ("analysis_cancel", "analysis_rerun")
SPECIAL = ("analysis_evidence", "analysis_compare")


@pytest.fixture
def address(alice: User) -> Callable[[str], str]:
    """The address of a view, of an analysis that suits it."""

    def of(name: str) -> str:
        if name in PAGES or name == "uploads":
            return reverse(name)
        analysis = make_running(alice) if name == "analysis_cancel" else make_done(alice)
        if name == "analysis_evidence":
            return reverse(name, args=[analysis.uuid, "1-0-crop.jpg"])
        if name == "analysis_compare":
            return reverse(name, args=[analysis.uuid, make_done(alice, video=analysis.video).uuid])
        return reverse(name, args=[analysis.uuid])

    return of


@pytest.mark.parametrize("name", [*PAGES, *ON_FINISHED, *SPECIAL])
def test_the_owner_gets_it(name: str, address: Callable[[str], str], alice_client: Client) -> None:
    assert alice_client.get(address(name)).status_code == 200


@pytest.mark.parametrize("name", [*ON_FINISHED, *SPECIAL])
def test_somebody_else_gets_404(name: str, address: Callable[[str], str], bob_client: Client) -> None:
    assert bob_client.get(address(name)).status_code == 404


@pytest.mark.parametrize("name", [*ON_FINISHED, *SPECIAL])
def test_a_moderator_gets_it(name: str, address: Callable[[str], str], mo_client: Client) -> None:
    assert mo_client.get(address(name)).status_code == 200


@pytest.mark.parametrize("name", [*PAGES, *ON_FINISHED, *SPECIAL])
def test_nobody_is_sent_to_the_login(name: str, address: Callable[[str], str], client: Client) -> None:
    url = address(name)
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('account_login')}?next={url}"


@pytest.mark.parametrize("name", [*READ_ONLY, *SPECIAL, "analyses", "analysis_webcam"])
def test_reading_views_take_no_post(name: str, address: Callable[[str], str], alice_client: Client) -> None:
    assert alice_client.post(address(name)).status_code == 405


@pytest.mark.parametrize("name", ["analysis_delete", "analysis_new"])
def test_forms_take_no_put(name: str, address: Callable[[str], str], alice_client: Client) -> None:
    assert alice_client.put(address(name)).status_code == 405


@pytest.mark.parametrize("name", POST_ONLY)
def test_what_only_changes_takes_no_get(
    name: str, address: Callable[[str], str], alice_client: Client
) -> None:
    assert alice_client.get(address(name)).status_code == 405


@pytest.mark.parametrize("name", ["analysis_delete", *POST_ONLY])
def test_somebody_else_changes_nothing(name: str, address: Callable[[str], str], bob_client: Client) -> None:
    assert bob_client.post(address(name)).status_code == 404
    assert Analysis.objects.filter(cancel_requested=False).count() == 1


@pytest.mark.parametrize("name", ["analysis_delete", *POST_ONLY])
def test_nobody_changes_nothing(name: str, address: Callable[[str], str], client: Client) -> None:
    assert client.post(address(name)).status_code == 302
    assert Analysis.objects.filter(cancel_requested=False).count() == 1


@pytest.mark.parametrize("name", ["analysis_delete", "analysis_new", "uploads", *POST_ONLY])
def test_a_change_without_the_sites_own_token_is_refused(
    name: str, address: Callable[[str], str], alice: User
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post(address(name)).status_code == 403


def test_an_unknown_analysis_is_404(alice_client: Client) -> None:
    url = reverse("analysis", args=["00000000-0000-4000-8000-000000000000"])
    assert alice_client.get(url).status_code == 404
