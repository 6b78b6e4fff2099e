"""The pages of the API in a real browser: under the site's policy, and on a phone."""

import re
from html import unescape
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
    page.get_by_role("button", name="Try requests out").press("Enter")
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
def test_the_viewers_are_loaded_when_asked_for_from_what_the_site_itself_holds(
    scheme: str, chromium: "Browser", live_server: "LiveServer"
) -> None:
    complaints: list[str] = []
    context = open_context(chromium, live_server, complaints, viewport=PHONE, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/redoc/")
    expect(page).to_have_url(f"{live_server.url}/api/docs/")
    expect(page.locator(".operations__row")).to_have_count(30)
    assert not any("drf_spectacular" in url for url in asked)
    swagger = page.get_by_role("button", name=re.compile(r"^Try requests out \(\d+\skB\)$"))
    redoc = page.get_by_role("button", name=re.compile(r"^Read as one text \(\d+\skB\)$"))
    swagger.click()
    expect(page.locator(".opblock")).to_have_count(30)
    assert page.evaluate(WIDTH) == PHONE["width"]
    redoc.click()
    expect(page.get_by_role("heading", name="Hand in a video and wait")).to_be_visible()
    expect(page.locator(".opblock").first).to_be_hidden()
    assert page.evaluate(WIDTH) == PHONE["width"]
    redoc.click()
    expect(page.locator(".operations__row").first).to_be_visible()
    assert complaints == []
    context.close()


def test_a_link_into_swagger_opens_it(chromium: "Browser", live_server: "LiveServer") -> None:
    complaints: list[str] = []
    context = open_context(chromium, live_server, complaints)
    page = context.new_page()
    page.goto("/api/docs/#/analyses/cancel_analysis")
    expect(page.locator("[id$=cancel_analysis] .opblock-body")).to_be_visible()
    expect(page.locator("#outline")).to_be_hidden()
    assert [said for said in complaints if not said.startswith("Deprecated: escaping deep link")] == []
    context.close()


def test_a_viewer_that_does_not_come_leaves_the_list(chromium: "Browser", live_server: "LiveServer") -> None:
    context = open_context(chromium, live_server, [])
    page = context.new_page()
    page.route("**/redoc.standalone*.js", lambda route: route.abort())
    page.goto("/api/docs/")
    page.get_by_role("button", name="Read as one text").click()
    expect(page.get_by_role("status")).to_have_text("It could not be loaded. Try again.")
    expect(page.locator("#outline")).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Read as one text").click()
    expect(page.get_by_role("heading", name="Hand in a video and wait")).to_be_visible()
    context.close()


def test_without_scripts_the_page_lists_every_operation(client: Client) -> None:
    page = unescape(client.get("/api/docs/").content.decode())
    assert 'href="/api/schema/"' in page
    for path, operations in client.get("/api/schema/").json()["paths"].items():
        for method, operation in operations.items():
            row = re.search(
                rf">{method.upper()}</span> <code>{re.escape(path)}</code>(.*?)</li>", page, re.DOTALL
            )
            assert row is not None, (method, path)
            assert operation["summary"] in row[1]
            assert set(re.findall(r"\b\d{3}\b", row[1])) >= operation["responses"].keys()
