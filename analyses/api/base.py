"""What all views of the API share."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import User
from analyses.api.problems import Problem
from analyses.detection import Failure
from analyses.upload_limit import UploadLimit

ONCE = ("key_in_use", "key_reused")
"""Of a request that may carry an Idempotency-Key."""
OF_ANALYSES = ("no_weights", "quota_analyses", "quota_minutes", "quota_running")
"""Of what starts an analysis."""
OF_FILES = ("empty", "not_video", "unsupported", "too_large", "quota_storage", "storage_away", "disk_full")
"""Of what takes a video."""
BLOCK_BYTES = 64 * 1024


class ApiRequest(Request):
    """A request whose user is known."""

    user: User


class ApiView(APIView):
    """``costs`` names what a method costs where it isn't simply a read or a write (``API_RATES``),
    ``problems`` the codes that it may refuse with beside those of every address (``analyses.api.openapi``).
    """

    http_method_names: Sequence[str] = ("get", "head", "post", "patch", "delete")
    costs: ClassVar[dict[str, str]] = {}
    problems: ClassVar[dict[str, tuple[str, ...]]] = {}
    limit: UploadLimit

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """The limit comes first: proving a session reads the body already."""
        self.limit = UploadLimit(request)
        request.upload_handlers.insert(0, self.limit)
        return super().initialize_request(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Nothing of what one person gets may be kept for another."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished.headers.setdefault("Cache-Control", "private, no-cache")
        if finished.status_code >= 400:
            _read_rest(request._request)
        return finished

    def cost_of(self, request: Request) -> str:
        method = request.method or ""
        return self.costs.get(method) or ("read" if method in SAFE_METHODS else "write")

    def sent(self, request: Request) -> Any:
        """The fields of the body. Raises :class:`Problem` where a file in it was left out."""
        data = request.data
        if self.limit.exceeded:
            raise Problem(str(Failure.TOO_LARGE))
        if not isinstance(data, dict):
            raise Problem("invalid", "The body must be an object.")
        return data


def _read_rest(request: HttpRequest) -> None:
    """Of a request that is refused. Gunicorn cuts off a client with more than a little left to send, which
    may lose the answer, and breaks the next request on the same connection.
    """
    left = settings.MAX_VIDEO_SIZE_BYTES
    with suppress(UnreadablePostError):
        while left > 0 and (block := request.read(BLOCK_BYTES)):
            left -= len(block)
