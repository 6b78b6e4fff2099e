"""What pages may ask the browser for."""

from django.test import Client


def test_a_page_asks_the_browser_for_nothing(client: Client, db: None) -> None:
    assert client.get("/")["Permissions-Policy"] == "camera=(), microphone=(), geolocation=()"


def test_an_error_page_neither(client: Client, db: None) -> None:
    assert client.get("/nowhere/")["Permissions-Policy"] == "camera=(), microphone=(), geolocation=()"
