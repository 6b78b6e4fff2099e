"""What two hundred people at once get from the site, and whether its memory stays flat.

    python -m benchmarks.web_load [--users 200] [--seconds 120] [--only sqlite|postgresql]
                                  [--out benchmarks/results/web_load.csv]

The whole site runs as ``up`` starts it, with the tiny model. Each user has an account of their own and does
one thing after the other with some seconds in between: look at the history, at a result and at other pages,
ask for the state of an analysis, hand in a clip, take results away as JSON, CSV and PDF, have the history
exported. Only loopback is used. Clients and site share the machine, so these are figures for both together.
Exit status 1: an answer that no limit of the site explains, or memory that grows.
"""

import argparse
import asyncio
import csv
import json
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from benchmarks.facts import run_facts
from benchmarks.faults.desk import Desk, running_desk
from detector.tests.clips import face_clip
from detector.tests.tiny import write_tiny_weights
from truthlens_site.tests.services import PostgresServer, short_folder

PAUSE_S = (3.0, 9.0)
RAMP_S = 20.0
SAMPLE_S = 2.0
GROWTH = 1.25
"""Memory is called flat when its last third is at most so much above its second."""
PARTS = ("web", "worker", "job")
PEOPLE = """
import json
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.conf import settings
from accounts.models import Scope
from accounts.tokens import create_token
people = []
for number in range({count}):
    user = User.objects.create_user(f"user{{number}}@example.org")
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session.create()
    people.append([session.session_key, create_token(owner=user, name="load", scope=Scope.WRITE)[1]])
print(json.dumps(people))
"""


@dataclass(slots=True)
class Tally:
    """Milliseconds and statuses by what was asked for, and memory in MB by part."""

    times: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[str] = field(default_factory=Counter)
    memory: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def errors(self) -> int:
        return sum(count for status, count in self.statuses.items() if status not in EXPECTED)


EXPECTED = {"200", "201", "202", "302", "429"}


class Person:
    """One user: ``browser`` has their session, ``script`` their token."""

    def __init__(self, url: str, session: str, token: str, number: int, tally: Tally, clip: bytes) -> None:
        limits = httpx.Limits(max_connections=2)
        options: dict[str, Any] = {"base_url": url, "timeout": 60, "limits": limits}
        self._browser = httpx.AsyncClient(cookies={"sessionid": session}, **options)
        self._script = httpx.AsyncClient(headers={"Authorization": f"Token {token}"}, **options)
        self._random, self._tally, self._clip = Random(number), tally, clip
        self._latest = ""

    async def live(self, until: float) -> None:
        await asyncio.sleep(self._random.uniform(0, RAMP_S))
        await self._hand_in()
        names, weights = list(ACTS), [weight for weight, _ in ACTS.values()]
        while time.monotonic() < until:
            await asyncio.sleep(self._random.uniform(*PAUSE_S))
            _, act = ACTS[self._random.choices(names, weights)[0]]
            await act(self)
        await self._browser.aclose()
        await self._script.aclose()

    async def _ask(self, name: str, work: Awaitable[httpx.Response]) -> httpx.Response | None:
        began = time.monotonic()
        try:
            answer = await work
        except httpx.HTTPError as error:
            self._tally.statuses[type(error).__name__] += 1
            return None
        self._tally.times[name].append(1000 * (time.monotonic() - began))
        self._tally.statuses[str(answer.status_code)] += 1
        return answer

    async def _hand_in(self) -> None:
        content = self._clip + self._random.randbytes(16)
        work = self._script.post("/api/v1/analyses/", files={"video": ("clip.mp4", content)})
        answer = await self._ask("hand in", work)
        if answer is not None and answer.is_success:
            self._latest = str(answer.json()["uuid"])

    async def _history(self) -> None:
        sort = self._random.choice(["", "?sort=name", "?sort=probability", "?state=failed", "?q=clip"])
        await self._ask("history", self._browser.get(f"/analyses/{sort}"))

    async def _page(self) -> None:
        path = self._random.choice(["/analyses/new/", "/usage/", "/exports/", "/models/", "/notifications/"])
        await self._ask("other pages", self._browser.get(path))

    async def _result(self) -> None:
        if self._latest:
            await self._ask("result", self._browser.get(f"/analyses/{self._latest}/"))

    async def _poll(self) -> None:
        if self._latest:
            await self._ask("state", self._browser.get(f"/analyses/{self._latest}/state/"))

    async def _api(self) -> None:
        await self._ask("API list", self._script.get("/api/v1/analyses/"))

    async def _take_away(self) -> None:
        state = await self._ask("API state", self._script.get(f"/api/v1/analyses/{self._latest}/"))
        if state is None or not state.is_success or state.json()["state"] != "done":
            return
        name = self._random.choice(["result.json", "frames.csv", "report.pdf"])
        await self._ask(name, self._script.get(f"/api/v1/analyses/{self._latest}/{name}"))

    async def _export(self) -> None:
        page = await self._ask("exports", self._browser.get("/exports/"))
        if page is None:
            return
        fields = {"csrfmiddlewaretoken": self._browser.cookies.get("csrftoken", "")}
        await self._ask("export", self._browser.post("/exports/", data=fields))


