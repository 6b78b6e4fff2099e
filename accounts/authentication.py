"""Who asks at the API: ``Authorization: Token ...``, or a page's session."""

import re

from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.authentication import SessionAuthentication as DjangoSessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.tokens import note_use

_TOKEN = re.compile(rb"\w{1,100}", re.ASCII)


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]
    """Knox's, with the last use written down. An expired token stays on its owner's page."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        if not _TOKEN.fullmatch(token):
            raise AuthenticationFailed
        user, found = super().authenticate_credentials(token)
        note_use(token=found)
        return user, found

    def _cleanup_token(self, auth_token: ApiToken) -> bool:
        """Whether it is of no use any more. Knox would delete it here."""
        return auth_token.has_expired


class SessionAuthentication(DjangoSessionAuthentication):
    """For the site's own pages. What changes something needs the page's proof, as anywhere."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(str(error.detail), code="csrf_failed") from error
