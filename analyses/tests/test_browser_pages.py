"""What holds for every page: WCAG 2.2 AA, a quiet console, a small and steady first load, room on a phone."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from accounts.models import User
from analyses.models import Analysis
from analyses.tests import test_error_pages
from analyses.tests.pages import addresses_of, make_cases, make_pages
from analyses.tests.test_browser import log_in, open_context

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page, Response
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
FIRST_LOAD_BYTES = 100_000
DESK = ("moderation", "audit_log")
"""Pages that only moderators and administrators see."""
MOST_SHIFT = 0.05
LEAST_TARGET = 24
TESTS = Path(__file__).parent
AXE = (TESTS / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
CHECKS = (TESTS / "page_checks.js").read_text(encoding="utf-8")

handler400 = test_error_pages.handler400
urlpatterns = [path("", include(site_settings.ROOT_URLCONF)), *test_error_pages.raising_patterns]


@dataclass
class Site:
    """The addresses of all pages by name, by who sees them, and what was wrong with them."""

    server: "LiveServer"
    owner: User
    members: dict[str, str]
    guests: dict[str, str]
    administrator: User
    desk: dict[str, str]
    faults: list[str] = field(default_factory=list)

    def fault(self, name: str, words: object) -> None:
        self.faults.append(f"{name}: {words}")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    from detector.tests.clips import face_clip

    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return face_clip(path, seconds=12, fps=25, size=(320, 240)).read_bytes()


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("ada@example.org", display_name="Ada")


@pytest.fixture
def site(
    live_server: "LiveServer",
    settings: Settings,
    alice: User,
    administrator: User,
    film: bytes,
    installed_weights: Path,
) -> Site:
    settings.ROOT_URLCONF = __name__
    settings.DEBUG = False
    found = addresses_of(make_pages(alice, film))
    make_cases(administrator)
    names = [name for name in found if name.startswith(DESK)]
    desk = {name: found.pop(name) for name in names}
    member, guest = Client(raise_request_exception=False), Client(raise_request_exception=False)
    member.force_login(alice)
    members = {name: address for name, address in found.items() if is_page(member, address)}
    guests = {name: address for name, address in found.items() if is_page(guest, address)}
    for name in members.keys() & guests.keys() - {"home", "shared", "shared_report", "models"}:
        guests.pop(name)
    return Site(live_server, alice, members, guests, administrator, desk)


def is_page(client: Client, address: str) -> bool:
    response = client.get(address)
    is_html = response.headers.get("Content-Type", "").startswith("text/html")
    return is_html and response.status_code != 302 and response.content.lstrip()[:9].lower() == b"<!doctype"


def visits(chromium: "Browser", site: Site, **options: Any) -> Iterator[tuple[str, str, "Page"]]:
    """Every page by name, with an address and a browser's page that is logged in where it should be."""
    audiences = (
        (site.owner, site.members),
        (site.administrator, site.desk),
        (None, site.guests),
    )
    for owner, addresses in audiences:
        heard: list[str] = []
        context = open_context(chromium, site.server, heard, **options)
        context.add_init_script(AXE + CHECKS)
        page = log_in(context, site.server, owner) if owner else context.new_page()
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.setCacheDisabled", {"cacheDisabled": True})
        for name, address in addresses.items():
            yield name if owner else f"{name}, for guests", address, page
            for words in heard:
                if not re.match(r"Failed to load resource: .* status of [45]\d\d", words):
                    site.fault(name, words)
            heard.clear()
        context.close()


def first_load(page: "Page", address: str) -> int:
    """Open it. Returns the bytes of its first load, media apart."""
    answers: list[Response] = []

    def note(answer: "Response") -> None:
        answers.append(answer)

    page.on("response", note)
    page.goto(address)
    page.remove_listener("response", note)
    loaded = (answer for answer in answers if answer.request.resource_type not in ("image", "media"))
    return sum(sent_bytes(answer) for answer in loaded)


def sent_bytes(answer: "Response") -> int:
    """The site sends static files compressed; the test's server sends them as they are."""
    if "/static/" in answer.url:
        return len(gzip.compress(answer.body()))
    return int(answer.request.sizes()["responseBodySize"])


def test_the_walk_misses_no_page(site: Site) -> None:
    assert len(site.members) >= 25
    assert {"analysis", "analyses", "analysis_new", "exports", "raise/500"} <= site.members.keys()
    errors = {f"raise/{code}" for code in ("400", "403", "403-csrf", "404", "413", "429", "500")}
    assert errors <= site.members.keys()
    assert {"home", "account_login", "account_signup", "shared"} <= site.guests.keys()
    assert {"moderation", "moderation_review", "moderation_dashboard", "audit_log"} <= site.desk.keys()


def check_page(site: Site, name: str, page: "Page", address: str, width: int) -> None:
    """Its first load, its layout and, as a machine sees it, its accessibility."""
    page.emulate_media(color_scheme="light")
    if (size := first_load(page, address)) > FIRST_LOAD_BYTES:
        site.fault(name, f"{size} bytes")
    if (wide := page.evaluate("document.documentElement.scrollWidth")) != width:
        site.fault(name, f"{wide} pixels wide")
    for words in page.evaluate("least => checks.smallTargets(least)", LEAST_TARGET):
        site.fault(name, f"small target {words}")
    for words in page.evaluate("checks.accessibility()"):
        site.fault(name, words)
    if (shift := page.evaluate("checks.shift()")) > MOST_SHIFT:
        site.fault(name, f"layout shift {shift:.3f}")


