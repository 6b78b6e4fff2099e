"""Requests that are sent again when the site is busy or the connection breaks."""

import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx

from truthlens_client.errors import Unreachable, error_of

TRIES = 6
LONGEST_PAUSE_S = 60.0
BUSY = (429, 503)
TIMEOUT = httpx.Timeout(30, read=120, write=120)


class Connection:
    """To one site, with one token, which reaches nobody else: an object store is asked without it."""

    def __init__(
        self, url: str, token: str, *, sleep: Callable[[float], None] = time.sleep, tries: int = TRIES
    ) -> None:
        headers = {"Authorization": f"Token {token}", "Accept": "application/json"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT)
        self._sleep, self._tries = sleep, tries

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.send(lambda: self._http.build_request(method, path_of(path), **options))

    def file(self, path: str) -> bytes:
        """A stored file, which the site may keep in an object store. Raises ApiError and Unreachable."""
        response = self._answer(lambda: self._http.build_request("GET", path_of(path)))
        if response.is_redirect:
            response = from_elsewhere(response)
        return succeeded(response).content

    def send(self, build: Callable[[], httpx.Request]) -> httpx.Response:
        """``build`` makes the request anew for every try: its body may have been read.

        So what is sent must do no harm twice. Raises ApiError and Unreachable.
        """
        return succeeded(self._answer(build))

    def _answer(self, build: Callable[[], httpx.Request]) -> httpx.Response:
        for number in range(1, self._tries + 1):
            try:
                response = self._http.send(build())
            except httpx.TransportError as error:
                if number == self._tries:
                    raise Unreachable(f"The site can’t be reached: {error}") from error
                self._sleep(pause_s(number))
                continue
            if response.status_code not in BUSY or number == self._tries:
                break
            self._sleep(pause_s(number, response.headers.get("Retry-After", "")))
        return response

    def once(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One try. Raises what httpx raises, and ApiError."""
        return succeeded(self._http.request(method, path_of(path), **options))

    def pause(self, seconds: float) -> None:
        self._sleep(seconds)


def succeeded(response: httpx.Response) -> httpx.Response:
    if not response.is_success:
        raise error_of(response)
    return response


def from_elsewhere(response: httpx.Response) -> httpx.Response:
    """What a redirect of the site leads to, asked for by its signed address alone. Raises Unreachable."""
    try:
        return httpx.get(response.url.join(response.headers["Location"]), timeout=TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(f"The site’s store can’t be reached: {error}") from error


def pause_s(number: int, retry_after: str = "") -> float:
    """As long as the site says; else longer from try to try, and never the same for two clients."""
    if retry_after.isdecimal():
        return min(LONGEST_PAUSE_S, float(retry_after))
    return min(LONGEST_PAUSE_S, 0.5 * 2.0**number) * random.uniform(0.5, 1)


def path_of(address: str) -> str:
    """An address that the site named, on this site."""
    return httpx.URL(address).raw_path.decode()