ACTS: dict[str, tuple[float, Callable[[Person], Awaitable[None]]]] = {
    "history": (25, Person._history),
    "other pages": (15, Person._page),
    "result": (15, Person._result),
    "state": (25, Person._poll),
    "API list": (8, Person._api),
    "hand in": (4, Person._hand_in),
    "take away": (6, Person._take_away),
    "export": (2, Person._export),
}
"""How often each is done, and what it is."""


async def sample(desk: Desk, tally: Tally, until: float) -> None:
    while time.monotonic() < until:
        for part in PARTS:
            pids = desk.pids(part)
            if pids:
                tally.memory[part].append(sum(map(resident_mb, pids)))
        await asyncio.sleep(SAMPLE_S)


def resident_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return 0.0


async def load(desk: Desk, users: int, seconds: float, clip: bytes) -> Tally:
    tally, until = Tally(), time.monotonic() + seconds
    people = json.loads(desk.manage("shell", "--verbosity=0", "-c", PEOPLE.format(count=users)))
    crowd = [
        Person(desk.url, session, token, number, tally, clip)
        for number, (session, token) in enumerate(people)
    ]
    await asyncio.gather(sample(desk, tally, until), *(person.live(until) for person in crowd))
    return tally


def figures(tally: Tally, seconds: float) -> Iterator[tuple[str, str, object]]:
    """What, figure, value."""
    asked = [time for times in tally.times.values() for time in times]
    yield "all", "requests a second", f"{len(asked) / seconds:.1f}"
    for name, times in [("all", asked), *sorted(tally.times.items())]:
        yield name, "requests", len(times)
        for percent in (50, 95, 99):
            yield name, f"p{percent}_ms", f"{percentile(times, percent):.0f}"
    for status, count in sorted(tally.statuses.items()):
        yield "answers", status, count
    yield "answers", "errors", tally.errors
    for part, series in tally.memory.items():
        middle, last = thirds(series)
        yield f"memory, {part}", "median of the second third, MB", f"{middle:.0f}"
        yield f"memory, {part}", "median of the last third, MB", f"{last:.0f}"
        yield f"memory, {part}", "most, MB", f"{max(series):.0f}"


def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)] if values else 0.0


def thirds(series: list[float]) -> tuple[float, float]:
    """Medians of the second and of the last third; the first one warms up."""
    third = max(1, len(series) // 3)
    return statistics.median(series[third : 2 * third] or series), statistics.median(series[-third:])


def is_sound(tally: Tally) -> bool:
    pairs = [thirds(series) for series in tally.memory.values()]
    return not tally.errors and all(last <= GROWTH * middle for middle, last in pairs)


def run(database: str, users: int, seconds: float) -> Tally:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tl-load-")))
        weights = write_tiny_weights(folder / "weights")
        variables = {"MODEL_PATH": str(weights), "FACE_FINDER": "haar", "DEVICE": "cpu"}
        variables |= {"LOG_LEVEL": "WARNING"}
        if database == "postgresql":
            server = stack.enter_context(PostgresServer(stack.enter_context(short_folder())))
            variables["DATABASE_URL"] = server.url
        clip = face_clip(folder / "clip.mp4", seconds=1, size=(320, 240)).read_bytes()
        desk = stack.enter_context(running_desk(folder / "site", variables))
        return asyncio.run(load(desk, users, seconds, clip))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web_load")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="this database alone")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/web_load.csv"))
    options = parser.parse_args()
    facts = run_facts()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sound = True
    with options.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["database", "users", "seconds", "what", "figure", "value", *facts])
        for database in [options.only] if options.only else ["sqlite", "postgresql"]:
            tally = run(database, options.users, options.seconds)
            sound = sound and is_sound(tally)
            for what, figure, value in figures(tally, options.seconds):
                row = [database, options.users, options.seconds, what, figure, value]
                table.writerow([*row, *facts.values()])
                print(f"{database:10} {what:16} {figure:32} {value}")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
