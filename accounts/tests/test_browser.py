"""The account pages in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"


def test_carol_signs_up_logs_out_and_logs_in_again(live_server: LiveServer, page: Page) -> None:
    page.goto(f"{live_server.url}/accounts/signup/")
    page.fill("[name=email]", "carol@example.org")
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    page.press("[name=password2]", "Enter")
    expect(page).to_have_url(f"{live_server.url}/analyses/")
    assert User.objects.get().email == "carol@example.org"

    page.goto(f"{live_server.url}/accounts/logout/")
    page.locator("main form button[type=submit]").click()
    page.goto(f"{live_server.url}/analyses/")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next=/analyses/$"))

    page.fill("[name=login]", "Carol@Example.org")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page).to_have_url(f"{live_server.url}/analyses/")


def test_the_administration_pages_break_no_rule_of_the_content_policy(
    live_server: LiveServer, page: Page
) -> None:
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{live_server.url}/admin/")
    page.fill("[name=login]", root.email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page).to_have_url(f"{live_server.url}/admin/")
    for path in ("/admin/", "/admin/accounts/user/", f"/admin/accounts/user/{root.pk}/change/"):
        page.goto(live_server.url + path)
        expect(page.locator("#user-tools")).to_contain_text(root.email)
    assert [words for words in said if "Content Security Policy" in words] == []
