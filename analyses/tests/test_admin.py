import pytest
from django.test import Client

from accounts.models import User
from analyses.models import Analysis


@pytest.fixture
def administrator(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "correct horse battery"))
    return client


@pytest.mark.parametrize("model", ["analysis", "video"])
def test_an_administrator_reads_the_rows(administrator: Client, done: Analysis, model: str) -> None:
    pk = done.pk if model == "analysis" else done.video_id
    assert b"clip.mp4" in administrator.get(f"/admin/analyses/{model}/").content
    page = administrator.get(f"/admin/analyses/{model}/{pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content


@pytest.mark.parametrize("model", ["analysis", "video"])
def test_nothing_is_added_or_deleted_past_the_services(
    administrator: Client, done: Analysis, model: str
) -> None:
    pk = done.pk if model == "analysis" else done.video_id
    assert administrator.get(f"/admin/analyses/{model}/add/").status_code == 403
    assert administrator.post(f"/admin/analyses/{model}/{pk}/delete/", {"post": "yes"}).status_code == 403
    assert Analysis.objects.filter(pk=done.pk).exists()


def test_others_are_sent_to_the_login(alice_client: Client, done: Analysis) -> None:
    assert alice_client.get("/admin/analyses/analysis/").status_code == 302
