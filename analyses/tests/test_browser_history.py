"""The history, shared results and disputes in a real browser: scripts, keys, small screens, no login."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import User
from analyses.models import Analysis, Dispute, ShareLink
from analyses.tests.factories import make_analysis, make_done, make_failed, make_link, make_result, make_video
from analyses.tests.pages import LONG_NAME
from analyses.tests.results import make_rich_result
from analyses.tests.test_browser import complaints, done, film, log_in, open_context, page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["complaints", "done", "film", "page"]  # fixtures
NAMES = ".history__name"


@pytest.fixture
def mixed(alice: User) -> None:
    """Three rows, whose thumbnails are real pictures."""
    for name, share in (("b.mp4", 0.9), ("a.mp4", 0.3)):
        video = make_video(alice, name=name)
        make_done(alice, video=video, result=make_rich_result(video), created_at=video.created_at)
        Analysis.objects.filter(video=video).update(fake_probability=share)
    make_failed(alice, name="c.mp4")


@pytest.fixture
def scriptless(
    chromium: "Browser", live_server: "LiveServer", alice: User, complaints: list[str]
) -> Iterator["Page"]:
    context = open_context(chromium, live_server, complaints, java_script_enabled=False)
    yield log_in(context, live_server, alice)
    context.close()
    assert complaints == []


def test_filtering_sorting_and_clearing(page: "Page", mixed: None) -> None:
    page.goto("/analyses/")
    expect(page.locator(NAMES)).to_have_text(["c.mp4", "a.mp4", "b.mp4"])
    page.get_by_text("Filters and order").click()
    page.get_by_label("State").select_option("Done")
    page.get_by_label("Order").select_option("Highest probability first")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**state=done**")
    expect(page.locator(NAMES)).to_have_text(["b.mp4", "a.mp4"])
    page.get_by_label("File name contains").fill("nothing like it")
    page.keyboard.press("Enter")
    page.get_by_text("No analysis matches.").wait_for()
    page.get_by_role("link", name="Clear filters").click()
    page.wait_for_url("**/analyses/")
    expect(page.locator(NAMES)).to_have_count(3)


def test_every_thumbnail_loads(page: "Page", mixed: None) -> None:
    page.goto("/analyses/")
    pictures = page.locator("img.history__face")
    expect(pictures).to_have_count(2)
    for index in range(2):
        pictures.nth(index).evaluate("image => image.decode()")  # fails where it can't be drawn


def test_paging_there_and_back(page: "Page", alice: User) -> None:
    video = make_video(alice)
    for _ in range(30):
        make_analysis(alice, video=video)
    page.goto("/analyses/?sort=oldest")
    first = page.locator(NAMES).first.get_attribute("href")
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**after=**")
    expect(page.locator(NAMES)).to_have_count(5)
    page.get_by_role("link", name="Previous page").click()
    page.wait_for_url("**before=**")
    expect(page.locator(NAMES)).to_have_count(25)
    assert page.locator(NAMES).first.get_attribute("href") == first


def test_selecting_and_deleting_with_the_keyboard(page: "Page", mixed: None) -> None:
    page.goto("/analyses/?sort=name")
    delete = page.get_by_role("button", name="Delete selected")
    expect(delete).to_be_disabled()
    page.get_by_label("Select a.mp4").focus()
    page.keyboard.press("Space")
    page.get_by_text("1 selected").wait_for()
    page.get_by_role("button", name="Select all on this page").focus()
    page.keyboard.press("Space")
    page.get_by_text("3 selected").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Select all on this page").wait_for()
    expect(delete).to_be_disabled()
    page.get_by_label("Select c.mp4").check()
    delete.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Delete 1 analysis?").wait_for()
    page.get_by_role("button", name="Delete for good").press("Enter")
    page.get_by_text("1 analysis deleted.").wait_for()
    assert page.url.endswith("?sort=name")
    expect(page.locator(NAMES)).to_have_text(["a.mp4", "b.mp4"])


def test_a_selection_is_downloaded(page: "Page", mixed: None) -> None:
    page.goto("/analyses/")
    page.get_by_label("Select a.mp4").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export selected as CSV").click()
    assert download.value.suggested_filename == "truthlens-analyses.csv"
    assert "a.mp4" in download.value.path().read_text("utf-8")


def test_without_scripts_rows_are_filtered_selected_and_deleted(scriptless: "Page", mixed: None) -> None:
    scriptless.goto("/analyses/")
    scriptless.get_by_label("File name contains").fill("A.MP4")
    scriptless.get_by_role("button", name="Show").click()
    expect(scriptless.locator(NAMES)).to_have_text(["a.mp4"])
    scriptless.goto("/analyses/")
    scriptless.get_by_role("button", name="Delete selected").click()
    expect(scriptless.get_by_text("Nothing was selected.")).to_be_visible()
    scriptless.get_by_role("link", name="Select all on this page").click()
    scriptless.get_by_label("Select b.mp4").uncheck()
    scriptless.get_by_role("button", name="Delete selected").click()
    scriptless.get_by_role("button", name="Delete for good").click()
    expect(scriptless.get_by_text("2 analyses deleted.")).to_be_visible()
    expect(scriptless.locator(NAMES)).to_have_text(["b.mp4"])


def test_a_result_is_shared_with_somebody_without_an_account_and_revoked(
    page: "Page", chromium: "Browser", live_server: "LiveServer", done: Analysis, complaints: list[str]
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(done.get_absolute_url())
    page.get_by_label("The link works for").select_option("1 day")
    page.get_by_role("button", name="Make a link").click()
    page.get_by_role("button", name="Copy the link").click()
    page.get_by_text("Copied.").wait_for()
    address = page.evaluate("navigator.clipboard.readText()")
    assert address == page.locator("[data-address]").input_value()
    context = open_context(chromium, live_server, complaints)
    guest = context.new_page()
    guest.goto(address)
    guest.get_by_role("heading", name="Likely manipulated").wait_for()
    guest.wait_for_function("document.querySelector('video').readyState >= 1")
    for picture in guest.locator("main img").all():
        picture.scroll_into_view_if_needed()
        picture.evaluate("image => image.decode()")
    expect(guest.get_by_role("navigation")).to_have_count(0)
    assert "film.mp4" not in guest.content()
    assert complaints == []
    page.get_by_role("link", name="Back to the result").last.click()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_text("The link was revoked.").wait_for()
    response = guest.reload()
    assert response is not None
    assert response.status == 404
    context.close()
    complaints.clear()  # Chromium calls the 404 an error
    assert ShareLink.objects.get().revoked_at is not None


def test_a_dispute_is_opened_and_withdrawn_without_scripts(scriptless: "Page", done: Analysis) -> None:
    scriptless.goto(done.get_absolute_url())
    scriptless.get_by_label("Real", exact=True).check()
    scriptless.get_by_label("Why? (optional)").fill("I filmed it.")
    scriptless.get_by_role("button", name="Send to the moderators").click()
    expect(scriptless.get_by_text("You said: Real.")).to_be_visible()
    expect(scriptless.get_by_text("I filmed it.")).to_be_visible()
    scriptless.get_by_role("button", name="Take it back").click()
    expect(scriptless.get_by_text("You took it back.")).to_be_visible()
    assert Dispute.objects.get().state == Dispute.State.WITHDRAWN


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_every_page_in_its_width(
    scheme: str,
    chromium: "Browser",
    live_server: "LiveServer",
    alice: User,
    done: Analysis,
    complaints: list[str],
) -> None:
    name = "a_very_long_name_without_any_space_" * 4 + ".mp4"
    video = make_video(alice, name=name)
    named = make_done(alice, video=video, result=make_result(video))
    token = make_link(named, shows_name=True)[1]
    done.refresh_from_db()
    make_link(done)
    size = {"width": 360, "height": 740}
    context = open_context(chromium, live_server, complaints, viewport=size, color_scheme=scheme)
    page = log_in(context, live_server, alice)
    for address in (
        "/analyses/?q=a&state=done",
        "/analyses/?q=no+such+name",
        reverse("shared", args=[token]),
        reverse("analysis_share", args=[done.uuid]),
        reverse("analysis_dispute", args=[done.uuid]),
        done.get_absolute_url(),
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, address
    page.goto("/analyses/?select=all")
    page.get_by_role("button", name="Delete selected").click()
    page.get_by_role("heading", name="Delete 2 analyses?").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    context.close()


def test_a_long_name_takes_two_lines_at_most_and_where_there_is_no_face_there_is_an_outline(
    page: "Page", alice: User
) -> None:
    make_failed(alice, name=LONG_NAME)
    page.goto("/analyses/")
    name = page.get_by_role("link", name=LONG_NAME)
    assert name.get_attribute("title") == LONG_NAME
    assert name.evaluate(
        "name => name.scrollWidth <= name.clientWidth && name.scrollHeight > name.clientHeight"
    )
    assert name.bounding_box()["height"] < 60  # type: ignore[index]
    expect(page.locator("svg.history__face rect")).to_be_visible()
