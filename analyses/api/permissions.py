"""What a token's scope lets it do."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.models import ApiToken, Scope

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which reads the settings that name this module


class MayWrite(BasePermission):
    """A token that may only read changes nothing. Who is logged in may do the same as on the pages."""

    code = "read_only_token"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method in SAFE_METHODS or not isinstance(request.auth, ApiToken):
            return True
        return request.auth.scope == Scope.WRITE