def check_keyboard(site: Site, name: str, page: "Page") -> None:
    """It reaches what there is, and shows where it is."""
    reached: set[str] = set()
    while len(reached) < 60:
        page.keyboard.press("Tab")
        focused = page.evaluate("checks.focused()")
        if focused is None or (focused["order"] in reached and not focused["isVideo"]):
            break
        if not focused["shown"]:
            site.fault(name, f"no visible focus on {focused['html']}")
        reached.add(focused["order"])
    if not reached:
        site.fault(name, "the keyboard reaches nothing")


def test_every_page_is_accessible_steady_and_small(
    chromium: "Browser", site: Site, pseudo_locale: str
) -> None:
    """By keyboard too, in the dark, and without motion for people who asked for calm."""
    for name, address, page in visits(chromium, site, viewport={"width": 1280, "height": 800}, locale="en"):
        page.emulate_media(reduced_motion="no-preference")
        check_page(site, name, page, address, 1280)
        page.emulate_media(color_scheme="dark")
        for words in page.evaluate("checks.colours()"):
            site.fault(f"{name} in the dark", words)
        check_keyboard(site, name, page)
        page.emulate_media(reduced_motion="reduce")
        for words in page.evaluate("checks.moving()"):
            site.fault(name, f"moves: {words}")
    assert not site.faults, "\n".join(site.faults)


def test_on_a_phone_every_page_has_room_for_other_languages(
    chromium: "Browser", site: Site, pseudo_locale: str
) -> None:
    """With sentences 40 % longer."""
    for name, address, page in visits(chromium, site, viewport={"width": 360, "height": 800}, locale="de"):
        check_page(site, name, page, address, 360)
    assert not site.faults, "\n".join(site.faults)


def test_a_refused_upload_and_too_many_logins_have_good_pages_without_scripts(
    chromium: "Browser", live_server: "LiveServer", alice: User, installed_weights: Path, settings: Settings
) -> None:
    settings.MAX_VIDEO_SIZE_BYTES = 1024 * 1024
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login": "2/m/ip"}
    faults: list[str] = []
    options: dict[str, Any] = {"java_script_enabled": False, "viewport": {"width": 360, "height": 800}}
    context = open_context(chromium, live_server, [], **options)
    page = log_in(context, live_server, alice)
    judge = open_context(chromium, live_server, [], viewport=options["viewport"]).new_page()
    judge.add_init_script(AXE + CHECKS)
    page.goto("/analyses/new/")
    large: FilePayload = {"name": "large.mp4", "mimeType": "video/mp4", "buffer": bytes(3 * 1024 * 1024)}
    page.set_input_files("input[type=file]", large)
    assert submitted(page, "Upload and analyse") == 413
    assert "The file is larger than the limit." in page.inner_text("[role=alert]")
    faults += faults_of_copy(page, judge)
    context.clear_cookies()
    page.goto("/accounts/login/")
    for status in (200, 200, 429):
        page.fill("input[type=email]", alice.email)
        page.fill("input[type=password]", "guessed wrongly")
        assert submitted(page, "Log in") == status
    assert "Too many tries in a short time" in page.inner_text("h1")
    faults += faults_of_copy(page, judge)
    context.close()
    judge.context.close()
    assert faults == []


def submitted(page: "Page", button: str) -> int:
    with page.expect_navigation() as navigation:
        page.get_by_role("button", name=button, exact=True).click()
    answer = navigation.value
    assert answer is not None
    return answer.status


def faults_of_copy(page: "Page", judge: "Page") -> list[str]:
    """What is wrong with a page that runs no scripts, found by scripts on a copy of it."""
    judge.goto("/models/")
    judge.set_content(page.content())
    wide = page.evaluate("document.documentElement.scrollWidth")
    found = [] if wide == 360 else [f"{wide} pixels wide"]
    judge.emulate_media(color_scheme="light")
    found += judge.evaluate("checks.accessibility()")
    judge.emulate_media(color_scheme="dark")
    found += judge.evaluate("checks.colours()")
    return found


def test_on_a_very_wide_screen_lines_stay_short_and_nothing_is_stretched(
    chromium: "Browser", live_server: "LiveServer", alice: User, done: Analysis
) -> None:
    context = open_context(chromium, live_server, [], viewport={"width": 3840, "height": 2160})
    page = log_in(context, live_server, alice)
    for address in (done.get_absolute_url(), "/analyses/", "/analyses/new/", "/models/efficientnet_lstm/"):
        page.goto(address)
        place = page.evaluate("document.querySelector('main').getBoundingClientRect().toJSON()")
        assert page.evaluate("document.documentElement.scrollWidth") == 3840, address
        assert 900 < place["width"] < 1400, address
        assert abs(place["left"] + place["right"] - 3840) < 20, address
    context.close()
