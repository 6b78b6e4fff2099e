"""The API as methods."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from truthlens_client.connection import Connection
from truthlens_client.documents import Analysis, analysis_of
from truthlens_client.pieces import send_in_pieces

ANALYSES = "/api/v1/analyses/"
LARGE_BYTES = 16 * 1024 * 1024
"""From this size on a file goes in pieces."""
LOOK_EVERY_S = 2.0

Sent = Callable[[int], None]


class Client(Connection):
    """All methods raise ApiError where the site refuses and Unreachable where it doesn't answer."""

    def submit(
        self,
        path: str | Path,
        *,
        backbone: str = "",
        stability: bool = False,
        anew: bool = False,
        on_sent: Sent = lambda number: None,
    ) -> Analysis:
        """Hand in a video. What comes back is done already where you have a result of the same file.

        ``anew`` has it analysed again. ``on_sent`` is told how many bytes of the file have arrived.
        """
        path = Path(path)
        options = {"backbone": backbone, "stability": "true" if stability else ""}
        options = {name: value for name, value in options.items() if value}
        if path.stat().st_size < LARGE_BYTES:
            analysis = self._submit_whole(path, options, anew)
            on_sent(path.stat().st_size)
            return analysis
        analysis = self.get(send_in_pieces(self, path, options, on_sent))
        if anew and analysis.is_finished:
            return self.rerun(analysis, backbone=backbone, stability=stability)
        return analysis

    def _submit_whole(self, path: Path, options: dict[str, str], anew: bool) -> Analysis:
        """Under a key, so that a second try makes no second analysis."""
        headers = {"Idempotency-Key": str(uuid4())}
        content = path.read_bytes()

        def build() -> httpx.Request:
            files = {"video": (path.name, content)}
            query = {"anew": "true"} if anew else {}
            return self._http.build_request(
                "POST", ANALYSES, params=query, data=options, files=files, headers=headers
            )

        return analysis_of(self.send(build).json())

    def get(self, address: "str | Analysis") -> Analysis:
        """By its UUID, its address, or what was known of it so far."""
        return analysis_of(self.request("GET", address_of(address)).json())

    def wait(
        self,
        analysis: Analysis,
        *,
        timeout_s: float | None = None,
        on_progress: Callable[[Analysis], None] = lambda analysis: None,
    ) -> Analysis:
        """The analysis once it has ended. Raises TimeoutError."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not analysis.is_finished:
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"{analysis.name} was not finished within {timeout_s:.0f} seconds.")
            self.pause(LOOK_EVERY_S)
            analysis = self.get(analysis)
            on_progress(analysis)
        return analysis

    def analyses(self, **filters: str) -> Iterator[Analysis]:
        """Your own, newest first. ``filters``: state, verdict, model, since, until, text."""
        page: dict[str, Any] = self.request("GET", ANALYSES, params=filters).json()
        while True:
            yield from map(analysis_of, page["results"])
            if not page["next"]:
                return
            page = self.request("GET", page["next"]).json()

    def result(self, analysis: "str | Analysis") -> dict[str, Any]:
        """The result document; of an analysis that failed, the document that says why."""
        document: dict[str, Any] = self.request("GET", f"{address_of(analysis)}result/").json()
        return document

    def evidence(self, analysis: Analysis) -> dict[str, bytes]:
        """The pictures of the faces and their heatmaps, by name."""
        addresses: list[str] = analysis.document["links"]["evidence"]
        return {name.rsplit("/", 1)[-1]: self.file(name) for name in addresses}

    def rerun(self, analysis: "str | Analysis", *, backbone: str = "", stability: bool = False) -> Analysis:
        """Another analysis of the same video."""
        response = self.request(
            "POST",
            f"{address_of(analysis)}rerun/",
            json={"backbone": backbone, "stability": stability},
            headers={"Idempotency-Key": str(uuid4())},
        )
        return analysis_of(response.json())

    def cancel(self, analysis: "str | Analysis") -> Analysis:
        return analysis_of(self.request("POST", f"{address_of(analysis)}cancel/").json())

    def delete(self, analysis: "str | Analysis") -> None:
        """For good, with its pictures and, with the video's last analysis, the video."""
        self.request("DELETE", address_of(analysis))

    def models(self) -> list[dict[str, str]]:
        models: list[dict[str, str]] = self.request("GET", "/api/v1/models/").json()["models"]
        return models

    def usage(self) -> dict[str, Any]:
        usage: dict[str, Any] = self.request("GET", "/api/v1/usage/").json()
        return usage


def address_of(analysis: "str | Analysis") -> str:
    address = analysis.url if isinstance(analysis, Analysis) else analysis
    return address if "/" in address else f"{ANALYSES}{address}/"
