"""The result page in a real browser: player, boxes, timeline, faces, heatmaps, print."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

import detector
from accounts.models import User
from analyses import claims
from analyses.models import Analysis
from analyses.tests.factories import make_running
from analyses.tests.results import FPS, STRONGEST_S, WINDOW_STARTS, make_rich_result
from analyses.tests.test_browser import TIME, log_in, open_context
from detector import AnalysisResult, DetectorConfig
from truthlens_site.tests.services import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FIRST_LOAD_BYTES = 100_000
BOX = ".box[data-of='1']"
X = f"Number(document.querySelector(\"{BOX} .box__line\").getAttribute('x'))"
SHIFTS = """
new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 400);
})
"""


@pytest.fixture(scope="session")
def reel(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Twelve seconds as in ``results``, with a quarter of the width there and a third of the height."""
    from detector.tests.clips import face_clip

    path = tmp_path_factory.mktemp("reel") / "reel.mp4"
    return face_clip(path, seconds=12, fps=25, size=(320, 240)).read_bytes()


def moving(result: AnalysisResult) -> AnalysisResult:
    """Every other frame of the result, with face 1 going 4 pixels to the right a frame."""
    frames = (
        replace(entry, box=(100 + 4 * entry.frame, *entry.box[1:])) if entry.track == 1 else entry
        for entry in result.frames
        if entry.frame % 2 == WINDOW_STARTS[0] % 2
    )
    return replace(result, frames=tuple(frames))


def record(owner: User, content: bytes, change: Any = lambda result: result) -> Analysis:
    analysis = make_running(owner, name="reel.mp4", content=content)
    assert claims.record_result(analysis=analysis, result=change(make_rich_result(analysis.video)))
    return analysis


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(
    chromium: "Browser", live_server: "LiveServer", alice: User, complaints: list[str]
) -> Iterator["Page"]:
    context = open_context(chromium, live_server, complaints)
    yield log_in(context, live_server, alice)
    context.close()
    assert complaints == []


def show(page: "Page", analysis: Analysis) -> None:
    page.goto(analysis.get_absolute_url())
    becomes(page, "document.querySelector('video').readyState >= 2")


def becomes(page: "Page", expression: str) -> None:
    """Wait until it holds. The security policy keeps the page from evaluating it again by itself."""
    wait_until(lambda: page.evaluate(expression), seconds=10, what=expression)


def go_to(page: "Page", seconds: float) -> None:
    """Seek, and wait until that frame is on the screen."""
    page.evaluate(
        """(seconds) => new Promise((done) => {
            const video = document.querySelector("video");
            video.addEventListener("seeked", () => setTimeout(done, 150), { once: true });
            video.currentTime = seconds;
        })""",
        seconds,
    )


def test_boxes_are_drawn_in_step_and_only_where_frames_were_looked_at(
    page: "Page", alice: User, reel: bytes
) -> None:
    show(page, record(alice, reel, moving))
    box = page.locator(BOX)
    assert page.locator(".boxes").get_attribute("viewBox") == "0 0 320 240"
    for frame in (0, 12, 13, 91, 200, 208):  # 13 and 91 lie between two frames that were looked at
        go_to(page, frame / FPS + 0.004)
        assert box.get_attribute("visibility") == "visible", frame
        assert page.evaluate(X) == pytest.approx((100 + 4 * frame) / 4, abs=0.6), frame
    assert float(box.locator(".box__line").get_attribute("height") or 0) == pytest.approx(186 / 3)
    for frame in (45, 89, 150, 175):
        go_to(page, frame / FPS + 0.004)
        assert box.get_attribute("visibility") == "hidden", frame
    assert "Face 1 · 88" in (box.text_content() or "")


def test_boxes_follow_while_the_video_plays_and_can_be_turned_off(
    page: "Page", alice: User, reel: bytes
) -> None:
    show(page, record(alice, reel, moving))
    page.evaluate("document.querySelector('video').play()")
    becomes(page, f"{X} > 30")
    page.evaluate("document.querySelector('video').pause()")
    becomes(page, f"Math.abs({X} - (100 + 4 * {TIME} * 25) / 4) < 2.5")
    page.get_by_label("Boxes around faces").uncheck()
    expect(page.locator(BOX)).not_to_be_visible()
    page.get_by_label("Boxes around faces").check()
    expect(page.locator(BOX)).to_be_visible()


