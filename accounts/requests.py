"""A request whose user is known: what ``login_required`` lets through."""

from django.http import HttpRequest

from accounts.models import User


class UserRequest(HttpRequest):
    user: User
