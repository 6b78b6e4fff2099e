"""Users in the administration pages."""

import pytest
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def root_client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", PASSWORD))
    return client


def test_an_administrator_finds_a_user(root_client: Client, alice: User, bob: User) -> None:
    page = root_client.get("/admin/accounts/user/", {"q": "Alice"}).content.decode()
    assert alice.email in page
    assert bob.email not in page


def test_an_administrator_adds_a_user_who_can_log_in(root_client: Client) -> None:
    fields = {"email": "Carol@Example.org", "display_name": "", "password1": PASSWORD, "password2": PASSWORD}
    assert root_client.get("/admin/accounts/user/add/").status_code == 200
    assert root_client.post("/admin/accounts/user/add/", fields).status_code == 302
    client = Client()
    client.post("/accounts/login/", {"login": "carol@example.org", "password": PASSWORD})
    assert "_auth_user_id" in client.session


def test_an_administrator_makes_a_moderator(root_client: Client, alice: User) -> None:
    address = f"/admin/accounts/user/{alice.pk}/change/"
    page = root_client.get(address).content.decode()
    assert alice.password not in page
    fields = {"email": alice.email, "display_name": "Alice", "is_active": "on", "is_staff": "on"}
    assert root_client.post(address, fields).status_code == 302
    alice.refresh_from_db()
    assert alice.is_staff


def test_a_moderator_does_not_administer_users(mo_client: Client, alice: User) -> None:
    assert mo_client.get("/admin/accounts/user/").status_code == 403
    assert mo_client.get(f"/admin/accounts/user/{alice.pk}/change/").status_code == 403
