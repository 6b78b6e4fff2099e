"""What every page knows about accounts."""

from django.conf import settings
from django.http import HttpRequest


def signup(request: HttpRequest) -> dict[str, object]:
    """Whether strangers are told that they can sign up."""
    return {"signup_open": settings.SIGNUP == "open"}
