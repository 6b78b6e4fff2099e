"""The first administrator."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.services import create_first_administrator

pytestmark = pytest.mark.django_db


def test_an_empty_site_gets_an_administrator_with_a_random_password() -> None:
    made = create_first_administrator(email="admin@localhost")
    assert made is not None
    user, password = made
    assert user.is_superuser
    assert len(password) >= 16
    assert User.objects.get().check_password(password)


def test_a_chosen_address_and_password_are_used() -> None:
    made = create_first_administrator(email="Root@Example.org", password="correct horse battery")
    assert made is not None
    assert made[0].email == "root@example.org"
    assert User.objects.get().check_password("correct horse battery")


def test_a_site_with_users_gets_none(alice: User) -> None:
    assert create_first_administrator(email="admin@localhost") is None
    assert list(User.objects.all()) == [alice]


@pytest.mark.parametrize(("email", "password"), [("nobody", ""), ("admin@localhost", "password123")])
def test_what_the_sign_up_page_would_not_take_is_refused(email: str, password: str) -> None:
    with pytest.raises(ValidationError):
        create_first_administrator(email=email, password=password)
    assert not User.objects.exists()
