from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from allauth.core.ratelimit import respond_429
from django.conf import settings as site_settings
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import include, path
from django.views.csrf import csrf_failure
from pytest_django import Settings

from analyses.storage import StorageAway

SHEETS = ("tokens", "base", "components", "error")


def raising(error: Exception) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


raising_patterns = [
    path("raise/400", raising(SuspiciousOperation("a secret"))),
    path("raise/403", raising(PermissionDenied("a secret"))),
    path("raise/404", raising(Http404("a secret"))),
    path("raise/413", raising(RequestDataTooBig("a secret"))),
    path("raise/503", raising(StorageAway("a secret"))),
    path("raise/500", raising(RuntimeError("a secret"))),
    path("raise/429", respond_429),
    path("raise/403-csrf", csrf_failure),
]
handler400 = "truthlens_site.errors.bad_request"
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
        ("/raise/404", 404, "There is nothing at this address"),
        ("/raise/413", 413, "This is too large"),
        ("/raise/429", 429, "Too many tries in a short time"),
        ("/raise/403-csrf", 403, "This page was open for too long"),
        ("/nothing", 404, "There is nothing at this address"),
        ("/raise/500", 500, "Something broke on this site"),
        ("/raise/503", 503, "The files can’t be reached for now"),
    ],
)
def test_errors_have_pages_of_their_own(address: str, status: int, words: str, site: Client) -> None:
    response = site.get(address)
    assert response.status_code == status
    page = response.content.decode()
    assert words in page
    assert "TruthLens" in page
    assert "a secret" not in page
    assert "<script" not in page
    assert 'class="button"' in page


def test_a_form_without_its_token_gets_words_too(site: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/accounts/login/", {"login": "a@example.org", "password": "x"})
    assert response.status_code == 403
    assert "This page was open for too long" in response.content.decode()


def test_a_form_larger_than_the_site_reads_is_refused_with_words(site: Client) -> None:
    much = {"comment": "x" * (site_settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)}
    response = site.post("/accounts/password/change/", urlencode(much), "application/x-www-form-urlencoded")
    assert response.status_code == 413
    assert "This is too large" in response.content.decode()


def test_an_unknown_host_gets_the_page_of_bad_requests(site: Client) -> None:
    response = site.get("/", headers={"host": "elsewhere.example"})
    assert response.status_code == 400
    assert "This request can’t be understood" in response.content.decode()


def test_the_page_of_an_error_needs_no_database(settings: Settings) -> None:
    settings.DEBUG = False
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = "x" * 32
    response = client.get("/analyses/")  # pytest-django blocks the database here, as if it were down
    assert response.status_code == 500
    page = response.content.decode()
    assert "Something broke on this site" in page
    assert "database" not in page.lower()


@pytest.mark.parametrize(
    "name", ["css/tokens.css", "css/base.css", "css/components.css", "css/error.css", "favicon.svg"]
)
def test_what_the_page_of_an_error_links_to_is_there(name: str) -> None:
    assert f'href="/static/{name}"' in render_to_string("500.html")
    assert finders.find(name) is not None


@pytest.mark.django_db
def test_too_many_tries_get_a_page(client: Client) -> None:
    answers = [client.post("/accounts/signup/", {"email": "nobody"}) for _ in range(21)]
    assert answers[-1].status_code == 429
    assert "Too many tries in a short time" in answers[-1].content.decode()


@pytest.mark.django_db
def test_who_is_not_logged_in_is_led_to_the_start_page(client: Client, settings: Settings) -> None:
    settings.DEBUG = False
    page = client.get("/nothing").content.decode()
    assert "To the start page" in page
    assert "To your analyses" not in page
