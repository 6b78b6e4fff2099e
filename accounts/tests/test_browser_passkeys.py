"""Passkeys in a real browser, with an authenticator that the browser itself plays."""

import re

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def said(page: Page) -> list[str]:
    """What the browser's console says."""
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text))
    return lines


def plug_in(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def log_in(page: Page, site: str, user: User) -> None:
    page.goto(f"{site}/accounts/login/")
    page.fill("[name=login]", user.email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state()


def add_passkey(page: Page, site: str, *, passwordless: bool) -> None:
    page.goto(f"{site}/accounts/2fa/webauthn/add/")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.set_checked("[name=passwordless]", passwordless)
    page.click("#mfa_webauthn_add")
    expect(page).to_have_url(f"{site}/accounts/2fa/recovery-codes/")


def log_out(page: Page, site: str) -> None:
    page.goto(f"{site}/accounts/logout/")
    page.locator("main form button[type=submit]").click()
    page.wait_for_load_state()


def test_alice_adds_a_passkey_and_logs_in_with_it_alone(
    live_server: LiveServer, page: Page, alice: User, said: list[str]
) -> None:
    site = live_server.url
    plug_in(page)
    log_in(page, site, alice)
    add_passkey(page, site, passwordless=True)
    log_out(page, site)
    page.goto(f"{site}/accounts/login/")
    page.click("#passkey_login")
    expect(page).to_have_url(f"{site}/analyses/")
    page.goto(f"{site}/accounts/2fa/webauthn/")
    expect(page.locator("main")).to_contain_text("Logs you in without a password")
    assert [line for line in said if "Content Security Policy" in line] == []


def test_a_passkey_is_the_second_factor_after_the_password(
    live_server: LiveServer, page: Page, alice: User, said: list[str]
) -> None:
    site = live_server.url
    plug_in(page)
    log_in(page, site, alice)
    add_passkey(page, site, passwordless=False)
    log_out(page, site)
    log_in(page, site, alice)
    expect(page).to_have_url(f"{site}/accounts/2fa/authenticate/")
    page.click("#mfa_webauthn_authenticate")
    expect(page).to_have_url(f"{site}/analyses/")
    key = Authenticator.objects.get(type=Authenticator.Type.WEBAUTHN)
    page.goto(f"{site}/accounts/2fa/webauthn/keys/{key.pk}/remove/")
    page.get_by_role("link", name=re.compile("security key|passkey")).click()
    page.click("#mfa_webauthn_reauthenticate")
    page.click("main form button[type=submit]")
    expect(page.locator("main")).to_contain_text("None.")
    assert [line for line in said if "Content Security Policy" in line] == []


def test_without_a_passkey_at_hand_the_page_says_so(live_server: LiveServer, page: Page, alice: User) -> None:
    page.goto(f"{live_server.url}/accounts/login/")
    page.evaluate("() => { navigator.credentials.get = () => Promise.reject(new Error('cancelled')); }")
    page.click("#passkey_login")
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used.")


def test_without_scripts_the_passkey_page_says_what_else_works(
    live_server: LiveServer, page: Page, alice: User
) -> None:
    browser = page.context.browser
    assert browser is not None
    plain = browser.new_context(java_script_enabled=False).new_page()
    log_in(plain, live_server.url, alice)
    plain.goto(f"{live_server.url}/accounts/2fa/webauthn/add/")
    plain.fill("[name=password]", PASSWORD)
    plain.press("[name=password]", "Enter")
    expect(plain.get_by_text("Passkeys need JavaScript")).to_be_visible()
    expect(plain.locator("#mfa_webauthn_add")).to_be_hidden()
    plain.context.close()
