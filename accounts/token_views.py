"""The page of one's API tokens."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import TokenForm
from accounts.models import ApiToken
from accounts.requests import UserRequest
from accounts.tokens import MOST_TOKENS, TooManyTokens, create_token, revoke_token


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def api_tokens(request: UserRequest) -> HttpResponse:
    """One's tokens, and a form for a new one, which the answer to the form shows this once."""
    if request.method != "POST":
        return _page(request, TokenForm())
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    return _made(request, form)


@sensitive_variables("text")
def _made(request: UserRequest, form: TokenForm) -> HttpResponse:
    try:
        token, text = create_token(owner=request.user, **form.cleaned_data)
    except TooManyTokens:
        words = gettext("You have {count} tokens. Revoke one that you no longer need first.")
        form.add_error(None, words.format(count=MOST_TOKENS))
        return _page(request, form, status=400)
    return _page(request, TokenForm(), made=token, text=text)


@login_required
@require_POST
def api_token_revoke(request: UserRequest, uuid: UUID) -> HttpResponse:
    token = ApiToken.objects.for_user(request.user).filter(uuid=uuid).first()
    if token is None:
        raise Http404
    revoke_token(token=token)
    words = gettext("The token “{name}” opens nothing any more.")
    messages.success(request, words.format(name=token.name))
    return redirect("api_tokens")


def _page(request: UserRequest, form: TokenForm, *, status: int = 200, **made: object) -> HttpResponse:
    context = {"form": form, "tokens": ApiToken.objects.for_user(request.user), **made}
    return render(request, "account/tokens.html", context, status=status)
