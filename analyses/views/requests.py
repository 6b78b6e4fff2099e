"""A request whose user is known: what ``login_required`` lets through."""

from accounts.requests import UserRequest

__all__ = ["UserRequest"]
