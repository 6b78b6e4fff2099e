"""A person's whole way through the real site: `up`, its worker and the shipped weights, in a real browser.

One site and the results of two clips serve all passes: with scripts, without them, on a phone, by keyboard.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from playwright.sync_api import expect

from analyses.tests.test_browser import TIME, open_context
from conftest import PASSWORD
from detector.tests.clips import face_clip
from detector.tests.documents import check_document
from truthlens_site.tests.services import wait_until
from truthlens_site.tests.site import RunningSite, running_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Response

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
EMAIL = "dana@example.org"
VERDICTS = re.compile("Likely manipulated|No sign of manipulation found|No sign found|Can’t tell")
FIRST_LOAD_BYTES = 100_000
MOST_TABS = 120
ANALYSIS_MS = 90_000


@dataclass(frozen=True)
class Desk:
    """The site with an account on it that has the results of two clips, and of one of them a second."""

    site: RunningSite
    browser: "Browser"
    login: Any
    clips: tuple[Path, Path]
    results: tuple[str, str]

    def open(self, complaints: list[str], *, logged_in: bool = True, **options: Any) -> "Page":
        state = self.login if logged_in else None
        return open_context(self.browser, self.site, complaints, storage_state=state, **options).new_page()


@pytest.fixture(scope="module")
def desk(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("walk")
    real = face_clip(folder / "speech.mp4", seconds=3, size=(480, 360))
    fake = face_clip(folder / "swapped.mp4", seconds=3, size=(480, 360), fake=True)
    complaints: list[str] = []
    with running_site(folder) as site:
        context = open_context(browser, site, complaints)
        page = context.new_page()
        sign_up(page)
        results = upload_two(page, real, fake)
        yield Desk(site, browser, context.storage_state(), (real, fake), results)
        context.close()
    assert complaints == []


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    heard: list[str] = []
    yield heard
    assert heard == []


def sign_up(page: "Page") -> None:
    page.goto("/")
    page.locator("main").get_by_role("link", name="Sign up").click()
    page.locator("[name=email]").fill(EMAIL)
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign up").click()
    page.get_by_text("Nothing analysed yet.").wait_for()


def upload_two(page: "Page", real: Path, fake: Path) -> tuple[str, str]:
    """Both at once, watched until they are done. Returns the addresses of their results."""
    page.get_by_role("link", name="Check a video").click()
    page.locator("#id_video[multiple]").wait_for(state="attached")  # the page's script is there
    page.get_by_label("Choose a video").set_input_files([real, fake])
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_role("link", name="Open the analysis swapped.mp4").wait_for()
    page.get_by_role("link", name="Open the analysis swapped.mp4").click()
    page.get_by_role("heading", name="swapped.mp4").wait_for()
    under_way = page.locator("#progress").get_by_text(re.compile("^Waiting|^Getting ready|is running")).first
    under_way.or_(page.get_by_role("heading", name=VERDICTS)).first.wait_for()  # it may be done by now
    page.get_by_role("heading", name=VERDICTS).wait_for(timeout=ANALYSIS_MS)
    second = page.url
    page.get_by_role("link", name="Analyses", exact=True).first.click()
    page.get_by_role("link", name="speech.mp4").click()
    page.get_by_role("heading", name=VERDICTS).wait_for(timeout=ANALYSIS_MS)
    return page.url, second


def becomes(page: "Page", expression: str) -> None:
    wait_until(lambda: page.evaluate(expression), seconds=10, what=expression)


def downloaded(page: "Page", press: Callable[[], None]) -> bytes:
    with page.expect_download() as download:
        press()
    return download.value.path().read_bytes()


def heading(page: "Page") -> str:
    return page.get_by_role("heading", name=VERDICTS).inner_text()


def test_with_scripts_a_result_is_read_taken_away_disputed_and_shared(
    desk: Desk, complaints: list[str]
) -> None:
    page = desk.open(complaints)
    page.goto(desk.results[1])
    becomes(page, "document.querySelector('video').readyState >= 2")
    watch(page)
    take_away(page, desk.clips[1])
    dispute(page)
    share(page, desk, complaints)
    page.context.close()


def watch(page: "Page") -> None:
    plot = page.locator("[data-plot]").first
    box = plot.bounding_box()
    assert box
    plot.click(position={"x": box["width"] / 2, "y": 40})
    becomes(page, f"Math.abs({TIME} - 1.5) < 0.1")
    page.get_by_role("link", name="Go to the highest score").click()
    becomes(page, "!document.querySelector('video').seeking")
    slider = page.get_by_role("slider", name="Heatmap over the face")
    slider.fill("20")
    expect(page.locator("[data-heat-words]")).to_have_text("20 %")
    opacity = page.locator(".pair__heat").first.evaluate("(picture) => getComputedStyle(picture).opacity")
    assert float(opacity) == pytest.approx(0.2)


def take_away(page: "Page", clip: Path) -> None:
    sha256 = hashlib.sha256(clip.read_bytes()).hexdigest()
    found = {
        kind: downloaded(page, page.locator("#takeaway").get_by_role("link", name=f"({kind})").click)
        for kind in ("JSON", "CSV", "PDF", "ZIP")
    }
    document = json.loads(found["JSON"])
    check_document(document)
    assert document["video"]["sha256"] == sha256
    rows = list(csv.DictReader(io.StringIO(found["CSV"].decode("utf-8-sig"))))
    assert len(rows) == len(document["frames"])
    assert found["PDF"].startswith(b"%PDF-")
    with ZipFile(io.BytesIO(found["ZIP"])) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("result.json")) == document


def dispute(page: "Page") -> None:
    place = page.locator("#dispute")
    place.get_by_role("radio").first.check()
    place.get_by_role("textbox").fill("The neck and the face are lit from two sides.")
    place.get_by_role("button", name="Send to the moderators").click()
    page.get_by_text("Waiting for a moderator of this site to read it.").wait_for()
    page.get_by_role("button", name="Take it back").click()
    page.locator("#dispute").get_by_role("button", name="Send to the moderators").wait_for()


def share(page: "Page", desk: Desk, complaints: list[str]) -> None:
    verdict = heading(page)
    page.locator("#share").get_by_role("button", name="Make a link").click()
    link = page.locator("[data-address]").input_value()
    guest = desk.open(complaints, logged_in=False)
    guest.goto(link)
    assert heading(guest) == verdict
    assert EMAIL not in guest.content()
    page.get_by_role("link", name="Back to the result").last.click()
    page.get_by_role("button", name="Revoke the link").click()
    page.get_by_role("button", name="Revoke the link").wait_for(state="detached")
    answer = guest.goto(link)
    assert answer is not None
    assert answer.status == 404
    complaints[:] = [words for words in complaints if "404" not in words]
    guest.context.close()


def test_another_opinion_is_compared_exported_and_deleted(desk: Desk, complaints: list[str]) -> None:
    page = desk.open(complaints)
    page.goto(desk.results[0])
    page.locator(".rerun").get_by_label(re.compile("compressed copies")).check()
    page.get_by_role("button", name="Analyse again").click()
    page.wait_for_url(lambda address: address != desk.results[0])
    page.get_by_role("heading", name=VERDICTS).wait_for(timeout=ANALYSIS_MS)
    again = page.url
    page.get_by_role("link", name="Compare with the result").click()
    page.get_by_role("heading", name="Two results of speech.mp4").wait_for()
    expect(page.get_by_role("row", name="Stability check differs")).to_have_count(1)
    rows = exported_history(page)
    assert sorted({row["file"] for row in rows}) == ["speech.mp4", "swapped.mp4"]
    page.goto(again)
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete for good").click()
    page.get_by_role("heading", name="Your analyses").wait_for()
    answer = page.goto(again)
    assert answer is not None
    assert answer.status == 404
    complaints[:] = [words for words in complaints if "404" not in words]
    page.context.close()


def exported_history(page: "Page") -> list[dict[str, str]]:
    page.goto("/exports/")
    page.get_by_role("button", name="Export the whole history").click()
    link = page.get_by_role("link", name="Download the export of")
    link.wait_for(timeout=30_000)
    text = downloaded(page, link.click).decode("utf-8-sig")
    page.get_by_role("button", name="Delete the export of").click()
    page.get_by_text("The export was deleted.").wait_for()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    "address", ["/", "/analyses/", "/analyses/new/", "/models/efficientnet_lstm/", "result"]
)
def test_a_first_load_is_small_as_the_site_really_sends_it(
    address: str, desk: Desk, complaints: list[str]
) -> None:
    page = desk.open(complaints)
    sizes: dict[str, int] = {}

    def note(answer: "Response") -> None:
        if answer.request.resource_type not in ("image", "media"):
            sizes[answer.url] = answer.request.sizes()["responseBodySize"]

    page.on("response", note)
    page.goto(desk.results[1] if address == "result" else address)
    page.wait_for_load_state("networkidle")
    assert len(sizes) >= 4
    assert sum(sizes.values()) < FIRST_LOAD_BYTES, sizes
    page.context.close()


def test_without_scripts_nothing_is_out_of_reach(desk: Desk, complaints: list[str]) -> None:
    page = desk.open(complaints, logged_in=False, java_script_enabled=False)
    page.goto("/accounts/login/?next=/analyses/new/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Log in").click()
    page.get_by_label("Choose a video").set_input_files(desk.clips[1])
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_text("You had this file analysed before").wait_for()
    page.get_by_role("button", name="Analyse anew").click()
    page.get_by_role("button", name="Cancel the analysis").wait_for()
    page.get_by_role("heading", name=VERDICTS).wait_for(timeout=ANALYSIS_MS)
    assert page.url != desk.results[1]
    take_away(page, desk.clips[1])
    dispute(page)
    page.locator("#share").get_by_role("button", name="Make a link").click()
    expect(page.locator("[data-address]")).to_have_value(re.compile("/shared/"))
    page.get_by_role("link", name="Back to the result").last.click()
    page.get_by_role("button", name="Revoke the link").click()
    page.get_by_role("link", name="Delete this analysis").click()
    page.get_by_role("button", name="Delete for good").click()
    page.get_by_role("heading", name="Your analyses").wait_for()
    page.context.close()


def test_on_a_phone_every_step_has_room(desk: Desk, complaints: list[str]) -> None:
    page = desk.open(complaints, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page.goto("/analyses/")
    fits(page)
    page.get_by_role("link", name="swapped.mp4").first.tap()
    page.get_by_role("heading", name=VERDICTS).wait_for()
    becomes(page, "document.querySelector('video').readyState >= 1")
    fits(page)
    plot = page.locator("[data-plot]").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    plot.tap(position={"x": box["width"] / 3, "y": 30})
    becomes(page, f"Math.abs({TIME} - 1) < 0.1")
    page.get_by_role("button", name="Highlight face 1").tap()
    expect(page.locator(".face.is-picked")).to_have_count(1)
    dispute(page)
    fits(page)
    page.locator(".menu summary").tap()
    page.get_by_role("link", name="Exports").tap()
    page.get_by_role("heading", name="Exports").wait_for()
    fits(page)
    page.get_by_role("link", name="New analysis").tap()
    page.get_by_role("heading", name="Check a video").wait_for()
    fits(page)
    page.context.close()


def fits(page: "Page") -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == 360, page.url


def test_with_the_keyboard_alone_the_whole_way_can_be_gone(desk: Desk, complaints: list[str]) -> None:
    page = desk.open(complaints, logged_in=False)
    page.on("filechooser", lambda chooser: None)  # from the start, or the first one is missed
    page.goto("/")
    press(page, page.locator("main").get_by_role("link", name="Log in"))
    type_into(page, page.get_by_label("Email"), EMAIL)
    type_into(page, page.get_by_label("Password", exact=True), PASSWORD)
    page.keyboard.press("Enter")
    press(page, page.get_by_role("link", name="New analysis").first)
    page.get_by_role("heading", name="Check a video").wait_for()
    focus(page, page.get_by_label("Choose a video"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(desk.clips[1])
    page.get_by_text("ready to upload").wait_for()
    press(page, page.get_by_role("button", name="Upload and analyse"))
    page.get_by_text("You had this file analysed before").wait_for()
    becomes(page, "document.querySelector('video').readyState >= 2")
    read_by_keyboard(page)
    dispute_by_keyboard(page)
    page.context.close()


def read_by_keyboard(page: "Page") -> None:
    focus(page, page.get_by_role("slider", name="Position in the video"))
    page.keyboard.press("ArrowRight")
    becomes(page, f"Math.abs({TIME} - 0.5) < 0.1")
    page.keyboard.press("End")
    becomes(page, f"{TIME} > 2.8")
    press(page, page.get_by_role("button", name="Highlight face 1"))
    expect(page.locator(".face.is-picked")).to_have_count(1)
    focus(page, page.get_by_role("slider", name="Heatmap over the face"))
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-heat-words]")).to_have_text("65 %")
    focus(page, page.locator("#takeaway").get_by_role("link", name="(JSON)"))
    document = json.loads(downloaded(page, lambda: page.keyboard.press("Enter")))
    check_document(document)


def dispute_by_keyboard(page: "Page") -> None:
    place = page.locator("#dispute")
    focus(page, place.get_by_role("radio").first)
    page.keyboard.press("ArrowDown")
    expect(place.get_by_role("radio").nth(1)).to_be_checked()
    type_into(page, place.get_by_role("textbox"), "I know the person who filmed it.")
    press(page, place.get_by_role("button", name="Send to the moderators"))
    page.get_by_text("Waiting for a moderator of this site to read it.").wait_for()
    press(page, page.get_by_role("button", name="Take it back"))
    place.get_by_role("button", name="Send to the moderators").wait_for()


def focus(page: "Page", target: "Locator") -> None:
    """Tab until it has the focus, from wherever the focus is."""
    for _ in range(MOST_TABS):
        if target.evaluate("(part) => part === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard doesn't reach {target}")


def press(page: "Page", target: "Locator") -> None:
    focus(page, target)
    page.keyboard.press("Enter")


def type_into(page: "Page", target: "Locator", words: str) -> None:
    focus(page, target)
    page.keyboard.type(words)