def test_without_the_frame_callback_the_boxes_follow_the_clock(
    page: "Page", alice: User, reel: bytes
) -> None:
    page.add_init_script("delete HTMLVideoElement.prototype.requestVideoFrameCallback")
    show(page, record(alice, reel, moving))
    go_to(page, 200 / FPS + 0.004)
    assert page.evaluate(X) == pytest.approx(225, abs=0.6)
    page.evaluate("document.querySelector('video').play()")
    becomes(page, f"{X} > 229")


def test_the_box_lies_on_the_face_of_a_clip_that_the_player_turns(
    page: "Page", alice: User, tmp_path: Path, tiny_weights: Path
) -> None:
    from detector.tests.clips import face_clip

    path = face_clip(tmp_path / "turned.mp4", seconds=1.6, size=(320, 240), rotation=90)
    result = detector.analyze(path, config=DetectorConfig(model_path=tiny_weights, device="cpu"))
    assert (result.video.width, result.video.height, result.video.rotation) == (240, 320, 90)
    show(page, record(alice, path.read_bytes(), lambda rich: result))
    go_to(page, 0.8)
    assert page.locator(".boxes").get_attribute("viewBox") == "0 0 240 320"
    stage, box = page.locator("video").bounding_box(), page.locator(f"{BOX} .box__line").bounding_box()
    assert stage
    assert box
    assert box["x"] + box["width"] / 2 == pytest.approx(stage["x"] + stage["width"] / 2, abs=60)
    assert box["y"] + box["height"] / 2 == pytest.approx(stage["y"] + stage["height"] / 2, abs=60)


def test_a_drag_on_a_strip_moves_the_video_along(page: "Page", alice: User, reel: bytes) -> None:
    show(page, record(alice, reel))
    page.locator("[data-timeline]").scroll_into_view_if_needed()
    place = page.locator("[data-plot]").nth(1).bounding_box()
    assert place
    page.mouse.move(place["x"] + place["width"] / 4, place["y"] + 20)
    page.mouse.down()
    becomes(page, f"Math.abs({TIME} - 3) < 0.1")
    page.mouse.move(place["x"] + place["width"] * 3 / 4, place["y"] + 300, steps=5)
    becomes(page, f"Math.abs({TIME} - 9) < 0.1")
    page.mouse.up()
    page.mouse.move(place["x"], place["y"])
    page.wait_for_timeout(200)
    assert page.evaluate(TIME) == pytest.approx(9, abs=0.1)
    head = page.locator("[data-head]").first
    assert float(head.get_attribute("x1") or 0) == pytest.approx(750, abs=10)


def test_one_key_goes_to_the_highest_score(page: "Page", alice: User, reel: bytes) -> None:
    show(page, record(alice, reel))
    page.get_by_role("slider", name="Position in the video").focus()
    page.keyboard.press("s")
    becomes(page, f"Math.abs({TIME} - {STRONGEST_S}) < 0.05")
    page.keyboard.press("PageDown")
    becomes(page, f"Math.abs({TIME} - {STRONGEST_S - 1.2}) < 0.05")
    page.locator("body").evaluate("document.activeElement.blur()")
    page.keyboard.press("s")
    page.wait_for_timeout(200)
    assert page.evaluate(TIME) == pytest.approx(STRONGEST_S - 1.2, abs=0.05)


def test_a_picked_face_stands_out_everywhere_until_it_is_let_go(
    page: "Page", alice: User, reel: bytes
) -> None:
    show(page, record(alice, reel))
    card = page.get_by_role("button", name="Highlight face 2")
    label = page.get_by_role("button", name="Face 2", exact=True)
    card.click()
    assert label.get_attribute("aria-pressed") == "true"
    assert page.locator(".is-picked").evaluate_all("parts => parts.map(p => p.dataset.of)") == ["2", "2", "2"]
    faded = "getComputedStyle(document.querySelector('.strip .strip__plot--drawn')).opacity"
    assert float(page.evaluate(faded)) < 0.5
    label.click()
    assert card.get_attribute("aria-pressed") == "false"
    expect(page.locator(".is-picked")).to_have_count(0)
    assert float(page.evaluate(faded)) == 1


def test_the_slider_blends_the_heatmaps_over_the_faces(page: "Page", alice: User, reel: bytes) -> None:
    show(page, record(alice, reel))
    heat, under = page.locator(".pair__heat").first, page.locator(".pair__under").first
    opacity = "(img) => getComputedStyle(img).opacity"
    assert float(heat.evaluate(opacity)) == 0.7
    assert heat.bounding_box() == under.bounding_box()
    left, right = page.locator(".pair__crop").first.bounding_box(), heat.bounding_box()
    assert left
    assert right
    assert right["x"] >= left["x"] + left["width"]
    assert right["y"] == left["y"]
    slider = page.get_by_role("slider", name="Heatmap over the face")
    slider.focus()
    page.keyboard.press("Home")
    assert float(heat.evaluate(opacity)) == 0
    page.keyboard.press("ArrowRight")
    assert float(heat.evaluate(opacity)) == 0.05
    assert page.locator("[data-heat-words]").text_content() == "5 %"


