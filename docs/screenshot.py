"""Draws docs/screenshot.png: a clip made from scikit-image's astronaut goes through the real site.

    python docs/screenshot.py [--out docs/screenshot.png] [--clip FILE] [--width 1280] [--dark]

Starts the site on a state folder of its own, signs up, uploads, waits for the result and ends the site.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from conftest import CHROMIUM_FLAGS, PASSWORD  # noqa: E402
from detector.tests.clips import face_clip  # noqa: E402
from truthlens_site.tests.site import running_site  # noqa: E402

CHROMIUM = "/usr/bin/chromium"


def sign_up(page: Page) -> None:
    page.goto("/accounts/signup/")
    page.fill("input[name=email]", "reader@example.org")
    for field in page.query_selector_all("input[type=password]"):
        field.fill(PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_load_state()


def analyse(page: Page, clip: Path) -> float:
    """Upload a clip and wait for its result. Returns the seconds that this took."""
    page.goto("/analyses/new/")
    page.set_input_files("input[type=file]", str(clip))
    began = perf_counter()
    page.click("main button[type=submit]")
    page.wait_for_selector("a[href$='frames.csv']", timeout=120_000)
    return perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshot.png")
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1000)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--whole", action="store_true", help="the whole page, not its first screen")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        clip = options.clip or face_clip(
            folder / "interview.mp4", seconds=8, size=(1280, 720), faces=2, fake=True, crf=20
        )
        with running_site(folder) as site:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
            page = browser.new_page(
                base_url=f"http://127.0.0.1:{site.port}",
                viewport={"width": options.width, "height": options.height},
                color_scheme="dark" if options.dark else "light",
            )
            sign_up(page)
            print(f"{analyse(page, clip):.1f} s from the upload to the result")
            page.wait_for_timeout(1500)
            page.screenshot(path=str(options.out), full_page=options.whole)
            print(page.inner_text("main")[:1500])
            browser.close()


if __name__ == "__main__":
    main()
