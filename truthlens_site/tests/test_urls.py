"""Addresses that the whole site shares, and the headers on every page."""

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("home", "/"),
        ("account_login", "/accounts/login/"),
        ("account_signup", "/accounts/signup/"),
        ("account_logout", "/accounts/logout/"),
        ("healthz", "/healthz"),
        ("readyz", "/readyz"),
        ("metrics", "/metrics"),
        ("admin:index", "/admin/"),
    ],
)
def test_addresses_are_where_people_expect_them(name: str, path: str) -> None:
    assert reverse(name) == path


def test_pages_allow_no_inline_script_no_foreign_source_and_no_frame(client: Client) -> None:
    answer = client.get(reverse("account_login"))
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert "script-src" not in policy
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


def test_the_administration_asks_strangers_to_log_in_on_the_site_s_own_page(client: Client) -> None:
    answer = client.get("/admin/", follow=True)
    assert answer.request["PATH_INFO"] == reverse("account_login")


def test_the_administration_is_closed_to_people_who_are_not_staff(alice_client: Client) -> None:
    assert alice_client.get("/admin/", follow=True).status_code == 403


def test_the_queue_is_not_on_show(client: Client) -> None:
    assert client.get("/django-rq/").status_code == 404
