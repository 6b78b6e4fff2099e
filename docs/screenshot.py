"""Draws docs/screenshots: clips made from scikit-image's astronaut go through the real site.

    python docs/screenshot.py [--out docs/screenshots] [--clip FILE]

Starts the site on a state folder of its own, signs up, uploads, waits for the results and ends the site.
Every page is drawn in light and dark, in few colours, so that the files stay small.
"""

import argparse
import io
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402
from playwright.sync_api import FloatRect, Page, sync_playwright  # noqa: E402

from conftest import CHROMIUM_FLAGS, PASSWORD  # noqa: E402
from detector.tests.clips import face_clip, make_no_face  # noqa: E402
from truthlens_site.tests.site import RunningSite, running_site  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT, RESULT_HEIGHT = 1280, 900, 2000
COLOURS = 256
READY_MS = 120_000
FINISHED = "a[href$='frames.csv'], .panel__sentence"


def draw(page: Page, path: Path, height: int = HEIGHT) -> None:
    """The top of a page in both schemes, as ``path`` with ``-light`` and ``-dark``."""
    top: FloatRect = {"x": 0, "y": 0, "width": WIDTH, "height": height}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        picture = Image.open(io.BytesIO(page.screenshot(clip=top, full_page=True))).convert("RGB")
        few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(path.with_name(f"{path.name}-{scheme}.png"), optimize=True)


def sign_up(page: Page) -> None:
    page.goto("/accounts/signup/")
    page.fill("input[name=email]", "reader@example.org")
    for field in page.query_selector_all("input[type=password]"):
        field.fill(PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_load_state()


def upload(page: Page, *clips: Path) -> None:
    page.goto("/analyses/new/")
    page.set_input_files("input[type=file]", [str(clip) for clip in clips])
    page.wait_for_timeout(500)


def draw_all(page: Page, folder: Path, clips: list[Path]) -> None:
    """Upload, progress, result, history and model card. The last of the clips is the one that is shown."""
    sign_up(page)
    upload(page, *clips)
    draw(page, folder / "upload")
    page.click("main button[type=submit]")
    page.get_by_role("link", name=f"Open the analysis {clips[-1].name}").click(timeout=READY_MS)
    page.locator(".progress__scores .strip").first.wait_for(timeout=READY_MS)
    draw(page, folder / "progress")
    page.wait_for_selector(FINISHED, timeout=READY_MS)
    page.wait_for_timeout(1500)
    draw(page, folder / "result", RESULT_HEIGHT)
    print(page.inner_text("main")[:600])
    page.goto("/analyses/")
    draw(page, folder / "history")
    page.goto("/models/efficientnet_lstm/")
    draw(page, folder / "model-card")


def make_clips(folder: Path, own: Path | None) -> list[Path]:
    return [
        face_clip(folder / "press-conference.mp4", seconds=4, size=(640, 360)),
        make_no_face(folder / "empty-square.mp4"),
        own or face_clip(folder / "interview.mp4", seconds=8, size=(1280, 720), faces=2, fake=True, crf=20),
    ]


def browse(site: RunningSite, out: Path, clips: list[Path]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        draw_all(browser.new_page(base_url=site.url, viewport={"width": WIDTH, "height": HEIGHT}), out, clips)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--clip", type=Path)
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, running_site(Path(name)) as site:
        browse(site, options.out, make_clips(Path(name), options.clip))


if __name__ == "__main__":
    main()
