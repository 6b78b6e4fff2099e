"""The upload page and the recorder in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import User
from analyses.detection import check_weights
from analyses.models import Analysis, State, Upload
from analyses.tests.factories import MP4_HEAD, make_done
from analyses.tests.test_browser import log_in, open_context
from truthlens_site.tests.services import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType, Locator, Page, Route
    from pytest_django.live_server_helper import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("installed_weights"),
]
URL = "/analyses/new/"
ASK_FOR_CAMERA = "navigator.mediaDevices.getUserMedia({ video: true }).catch((error) => error.name)"
LARGE_BYTES = 9 * 1024 * 1024


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


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "notes.mp4"
    path.write_text("just some text, named like a video")
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """More than two pieces."""
    path = tmp_path / "large.mp4"
    path.write_bytes(MP4_HEAD + b"\0" * (LARGE_BYTES - len(MP4_HEAD)))
    return path


def choose(page: "Page", *paths: Path) -> None:
    page.get_by_label("Choose a video").set_input_files(list(paths))


def row_of(page: "Page", name: str) -> "Locator":
    return page.locator(".file").filter(has_text=name)


def slow_down(page: "Page", bytes_a_second: int) -> Any:
    session = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second}
    session.send("Network.emulateNetworkConditions", slow)
    return session


def test_a_file_that_is_chosen_before_the_script_is_here_counts(
    page: "Page", clip: Path, complaints: list[str]
) -> None:
    held: list[Route] = []
    page.route("**/js/upload*.js", lambda route: held.append(route))
    page.goto(URL, wait_until="commit")
    page.get_by_label("Choose a video").set_input_files(clip)
    page.wait_for_timeout(100)
    held[0].continue_()
    row_of(page, "clip.mp4").get_by_text("ready to upload").wait_for()
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_role("heading", name="clip.mp4").wait_for()
    assert Analysis.objects.count() == 1
    assert complaints == []


def test_of_two_files_the_good_one_goes_through_and_the_other_says_why(
    page: "Page", clip: Path, text: Path
) -> None:
    page.goto(URL)
    choose(page, clip, text)
    page.get_by_role("button", name="Upload and analyse").click()
    row_of(page, "notes.mp4").get_by_text("The file is not a video, or holds no picture.").wait_for()
    opened = row_of(page, "clip.mp4").get_by_role("link", name="Open the analysis clip.mp4")
    opened.wait_for()
    analysis = Analysis.objects.select_related("video").get()
    assert analysis.video.size_bytes == clip.stat().st_size
    opened.click()
    page.get_by_role("heading", name="clip.mp4").wait_for()
    assert not list(Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.part"))


def test_wrong_files_are_told_before_anything_is_sent(
    page: "Page", tmp_path: Path, settings: Any, clip: Path, complaints: list[str]
) -> None:
    settings.MAX_VIDEO_DURATION_S = 1
    names = {"empty.mp4": b"", "letter.docx": b"a letter"}
    for name, content in names.items():
        (tmp_path / name).write_bytes(content)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto(URL)
    choose(page, *(tmp_path / name for name in names), clip)
    row_of(page, "empty.mp4").get_by_text("The file is empty.").wait_for()
    row_of(page, "letter.docx").get_by_text("The file is not a video.").wait_for()
    row_of(page, "clip.mp4").get_by_text("The video is longer than the limit: 2 s of 1 s.").wait_for()
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_text("Choose a video file first.").wait_for()
    assert set(sent) == {"GET"}
    assert complaints == []


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(page: "Page", large: Path) -> None:
    page.goto(URL)
    slow_down(page, 1024 * 1024)
    choose(page, large)
    page.get_by_role("button", name="Upload and analyse").click()
    row = row_of(page, "large.mp4")
    row.get_by_text("MB a second").or_(row.get_by_text("kB a second")).wait_for()
    wait_until(Upload.objects.exists, seconds=5, what="the upload's row")
    row.get_by_role("button", name="Cancel large.mp4").click()
    row.wait_for(state="detached")
    wait_until(lambda: not Upload.objects.exists(), seconds=10, what="the upload's end")
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    wait_until(lambda: not list(folder.iterdir()), seconds=5, what="the end of its file")
    assert not Analysis.objects.exists()


def test_after_a_reload_the_upload_goes_on_where_it_was(page: "Page", large: Path) -> None:
    page.goto(URL)
    session = slow_down(page, 3 * 1024 * 1024)
    page.get_by_text("Options").click()
    page.get_by_label("Also check whether the verdict holds").check()
    choose(page, large)
    page.get_by_role("button", name="Upload and analyse").click()
    wait_until(
        lambda: Upload.objects.filter(received_bytes__gt=0).exists(), seconds=15, what="the first piece"
    )
    page.reload()
    session.detach()
    row_of(page, "large.mp4").get_by_text("Choose the same file again to go on.").wait_for()
    offsets: list[str] = []
    page.on("request", lambda request: offsets.append(request.headers.get("upload-offset", "")))
    choose(page, large)
    page.get_by_role("heading", name="large.mp4").wait_for()
    assert min(int(offset) for offset in offsets if offset) > 0
    analysis = Analysis.objects.select_related("video").get()
    assert analysis.stability
    assert Path(analysis.video.file.path).read_bytes() == large.read_bytes()
    page.goto(URL)
    expect(page.locator(".file")).to_have_count(0)


def test_a_broken_connection_is_told_and_the_upload_goes_on(page: "Page", large: Path) -> None:
    page.goto(URL)
    page.route("**/uploads/*", lambda route: route.abort())
    choose(page, large)
    page.get_by_role("button", name="Upload and analyse").click()
    row_of(page, "large.mp4").get_by_text("The upload goes on by itself once it is back.").wait_for()
    page.unroute_all()
    page.get_by_role("heading", name="large.mp4").wait_for()
    assert Analysis.objects.count() == 1


def test_an_upload_whose_end_the_browser_missed_is_offered_and_leads_nobody_away(
    page: "Page", alice: User, large: Path
) -> None:
    page.goto(URL)
    slow_down(page, 3 * 1024 * 1024)
    choose(page, large)
    page.get_by_role("button", name="Upload and analyse").click()
    wait_until(
        lambda: Upload.objects.filter(received_bytes__gt=0).exists(), seconds=15, what="the first piece"
    )
    page.goto("/models/")
    upload = Upload.objects.get()
    sender = Client(headers={"Tus-Resumable": "1.0.0"})
    sender.force_login(alice)

    def send_the_rest() -> bool:
        upload.refresh_from_db()
        rest = large.read_bytes()[upload.received_bytes :]
        headers = {"Upload-Offset": str(upload.received_bytes)}
        url = reverse("upload", args=[upload.uuid])
        answer = sender.patch(url, rest, "application/offset+octet-stream", headers=headers)
        return answer.status_code == 204

    wait_until(send_the_rest, seconds=10, what="the upload's end")
    page.goto(URL)
    row_of(page, "large.mp4").get_by_role("link", name="Open the analysis large.mp4").wait_for()
    assert page.url.endswith(URL)


def test_an_upload_of_an_earlier_visit_can_be_discarded(page: "Page", large: Path) -> None:
    page.goto(URL)
    slow_down(page, 3 * 1024 * 1024)
    choose(page, large)
    page.get_by_role("button", name="Upload and analyse").click()
    wait_until(Upload.objects.exists, seconds=15, what="the upload's row")
    page.reload()
    page.get_by_role("button", name="Discard large.mp4").click()
    wait_until(lambda: not Upload.objects.exists(), seconds=10, what="the upload's end")
    page.reload()
    page.get_by_role("button", name="Upload and analyse").wait_for()
    expect(page.locator(".file")).to_have_count(0)


def test_a_file_that_was_analysed_before_opens_its_result(page: "Page", alice: User, clip: Path) -> None:
    done = make_done(alice, name="clip.mp4", content=clip.read_bytes())
    Analysis.objects.filter(pk=done.pk).update(model_sha256=check_weights().sha256)
    page.goto(URL)
    choose(page, clip)
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_text("You had this file analysed before").wait_for()
    page.get_by_role("button", name="Analyse anew").click()
    page.locator("#progress").get_by_text("Waiting. This clip is next.").wait_for()
    assert Analysis.objects.count() == 2


def test_files_can_be_dropped(page: "Page", complaints: list[str]) -> None:
    page.goto(URL)
    page.get_by_text("or several, or drop them here").wait_for()
    content = json.dumps(list(MP4_HEAD + b"\0" * 2000))
    page.evaluate(f"""() => {{
        const files = new DataTransfer();
        files.items.add(new File([new Uint8Array({content})], "dropped.mp4", {{ type: "video/mp4" }}));
        const drop = new DragEvent("drop", {{ dataTransfer: files, bubbles: true, cancelable: true }});
        document.querySelector("[data-dropzone]").dispatchEvent(drop);
    }}""")
    row_of(page, "dropped.mp4").get_by_text("ready to upload").wait_for()
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_role("heading", name="dropped.mp4").wait_for()
    assert complaints == []


def test_with_the_keyboard_alone_a_file_is_removed_and_another_is_sent(
    page: "Page", clip: Path, text: Path
) -> None:
    page.goto(URL)
    choose(page, text, clip)
    row_of(page, "clip.mp4").get_by_text("ready to upload").wait_for()
    page.get_by_label("Choose a video").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Remove notes.mp4"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Remove clip.mp4"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # opens the options
    page.keyboard.press("Tab")
    for _ in range(4):
        if page.evaluate("document.activeElement.name") == "stability":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="clip.mp4").wait_for()
    assert Analysis.objects.get().stability


def test_without_scripts_one_file_is_sent_by_the_plain_form(
    chromium: "Browser", live_server: "LiveServer", alice: User, clip: Path, complaints: list[str]
) -> None:
    context = open_context(chromium, live_server, complaints, java_script_enabled=False)
    page = log_in(context, live_server, alice)
    page.goto(URL)
    expect(page.get_by_text("or several, or drop them here")).not_to_be_visible()
    page.get_by_text("Options").click()
    page.get_by_label("Also check whether the verdict holds").check()
    choose(page, clip)
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_role("heading", name="clip.mp4").wait_for()
    page.goto(reverse("analysis_webcam"))
    expect(page.locator("noscript").get_by_role("link", name="upload the file")).to_be_visible()
    context.close()
    analysis = Analysis.objects.get()
    assert (analysis.stability, analysis.state) == (True, State.QUEUED)
    assert complaints == []


def test_rows_and_two_results_fit_a_phone(
    chromium: "Browser", live_server: "LiveServer", alice: User, text: Path, complaints: list[str]
) -> None:
    name = "a_very_long_name_without_any_space_" * 3 + ".mp4"
    one = make_done(alice, name=name)
    two = make_done(alice, video=one.video)
    long_name = text.rename(text.with_name(name))
    context = open_context(chromium, live_server, complaints, viewport={"width": 360, "height": 740})
    page = log_in(context, live_server, alice)
    page.goto(URL)
    choose(page, long_name)
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_text("The file is not a video, or holds no picture.", exact=True).wait_for()
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) == 360
    for address in (
        reverse("analysis_webcam"),
        reverse("analysis_compare", args=[one.uuid, two.uuid]),
        f"{one.get_absolute_url()}?earlier",
    ):
        page.goto(address)
        assert page.evaluate(width) == 360, address
    context.close()


def recorder(browser_type: "BrowserType", options: dict[str, Any], *flags: str) -> "Browser":
    return browser_type.launch(**{**options, "args": [*options["args"], *flags]})


def test_a_clip_is_recorded_looked_at_and_sent(
    browser_type: "BrowserType",
    browser_type_launch_args: dict[str, Any],
    live_server: "LiveServer",
    alice: User,
    complaints: list[str],
) -> None:
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = recorder(browser_type, browser_type_launch_args, *fake)
    context = open_context(browser, live_server, complaints)
    page = log_in(context, live_server, alice)
    page.goto(URL)
    page.get_by_role("link", name="Record a clip with your camera").click()
    page.get_by_text("Record only yourself, or people who have agreed to it.").wait_for()
    page.get_by_role("button", name="Turn on the camera").click()
    page.get_by_role("button", name="Record", exact=True).click()
    stop = page.get_by_role("button", name="Stop recording")
    expect(stop).to_be_disabled()
    stop.click()  # waits until it may be pressed
    page.get_by_label("Your recording").wait_for()
    assert page.evaluate("document.querySelector('[data-live]').srcObject") is None
    page.get_by_role("button", name="Upload and analyse").click()
    page.locator("#progress").get_by_text("Waiting. This clip is next.").wait_for()
    assert complaints == []
    page.goto(URL)
    assert page.evaluate(ASK_FOR_CAMERA) == "NotAllowedError"
    browser.close()
    video = Analysis.objects.select_related("video").get().video
    assert video.original_name.startswith("camera-")
    with video.file.open() as stream:
        assert stream.read(4) == b"\x1a\x45\xdf\xa3"


def test_a_camera_that_cannot_be_had_is_told_in_plain_words(page: "Page") -> None:
    page.goto(reverse("analysis_webcam"))
    page.get_by_role("button", name="Turn on the camera").click()
    page.get_by_text("No camera was found.").or_(
        page.get_by_text("The browser didn’t allow the camera.")
    ).wait_for()


def test_only_the_recorder_may_use_the_camera(alice_client: Client) -> None:
    assert "camera=(self)" in alice_client.get(reverse("analysis_webcam"))["Permissions-Policy"]
    assert "camera=()" in alice_client.get(reverse("analysis_new"))["Permissions-Policy"]
