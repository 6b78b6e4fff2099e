"""What only a real browser can show: scripts, the player, the security policy, small screens."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client
from playwright.sync_api import expect

from accounts.models import User
from analyses import claims, export_services
from analyses.models import Analysis, Export, ExportState, State
from analyses.tests.factories import make_export, make_failed, make_running
from analyses.tests.results import STRONGEST_S, make_provenance, make_rich_result
from truthlens_site.tests.services import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TIME = "document.querySelector('video').currentTime"


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Twelve seconds, as the result in ``results`` says."""
    from detector.tests.clips import face_clip

    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return face_clip(path, seconds=12, fps=25, size=(320, 240)).read_bytes()


@pytest.fixture
def done(alice: User, film: bytes) -> Analysis:
    analysis = make_running(alice, name="film.mp4", content=film)
    result = replace(make_rich_result(analysis.video), provenance=make_provenance())
    assert claims.record_result(analysis=analysis, result=result)
    return analysis


@pytest.fixture
def complaints() -> list[str]:
    return []


class Served(Protocol):
    """Anything that answers at an address."""

    @property
    def url(self) -> str: ...


def open_context(
    chromium: "Browser", server: Served, complaints: list[str], **options: Any
) -> "BrowserContext":
    """A context that writes down console errors and warnings, refused content and requests off the site."""
    context = chromium.new_context(base_url=server.url, **options)
    context.set_default_timeout(15_000)

    def note_message(message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def note_address(request: "Request") -> None:
        if not request.url.startswith((server.url, "blob:")):
            complaints.append(request.url)

    context.on("console", note_message)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("request", note_address)
    return context


def log_in(context: "BrowserContext", server: "LiveServer", user: User) -> "Page":
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": server.url}])
    return context.new_page()


@pytest.fixture
def page(
    chromium: "Browser", live_server: "LiveServer", alice: User, complaints: list[str]
) -> Iterator["Page"]:
    context = open_context(chromium, live_server, complaints)
    yield log_in(context, live_server, alice)
    context.close()
    assert complaints == []


def test_a_user_logs_in_uploads_and_cancels(
    chromium: "Browser",
    live_server: "LiveServer",
    alice: User,
    clip: Path,
    installed_weights: Path,
    complaints: list[str],
) -> None:
    context = open_context(chromium, live_server, complaints)
    page = context.new_page()
    page.goto("/")
    page.locator("main").get_by_role("link", name="Log in").click()
    page.get_by_label("Email").fill(alice.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_role("link", name="Check a video").click()
    page.get_by_label("Choose a video").set_input_files(clip)
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_role("heading", name="clip.mp4").wait_for()
    page.locator("#progress").get_by_text("Waiting. This clip is next.").wait_for()
    page.get_by_role("button", name="Cancel the analysis").click()
    page.get_by_text("The analysis was cancelled.").wait_for()
    context.close()
    assert Analysis.objects.get().state == State.CANCELLED
    assert complaints == []


def test_a_file_over_the_limit_is_refused_before_it_is_sent(
    page: "Page", settings: Any, tmp_path: Path, installed_weights: Path
) -> None:
    settings.MAX_VIDEO_SIZE_BYTES = 1024 * 1024
    big = tmp_path / "big.mp4"
    big.write_bytes(b"\0" * 2_000_000)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto("/analyses/new/")
    page.get_by_label("Choose a video").set_input_files(big)
    page.get_by_text("The file is larger than the limit: 1.9 MB of 1.0 MB.").wait_for()
    page.get_by_role("button", name="Upload and analyse").click()
    assert "POST" not in sent


def test_progress_refreshes_itself_and_ends_in_the_result(page: "Page", alice: User, film: bytes) -> None:
    analysis = make_running(alice, content=film, stage="faces", progress_done=3, progress_total=120)
    page.goto(analysis.get_absolute_url())
    page.get_by_text("3 of 120 frames").wait_for()
    claims.record_progress(analysis=analysis, stage="model", done=64, total=120)
    page.get_by_text("64 of 120 face pictures").wait_for()
    assert "Score the faces" in (page.locator("[data-live]").text_content() or "")
    claims.record_result(analysis=analysis, result=make_rich_result(analysis.video))
    page.get_by_role("heading", name="Likely manipulated").wait_for()


def test_a_result_that_is_slow_to_come_is_asked_for_once(page: "Page", alice: User, film: bytes) -> None:
    """Asked for again, it would come twice, and take away what was clicked in between."""
    analysis = make_running(alice, content=film, stage="faces", progress_done=3, progress_total=120)
    address = analysis.get_absolute_url()
    page.goto(address)
    page.get_by_text("3 of 120 frames").wait_for()
    asked: list[str] = []

    def slowly(route: "Route") -> None:
        asked.append(route.request.url)
        time.sleep(4)
        route.continue_()

    page.route(f"**{address}", slowly)
    claims.record_result(analysis=analysis, result=make_rich_result(analysis.video))
    page.get_by_role("heading", name="Likely manipulated").wait_for()
    assert len(asked) == 1


def test_clicks_and_keys_on_the_timeline_move_the_video(page: "Page", done: Analysis) -> None:
    page.goto(done.get_absolute_url())
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    plot = page.locator("[data-plot]").first
    box = plot.bounding_box()
    assert box
    plot.click(position={"x": box["width"] / 2, "y": 40})
    page.wait_for_function(f"Math.abs({TIME} - 6) < 0.1")
    page.get_by_role("slider", name="Position in the video").and_(
        page.locator("[aria-valuetext='0:06.0 of 0:12.0']")
    ).wait_for()
    head = page.locator("[data-head]").first
    assert abs(float(head.get_attribute("x1") or 0) - 500) < 10
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"Math.abs({TIME} - 6.5) < 0.1")
    page.keyboard.press("Home")
    page.wait_for_function(f"{TIME} === 0")
    page.get_by_role("link", name="Go to the highest score").click()
    page.wait_for_function(f"Math.abs({TIME} - {STRONGEST_S}) < 0.1")


def test_a_video_that_the_browser_cannot_play_is_explained(page: "Page", alice: User) -> None:
    analysis = make_running(alice, name="junk.mp4")
    claims.record_result(analysis=analysis, result=make_rich_result(analysis.video))
    page.goto(analysis.get_absolute_url())
    page.get_by_text("Your browser can’t play this file.").wait_for()
    expect(page.locator("video")).not_to_be_visible()
    expect(page.locator("[data-plot]").first).to_be_visible()


def test_a_copy_that_the_browser_can_play_appears_by_itself(page: "Page", alice: User, film: bytes) -> None:
    analysis = make_running(alice, name="junk.mp4")
    claims.set_proxy_due(video=analysis.video, due=True)
    claims.record_result(analysis=analysis, result=make_rich_result(analysis.video))
    page.goto(analysis.get_absolute_url())
    page.get_by_text("A copy that it can play is being made").wait_for()
    expect(page.locator("video")).not_to_be_visible()
    claims.record_proxy(video=analysis.video, proxy=ContentFile(film))
    claims.set_proxy_due(video=analysis.video, due=False)
    page.locator("video").wait_for()
    wait_until(
        lambda: page.evaluate("document.querySelector('video').readyState") >= 2, seconds=15, what="the copy"
    )
    expect(page.get_by_text("Your browser can’t play this file").first).not_to_be_visible()


def test_a_copy_that_takes_the_place_of_a_playing_file_disturbs_nobody(
    page: "Page", alice: User, tmp_path: Path
) -> None:
    from detector.tests.clips import face_clip

    big = face_clip(tmp_path / "big.mp4", seconds=12, size=(320, 240), crf=1).read_bytes()
    small = face_clip(tmp_path / "small.mp4", seconds=12, size=(160, 120), crf=40).read_bytes()
    analysis = make_running(alice, content=big)
    claims.record_result(analysis=analysis, result=make_rich_result(analysis.video))
    page.goto(analysis.get_absolute_url())
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    claims.record_proxy(video=analysis.video, proxy=ContentFile(small))
    for seconds in (5, 11, 2, 11.9, 7):
        page.evaluate(f"{TIME} = {seconds}")
        shown = f"!document.querySelector('video').seeking && Math.abs({TIME} - {seconds}) < 0.1"
        wait_until(lambda shown=shown: page.evaluate(shown), seconds=10, what=shown)  # type: ignore[misc]
    assert page.evaluate("document.querySelector('video').videoWidth") == 320


def test_every_picture_of_a_result_loads(page: "Page", done: Analysis) -> None:
    page.goto(done.get_absolute_url())
    for picture in page.locator("main img").all():
        picture.scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('main img')].every((img) => img.complete && img.naturalWidth === 224)"
    )
    expect(page.locator("main img")).to_have_count(13)