def test_without_scripts_pictures_stand_side_by_side_and_nothing_dead_is_shown(
    chromium: "Browser", live_server: "LiveServer", alice: User, reel: bytes, complaints: list[str]
) -> None:
    context = open_context(chromium, live_server, complaints, java_script_enabled=False)
    page = log_in(context, live_server, alice)
    page.goto(record(alice, reel).get_absolute_url())
    crop, heat = (
        page.locator(".pair__crop").first.bounding_box(),
        page.locator(".pair__heat").first.bounding_box(),
    )
    assert crop
    assert heat
    assert heat["x"] > crop["x"] + 50
    assert heat["y"] == crop["y"]
    expect(page.locator("main button").first).not_to_be_visible()
    expect(page.locator("main input[type=range]:visible, main [data-player] input:visible")).to_have_count(0)
    assert page.locator(".strip__label").first.inner_text().startswith("Face 1")
    expect(page.get_by_role("link", name="Go to the highest score")).to_be_visible()
    expect(page.get_by_text("120 of 300 frames were looked at")).to_be_visible()
    context.close()
    assert complaints == []


@pytest.mark.parametrize("width", [360, 1280])
def test_the_first_load_is_small_and_nothing_shifts(
    width: int,
    chromium: "Browser",
    live_server: "LiveServer",
    alice: User,
    reel: bytes,
    complaints: list[str],
) -> None:
    context = open_context(chromium, live_server, complaints, viewport={"width": width, "height": 800})
    page = log_in(context, live_server, alice)
    sizes: dict[str, int] = {}

    def note(response: Any) -> None:
        if "/evidence/" not in response.url and "/video" not in response.url:
            sizes[response.url] = response.request.sizes()["responseBodySize"]

    page.on("response", note)
    show(page, record(alice, reel))
    assert page.evaluate(SHIFTS) < 0.02
    page.wait_for_load_state("networkidle")
    assert len(sizes) >= 6
    assert sum(sizes.values()) < FIRST_LOAD_BYTES, sizes
    context.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_print_is_two_pages_at_most_and_dark_on_white(
    scheme: str,
    chromium: "Browser",
    live_server: "LiveServer",
    alice: User,
    reel: bytes,
    complaints: list[str],
) -> None:
    context = open_context(chromium, live_server, complaints, color_scheme=scheme)
    page = log_in(context, live_server, alice)
    show(page, record(alice, reel))
    page.locator("main img").evaluate_all("images => images.forEach((image) => { image.loading = 'eager'; })")
    becomes(page, "[...document.images].every((image) => image.complete)")
    page.emulate_media(media="print")
    colours = "['backgroundColor', 'color'].map((name) => getComputedStyle(document.body)[name])"
    assert page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    expect(page.locator("video")).to_be_hidden()
    expect(page.locator(".strip__plot--drawn").first).to_be_visible()
    crop, heat = (
        page.locator(".pair__crop").first.bounding_box(),
        page.locator(".pair__heat").first.bounding_box(),
    )
    assert crop
    assert heat
    assert heat["x"] > crop["x"]
    page.emulate_media(media=None)
    pages = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))
    assert 1 <= len(pages) <= 2
    context.close()


def test_scores_appear_while_they_are_computed(page: "Page", alice: User, reel: bytes) -> None:
    analysis = make_running(alice, content=reel, stage="faces", progress_done=3, progress_total=120)
    page.goto(analysis.get_absolute_url())
    page.get_by_text("3 of 120 frames").wait_for()
    expect(page.locator(".strip")).to_have_count(0)
    points = [[1, frame / 25, 0.9] for frame in range(20)]
    claims.record_live_scores(analysis=analysis, scores={"duration_s": 12.0, "points": points})
    page.get_by_role("img", name="Face 1: 20 frames scored").wait_for()
    points += [[2, 4.0, 0.2]]
    claims.record_live_scores(analysis=analysis, scores={"duration_s": 12.0, "points": points})
    page.get_by_role("img", name="Face 2: 1 frame scored").wait_for()
    page.get_by_role("button", name="Cancel the analysis").click()
    page.locator("#progress").get_by_text("Cancelling.").wait_for()
