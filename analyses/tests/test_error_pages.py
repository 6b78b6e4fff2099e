from collections.abc import Callable

import pytest
from django.conf import settings as site_settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import include, path
from pytest_django import Settings


def raising(error: Exception) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


raising_patterns = [
    path("raise/400", raising(SuspiciousOperation())),
    path("raise/403", raising(PermissionDenied())),
    path("raise/500", raising(RuntimeError("a secret"))),
]
urlpatterns = [path("", include(site_settings.ROOT_URLCONF)), *raising_patterns]


@pytest.fixture
def site(alice_client: Client, settings: Settings) -> Client:
    settings.DEBUG = False
    settings.ROOT_URLCONF = "analyses.tests.test_error_pages"
    alice_client.raise_request_exception = False
    return alice_client


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/raise/400", 400, "This request can’t be understood"),
        ("/raise/403", 403, "You may not do this"),
        ("/nothing", 404, "There is nothing at this address"),
        ("/raise/500", 500, "Something broke on this site"),
    ],
)
def test_errors_have_pages_of_their_own(address: str, status: int, words: str, site: Client) -> None:
    response = site.get(address)
    assert response.status_code == status
    page = response.content.decode()
    assert words in page
    assert "TruthLens" in page
    assert "a secret" not in page


def test_a_form_without_its_token_gets_words_too(site: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/accounts/login/", {"login": "a@example.org", "password": "x"})
    assert response.status_code == 403
    assert "This page was open for too long" in response.content.decode()


def test_there_is_a_page_for_requests_that_are_too_large() -> None:
    assert "This file is too large" in render_to_string("413.html")


@pytest.mark.django_db
def test_too_many_tries_get_a_page(client: Client) -> None:
    answers = [client.post("/accounts/signup/", {"email": "nobody"}) for _ in range(21)]
    assert answers[-1].status_code == 429
    assert "Too many tries in a short time" in answers[-1].content.decode()
