"""One signed message to one address: checked, bounded in time and size, and never led elsewhere."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings

from analyses.webhooks.addresses import Uncallable, callable_addresses, parts_of
from analyses.webhooks.models import ANSWER_LENGTH, Problem

CONNECT_S = 4.0
LONGEST_S = 10.0
"""From the connection to the end of what is read of the answer."""
MOST_ADDRESSES = 3
"""Of one name that are tried."""
READ_BYTES = 4 * ANSWER_LENGTH
TEXTS = ("text/", "application/json", "application/problem+json")


@dataclass(frozen=True, slots=True)
class Reply:
    """``text`` is how the answer begins, where that is text that may be kept."""

    status: int
    text: str


class Line:
    """A connection that is cut when the time is up, however slowly something still comes."""

    def __init__(self, plain: socket.socket) -> None:
        self.socket = plain
        self.was_cut = False
        self._timer = threading.Timer(LONGEST_S, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def secure(self, host: str) -> None:
        context = ssl.create_default_context()
        secured = context.wrap_socket(self.socket, server_hostname=host, do_handshake_on_connect=False)
        self.socket = secured
        secured.do_handshake()

    def close(self) -> None:
        self._timer.cancel()
        self.socket.close()

    def _cut(self) -> None:
        self.was_cut = True
        with suppress(OSError):
            socket.socket.shutdown(
                self.socket, socket.SHUT_RDWR
            )  # without the goodbye that TLS would wait for


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> Reply:
    """Send it and read how the answer begins. Raises :class:`Uncallable` where there is none.

    No proxy of the environment is asked, and no redirect followed.
    """
    try:
        parts = parts_of(url)
    except ValueError as error:  # the site's setting has changed since it was taken
        raise Uncallable(Problem.PRIVATE) from error
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    with _line(callable_addresses(host, port), port) as line:
        if parts.scheme == "https":
            line.secure(host)
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        return _ask(line, path, body, {**headers, "Host": parts.netloc})


@contextmanager
def _line(addresses: list[str], port: int) -> Iterator[Line]:
    """Whatever goes wrong on it is told as one of the problems."""
    line = Line(_connect(addresses, port))
    try:
        yield line
        if line.was_cut:  # what is cut off may look like an answer that ended
            raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:
        if line.was_cut or isinstance(error, TimeoutError):
            raise Uncallable(Problem.TIMED_OUT) from error
        raise Uncallable(Problem.TLS if isinstance(error, ssl.SSLError) else Problem.BROKEN) from error
    finally:
        line.close()


def _connect(addresses: list[str], port: int) -> socket.socket:
    """To the first that answers. These are addresses, so nothing is looked up again."""
    problem = Problem.UNREACHABLE
    for address in addresses[:MOST_ADDRESSES]:
        try:
            plain = socket.create_connection((address, port), timeout=CONNECT_S)
        except OSError as error:
            problem = Problem.TIMED_OUT if isinstance(error, TimeoutError) else Problem.UNREACHABLE
        else:
            plain.settimeout(LONGEST_S)
            return plain
    raise Uncallable(problem)


def _ask(line: Line, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    connection = http.client.HTTPConnection("")
    connection.sock = line.socket
    connection.request("POST", path, body=body, headers={**headers, "Connection": "close"})
    response = connection.getresponse()
    try:
        return Reply(response.status, _text(response, response.read(READ_BYTES)))
    finally:
        response.close()


def _text(response: http.client.HTTPResponse, content: bytes) -> str:
    """Nothing where the answer may be a page of the network that the site stands in."""
    kind = response.getheader("Content-Type", "")
    if settings.WEBHOOKS_PRIVATE or response.getheader("Content-Encoding") or not kind.startswith(TEXTS):
        return ""
    text = content.decode("utf-8", "replace")
    return "".join(sign for sign in text if sign.isprintable() or sign == "\n").strip()[:ANSWER_LENGTH]
