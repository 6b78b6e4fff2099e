"""The address that the web server will listen on."""

import errno
import socket
import time

ADVICE = {
    errno.EADDRINUSE: "is in use by another program; choose another with --port",
    errno.EACCES: "needs administrator rights; choose one over 1023 with --port",
    errno.EADDRNOTAVAIL: "can't be used: this machine has no such address",
}


class AddressError(Exception):
    """The address can't be listened on. The message is one clear sentence."""


def check_free(host: str, port: int, *, patience_s: float = 2.0) -> None:
    """Raises :class:`AddressError` where nothing can listen there.

    The patience is for a web server that was killed a moment ago and is still letting go.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return _bind(host, port)
        except (OSError, OverflowError) as error:
            number = getattr(error, "errno", None)
            if number == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise AddressError(
                f"Port {port} on {host} {ADVICE.get(number or 0, f'is no use: {error}')}."
            ) from None


def _bind(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def answers(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        socket.create_connection((reachable(host), port), timeout=1).close()
    except OSError:
        return False
    return True


def reachable(host: str) -> str:
    """Where a browser on this machine finds a server that listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def link(host: str, port: int) -> str:
    name = reachable(host)
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"
