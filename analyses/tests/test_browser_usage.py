"""Quotas in a real browser: the page, and an upload that waits for room."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from accounts.models import User
from analyses.models import Analysis, Upload
from analyses.tests.factories import make_done, make_running, make_upload
from analyses.tests.test_browser import log_in, open_context

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("installed_weights"),
]
WIDTH = "document.documentElement.scrollWidth"


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture(params=[360, 1280])
def page(
    chromium: "Browser",
    live_server: "LiveServer",
    alice: User,
    complaints: list[str],
    request: pytest.FixtureRequest,
) -> Iterator["Page"]:
    viewport = {"width": request.param, "height": 800}
    context = open_context(chromium, live_server, complaints, viewport=viewport)
    yield log_in(context, live_server, alice)
    context.close()


def test_usage_is_reached_by_the_menu_and_an_upload_is_discarded_there(
    page: "Page", alice: User, complaints: list[str]
) -> None:
    make_done(alice)
    make_upload(alice, name="a-name-without-any-place-to-break-it-" * 4 + ".mp4", size=2 * 1024 * 1024)
    page.goto("/analyses/")
    page.locator(".menu summary").press("Enter")
    page.get_by_role("link", name="Usage and quotas").click()
    page.get_by_role("progressbar", name="Storage").wait_for()
    expect(page.get_by_role("progressbar")).to_have_count(4)
    assert page.evaluate(WIDTH) == page.viewport_size["width"]  # type: ignore[index]
    page.get_by_role("button", name="Discard").click()
    page.get_by_text("was discarded.").wait_for()
    assert not Upload.objects.exists()
    assert complaints == []


def test_a_file_for_which_there_is_no_room_now_is_sent_when_there_is(
    page: "Page", alice: User, clip: Path, settings: Any
) -> None:
    settings.QUOTAS = {**settings.QUOTAS, "user": {**settings.QUOTAS["user"], "running": 1}}
    page.goto("/analyses/new/")
    running = make_running(alice, content=b"another")
    page.get_by_label("Choose a video").set_input_files(clip)
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_text("You have as many analyses waiting or running").wait_for()
    running.delete()
    page.get_by_role("button", name="Try again clip.mp4").click()
    page.get_by_role("heading", name="clip.mp4").wait_for()
    assert Analysis.objects.get().video.owner == alice
