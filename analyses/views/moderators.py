"""Who may see the moderators' pages: for everybody else they don't exist."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponseBase

from analyses.views.requests import UserRequest

P = ParamSpec("P")
View = Callable[Concatenate[UserRequest, P], HttpResponseBase]


def moderators_only(view: View[P]) -> View[P]:
    """Strangers are sent to the login, users get 404."""

    @login_required
    @wraps(view)
    def wrapped(request: UserRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


def administrators_only(view: View[P]) -> View[P]:
    """Strangers are sent to the login, users and moderators get 404."""

    @login_required
    @wraps(view)
    def wrapped(request: UserRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_superuser:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped
