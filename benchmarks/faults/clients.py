"""People who hand in clips, and go on whatever happens to the site: in one request, or in pieces (tus)."""

import base64
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random
from uuid import uuid4

import httpx

from detector.tests import clips

PIECE_BYTES = 8 * 1024
TUS = {"Tus-Resumable": "1.0.0"}
KEY_LOST_S = 4.0
"""A request whose process was killed keeps its Idempotency-Key for minutes; a list tells what came of it."""
CANCELLED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Clip:
    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def make_clips(folder: Path, count: int, random: Random) -> list[Clip]:
    """Most are good; some are damaged, show nobody, or need a copy that browsers can play."""
    folder.mkdir()
    good = clips.face_clip(folder / "good.mp4", seconds=2, size=(320, 240)).read_bytes()
    film = clips.face_clip(folder / "film.avi", seconds=2, size=(320, 240), codec="mpeg4").read_bytes()
    wall = clips.make_no_face(folder / "wall.mp4").read_bytes()
    damaged = clips.make_corrupt(folder / "damaged.mp4").read_bytes()
    kinds = random.choices((good, film, wall, damaged), (7, 1, 1, 1), k=count)
    return [Clip(f"clip-{number}-.mp4", kind + random.randbytes(16)) for number, kind in enumerate(kinds)]


@dataclass(slots=True)
class Crowd:
    """Several clients at once. ``seen`` counts what they met, ``taken`` holds what the site said it took."""

    url: str
    token: str
    clips: list[Clip]
    seed: int = 0
    size: int = 4
    pause_s: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)
    taken: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        queue: SimpleQueue[Clip] = SimpleQueue()
        for clip in self.clips:
            queue.put(clip)
        for number in range(self.size):
            client = Client(self, Random(self.seed + number))
            thread = threading.Thread(target=client.work, args=(queue,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)

    @property
    def is_done(self) -> bool:
        return len(self.taken) == len(self.clips)

    @property
    def is_over(self) -> bool:
        return self._stop.is_set()


class Client:
    def __init__(self, crowd: Crowd, random: Random) -> None:
        self._crowd, self._random = crowd, random
        headers = {"Authorization": f"Token {crowd.token}", "Accept": "application/json"}
        self._http = httpx.Client(base_url=crowd.url, headers=headers, timeout=30)

    def work(self, queue: "SimpleQueue[Clip]") -> None:
        while not self._crowd.is_over:
            try:
                clip = queue.get_nowait()
            except Empty:
                return
            address = self._in_pieces(clip) if self._random.random() < 0.5 else self._in_one(clip)
            if not address:
                return
            self._crowd.taken.add(clip.sha256)
            if self._random.random() < CANCELLED_SHARE:
                self._ask("POST", f"{address}cancel/")
            time.sleep(self._random.uniform(0, 2 * self._crowd.pause_s))

    def _in_one(self, clip: Clip) -> str:
        """The analysis' address; empty at the end of the whole test."""
        key, since = uuid4().hex, time.monotonic()
        files = {"video": (clip.name, clip.content)}
        for _ in self._tries():
            answer = self._ask("POST", "/api/v1/analyses/", files=files, headers={"Idempotency-Key": key})
            if answer is None or answer.status_code >= 500:
                continue
            if answer.is_success:
                return str(answer.headers["Location"])
            if found := self._found(clip):
                self._crowd.seen["found in the list"] += 1
                return found
            if answer.status_code == 409 and time.monotonic() - since > KEY_LOST_S:
                key, since = uuid4().hex, time.monotonic()
        return ""

    def _found(self, clip: Clip) -> str:
        answer = self._ask("GET", "/api/v1/analyses/", params={"text": clip.name})
        rows = answer.json()["results"] if answer is not None and answer.is_success else []
        return f"/api/v1/analyses/{rows[0]['uuid']}/" if rows else ""

    def _in_pieces(self, clip: Clip) -> str:
        address, offset, asked = "", 0, False
        for _ in self._tries(0.1):
            if not address:
                address, offset, asked = self._begin(clip), 0, False
                continue
            answer = self._ask("HEAD", address, headers=TUS) if asked else self._send(clip, address, offset)
            if answer is None or answer.status_code >= 500 or answer.status_code in (409, 423):
                self._crowd.seen["pieces that broke"] += not asked
                asked = True
                time.sleep(0.2)
                continue
            if answer.status_code in (404, 410):
                self._crowd.seen["uploads begun anew"] += 1
                address = ""
                continue
            if "Analysis-Location" in answer.headers:
                return str(answer.headers["Analysis-Location"])
            self._crowd.seen["uploads resumed"] += asked
            offset, asked = int(answer.headers["Upload-Offset"]), False
        return ""

    def _begin(self, clip: Clip) -> str:
        name = base64.b64encode(clip.name.encode()).decode()
        headers = {**TUS, "Upload-Length": str(len(clip.content)), "Upload-Metadata": f"filename {name}"}
        answer = self._ask("POST", "/api/v1/uploads/", headers=headers)
        return str(answer.headers["Location"]) if answer is not None and answer.is_success else ""

    def _send(self, clip: Clip, address: str, offset: int) -> httpx.Response | None:
        kind = "application/offset+octet-stream"
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": kind}
        return self._ask(
            "PATCH", address, content=clip.content[offset : offset + PIECE_BYTES], headers=headers
        )

    def _tries(self, pause_s: float = 0.2) -> Iterator[None]:
        while not self._crowd.is_over:
            yield
            time.sleep(pause_s)

    def _ask(self, method: str, path: str, **options: object) -> httpx.Response | None:
        try:
            answer = self._http.request(method, path, **options)  # type: ignore[arg-type]
        except httpx.TransportError:
            self._crowd.seen["broken connections"] += 1
            return None
        if answer.status_code >= 500 or answer.status_code == 429:
            self._crowd.seen[f"status {answer.status_code}"] += 1
        return answer
