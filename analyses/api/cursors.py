"""Long lists, page by page, the newest first."""

from datetime import UTC, datetime
from typing import Any

from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from analyses.api.problems import Problem


class NewestFirst(CursorPagination):
    page_size = 25
    ordering: Any = ("-created_at", "-uuid")

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Whoever writes one of their own may name a place that is no time, or one before or after all."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                datetime.fromisoformat(str(cursor.position)).astimezone(UTC)
            except (ValueError, OverflowError) as error:
                raise Problem("invalid", "There is no such page.") from error
        return cursor
