"""Large files go in pieces (tus 1.0), and go on where a broken connection left them."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import httpx

from truthlens_client.connection import BUSY, TRIES, Connection, pause_s
from truthlens_client.errors import ApiError, Unreachable

PIECE_BYTES = 8 * 1024 * 1024
TUS = {"Tus-Resumable": "1.0.0"}
PIECE_TYPE = "application/offset+octet-stream"
GO_ON = (*BUSY, 409, 423, 500, 502, 504)
"""After these the site is asked how much it has."""

Sent = Callable[[int], None]


def send_in_pieces(connection: Connection, path: Path, options: dict[str, str], on_sent: Sent) -> str:
    """The address of the analysis. ``on_sent`` is told how many bytes are there so far.

    Raises ApiError and Unreachable.
    """
    size = path.stat().st_size
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata(filename=path.name, **options)}
    url = connection.request("POST", "/api/v1/uploads/", headers=headers).headers["Location"]
    with path.open("rb") as file:
        return _send_all(connection, url, file, on_sent)


def _send_all(connection: Connection, url: str, file: BinaryIO, on_sent: Sent) -> str:
    offset, failures = 0, 0
    while True:
        try:
            response = _send_piece(connection, url, file, offset)
        except (httpx.TransportError, ApiError) as error:
            failures += 1
            _give_up(error, failures)
            connection.pause(pause_s(failures))
            response = connection.request("HEAD", url, headers=TUS)
        else:
            failures = 0
        offset = int(response.headers["Upload-Offset"])
        on_sent(offset)
        if "Analysis-Location" in response.headers:
            return str(response.headers["Analysis-Location"])


def _send_piece(connection: Connection, url: str, file: BinaryIO, offset: int) -> httpx.Response:
    file.seek(offset)
    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": PIECE_TYPE}
    return connection.once("PATCH", url, content=file.read(PIECE_BYTES), headers=headers)


def _give_up(error: Exception, failures: int) -> None:
    """Raises what can't be helped by going on."""
    if isinstance(error, ApiError):
        if error.status not in GO_ON or failures == TRIES:
            raise error
    elif failures == TRIES:
        raise Unreachable(f"The site can’t be reached: {error}") from error


def metadata(**values: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())
