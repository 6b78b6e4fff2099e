"""The pages of the API in a real browser: under the site's policy, and on a phone."""

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from playwright.sync_api import expect

from accounts.models import ApiToken, User
from analyses.models import State
from analyses.tests.factories import make_analysis
from analyses.tests.test_browser import log_in, open_context

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 375, "height": 800}
LOGO = "cdn.redoc.ly"
"""Redoc asks for its maker's logo, which the policy forbids. Nothing else may be refused."""
WIDTH = "document.documentElement.scrollWidth"


def test_a_token_is_made_with_the_keyboard_used_and_revoked(
    chromium: "Browser", live_server: "LiveServer", alice: User
) -> None:
    complaints: list[str] = []
    context = open_context(chromium, live_server, complaints, viewport=PHONE, java_script_enabled=False)
    page = log_in(context, live_server, alice)
    page.goto("/analyses/")
    page.locator(".menu summary").click()
    page.get_by_role("link", name="Account", exact=True).click()
    page.get_by_role("link", name="API tokens").click()
    page.get_by_label("Name").fill("newsroom script")
    page.get_by_label("Name").press("Enter")
    text = page.locator(".token-made code").inner_text()
    expect(page.locator(".token-list")).to_contain_text("never used")
    assert Client(headers={"Authorization": f"Token {text}"}).get("/api/v1/usage/").status_code == 200
    page.goto("/account/tokens/")
    expect(page.locator(".token-list")).to_contain_text("last used")
    assert text not in page.content()
    assert page.locator(".token-list__row").bounding_box()["width"] <= PHONE["width"]  # type: ignore[index]
    page.get_by_role("button", name="Revoke the token newsroom script").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("opens nothing any more")
    assert not ApiToken.objects.exists()
    assert complaints == []
    context.close()


@pytest.mark.usefixtures("installed_weights")
def test_the_api_is_tried_out_on_its_page_as_who_is_logged_in(
    chromium: "Browser", live_server: "LiveServer", alice: User
) -> None:
    analysis = make_analysis(alice)
    complaints: list[str] = []
    context = open_context(chromium, live_server, complaints)
    page = log_in(context, live_server, alice)
    page.goto("/api/docs/")
    operation = page.locator("[id$=cancel_analysis]")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("uuid").fill(str(analysis.uuid))
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").nth(1)).to_contain_text("200")
    analysis.refresh_from_db()
    assert analysis.state == State.CANCELLED
    assert complaints == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_descriptions_are_drawn_by_what_the_site_itself_holds(
    scheme: str, chromium: "Browser", live_server: "LiveServer"
) -> None:
    complaints: list[str] = []
    context = open_context(chromium, live_server, complaints, viewport=PHONE, color_scheme=scheme)
    page = context.new_page()
    page.goto("/api/docs/")
    expect(page.locator(".opblock")).to_have_count(30)
    assert page.evaluate(WIDTH) == PHONE["width"]
    assert complaints == []
    page.goto("/api/redoc/")
    expect(page.get_by_role("heading", name="Hand in a video and wait")).to_be_visible()
    assert page.evaluate(WIDTH) == PHONE["width"]
    assert [said for said in complaints if LOGO not in said] == []
    context.close()


def test_the_pages_say_where_the_file_is_without_scripts(client: Client) -> None:
    for path in ("docs", "redoc"):
        page = client.get(f"/api/{path}/").content.decode()
        assert "<noscript>" in page
        assert 'href="/api/schema/"' in page
