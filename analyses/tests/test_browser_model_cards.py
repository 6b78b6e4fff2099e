"""Model cards in a real browser: nothing is refused, and nothing is wider than a phone."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_django import Settings

from analyses.detection import check_weights
from analyses.tests.test_browser import open_context
from detector.tests.evaluations import write_evaluation

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_card_fits_a_phone_and_shows_its_plots(
    scheme: str, chromium: "Browser", live_server: "LiveServer", settings: Settings, tmp_path: Path
) -> None:
    sha256 = check_weights().sha256
    settings.BASE_DIR = tmp_path
    write_evaluation(tmp_path / "benchmarks" / "results" / "efficientnet" / "val", sha256)
    complaints: list[str] = []
    size = {"width": 375, "height": 800}
    context = open_context(chromium, live_server, complaints, viewport=size, color_scheme=scheme)
    page = context.new_page()
    for address in ("/models/", "/models/efficientnet_lstm/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 375
    plot = page.locator(".card__plot img")
    plot.scroll_into_view_if_needed()
    plot.evaluate("image => image.decode()")  # fails where it can't be drawn
    assert complaints == []
    context.close()
