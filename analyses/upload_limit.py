"""Refuses an upload by its announced size, before any of it is written to the disk."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload

FORM_BYTES = 1024 * 1024
"""What the form around the file may add to the size of the request."""
HOPELESS = 50
"""So many times over the limit, the connection is closed in place of reading the rest politely."""


class UploadLimit(FileUploadHandler):
    """Placed before the handlers that store. ``exceeded`` says afterwards that the file was left out."""

    exceeded = False
    hopeless = False

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        limit = settings.MAX_VIDEO_SIZE_BYTES
        self.exceeded = content_length > limit + FORM_BYTES
        self.hopeless = content_length > limit * HOPELESS + FORM_BYTES

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if self.hopeless:
            raise StopUpload(connection_reset=True)
        if self.exceeded:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
