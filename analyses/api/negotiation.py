"""Which parser reads a request and what its answer looks like."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request


class OneAnswer(BaseContentNegotiation):
    """There is one form of each answer, whatever the client would rather have."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = request.content_type.split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