def test_an_export_becomes_ready_while_it_is_watched(page: "Page", alice: User) -> None:
    waiting = make_export(alice, state=ExportState.QUEUED)
    page.goto("/exports/")
    page.get_by_text("Waiting for a worker").wait_for()
    export = export_services.claim_export(uuid=waiting.uuid, worker="worker-1")
    assert export is not None
    export_services.record_export_progress(export=export, rows=3, total=9)
    page.get_by_text("Being written: 3 of 9 rows").wait_for()
    export_services.record_export(export=export, file=ContentFile(b"file\r\n"), rows=9)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the export of").click()
    assert download.value.path().read_bytes() == b"file\r\n"
    page.get_by_role("button", name="Delete the export of").click()
    page.get_by_text("The export was deleted.").wait_for()
    assert not Export.objects.exists()


def test_without_scripts_the_page_still_says_everything(
    chromium: "Browser", live_server: "LiveServer", alice: User, done: Analysis, complaints: list[str]
) -> None:
    context = open_context(chromium, live_server, complaints, java_script_enabled=False)
    page = log_in(context, live_server, alice)
    page.goto(done.get_absolute_url())
    expect(page.get_by_role("heading", name="Likely manipulated")).to_be_visible()
    expect(page.locator("[data-plot]").first).to_be_visible()
    page.get_by_text("scores as a table").click()
    expect(page.locator("table").get_by_role("link", name="7.800")).to_be_visible()
    expect(page.get_by_text("Click a strip")).not_to_be_visible()
    running = make_running(alice, stage="faces", progress_done=1, progress_total=9)
    page.goto(running.get_absolute_url())
    expect(page.get_by_text("1 of 9 frames")).to_be_visible()
    claims.record_progress(analysis=running, stage="faces", done=5, total=9)
    page.get_by_text("5 of 9 frames").wait_for()
    context.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(
    scheme: str,
    chromium: "Browser",
    live_server: "LiveServer",
    alice: User,
    done: Analysis,
    complaints: list[str],
) -> None:
    name = "a_very_long_name_without_any_space_" * 4 + ".mp4"
    others = [make_failed(alice, name=name), make_running(alice, name=name)]
    context = open_context(
        chromium,
        live_server,
        complaints,
        viewport={"width": 360, "height": 740},
        color_scheme=scheme,
    )
    page = log_in(context, live_server, alice)
    make_export(alice, filters={"q": name})
    addresses = ["/analyses/", "/analyses/new/", "/accounts/password/change/", "/exports/"]
    addresses.append(done.get_absolute_url())
    for address in addresses + [other.get_absolute_url() for other in others]:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, address
    context.close()
    assert complaints == []
