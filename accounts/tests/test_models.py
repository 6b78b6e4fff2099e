"""Users are known by their e-mail address, whatever its case."""

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def test_a_user_has_an_address_a_uuid_and_no_rights() -> None:
    user = User.objects.create_user("Alice@Example.org", PASSWORD)
    assert str(user) == user.email == "alice@example.org"
    assert user.uuid != User.objects.create_user("bob@example.org").uuid
    assert not user.is_staff
    assert not user.is_superuser


def test_a_superuser_is_staff() -> None:
    user = User.objects.create_superuser("root@example.org", PASSWORD)
    assert user.is_staff
    assert user.is_superuser


def test_a_user_without_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="e-mail address"):
        User.objects.create_user("")


def test_the_database_refuses_the_same_address_in_another_case(alice: User) -> None:
    with pytest.raises(IntegrityError):
        User.objects.bulk_create([User(email=alice.email.upper())])


def test_a_form_is_told_about_an_address_in_use(alice: User) -> None:
    with pytest.raises(ValidationError, match="exists"):
        User(email=alice.email.upper(), password="x").full_clean()


def test_login_takes_the_address_in_any_case(alice: User) -> None:
    assert authenticate(None, email="ALICE@Example.ORG", password=PASSWORD) == alice
    assert authenticate(None, email="alice@example.org", password="wrong") is None
    assert User.objects.get_by_natural_key("ALICE@example.org") == alice


def test_a_user_without_a_password_can_not_log_in() -> None:
    User.objects.create_user("bob@example.org")
    assert authenticate(None, email="bob@example.org", password="") is None


def test_a_display_name_stands_in_for_the_address(alice: User) -> None:
    assert alice.get_short_name() == alice.get_full_name() == "Alice"
    alice.display_name = ""
    assert alice.get_short_name() == alice.get_full_name() == "alice@example.org"
