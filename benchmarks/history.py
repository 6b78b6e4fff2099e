"""Milliseconds that the history page takes with very many analyses in one account.

    python -m benchmarks.history [--rows 100000] [--repeats 7] [--out benchmarks/results/history.csv]

Each database is filled in bulk with rows as the worker records them, result documents included, and every
page is asked for as a browser asks: session, filters, rows and the rendered page count. SQLite is used as the
site uses it; PostgreSQL is a server of its own, vacuumed as autovacuum does within a minute. The
pages come one after another, so these are not figures for a busy site.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import User
    from analyses.models import Analysis, Video

BATCH = 1000
LATEST = datetime(2026, 11, 1, tzinfo=UTC)
MINUTES_APART = 5
WORDS = (
    "interview",
    "speech",
    "statement",
    "rally",
    "CCTV",
    "Überwachung",
    "clip",
    "WhatsApp Video",
    "IMG",
    "VID",
)
MODELS = (("efficientnet_lstm", "0.3"), ("efficientnet_lstm", "0.2"), ("resnext50_lstm", "1"))
ENDS = (("done", 90), ("failed", 6), ("cancelled", 2), ("queued", 1), ("running", 1))
PAGES: dict[str, dict[str, str]] = {
    "first page": {},
    "verdict fake": {"verdict": "fake"},
    "verdict inconclusive": {"verdict": "inconclusive"},
    "state failed": {"state": "failed"},
    "state unfinished": {"state": "unfinished"},
    "model, common": {"model": "efficientnet_lstm"},
    "model, none": {"model": "no_such_model"},
    "text, common": {"q": "interview"},
    "text, rare": {"q": "überwachung 99"},
    "text, none": {"q": "no such name"},
    "one month": {"since": "2026-03-01", "until": "2026-03-31"},
    "two filters that exclude each other": {"verdict": "fake", "state": "failed"},
    "by age": {"sort": "oldest"},
    "by probability": {"sort": "probability"},
    "by name": {"sort": "name"},
    "verdict inconclusive, by name": {"verdict": "inconclusive", "sort": "name"},
    "state cancelled, by probability": {"state": "cancelled", "sort": "probability"},
    "text, none, by probability": {"q": "no such name", "sort": "probability"},
    "one month, by probability": {"since": "2026-03-01", "until": "2026-03-31", "sort": "probability"},
}
SORTS = ("newest", "oldest", "probability", "name")


def fill(owner: "User", count: int, *, seed: int = 0) -> None:
    """So many analyses of as many videos, a few minutes apart, in the shares of ``ENDS``."""
    from analyses.models import Analysis, Video

    random = Random(seed)
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        videos = Video.objects.bulk_create(video(owner, number, random) for number in numbers)
        Analysis.objects.bulk_create(analysis(owner, entry, random) for entry in videos)


def video(owner: "User", number: int, random: Random) -> "Video":
    from analyses.models import Video

    return Video(
        owner=owner,
        sha256=f"{random.getrandbits(256):064x}",
        original_name=f"{random.choice(WORDS)} {random.randrange(10_000)}.mp4",
        size_bytes=random.randrange(10**5, 10**8),
        file=f"videos/{random.getrandbits(128):032x}.bin",
        created_at=LATEST - timedelta(minutes=MINUTES_APART * number),
    )


def analysis(owner: "User", video: "Video", random: Random) -> "Analysis":
    from analyses.models import Analysis

    state = random.choices([end for end, _ in ENDS], [weight for _, weight in ENDS])[0]
    row = Analysis(owner=owner, video=video, state=state, created_at=video.created_at)
    row.started_at = row.finished_at = row.heartbeat_at = video.created_at
    if state == "done":
        give_result(row, random)
    elif state in ("failed", "cancelled"):
        row.failure = "cancelled" if state == "cancelled" else "unreadable"
    elif state == "running":
        row.claimed_by = "worker-1"
    return row


def give_result(row: "Analysis", random: Random) -> None:
    share = None if random.random() < 0.05 else round(random.betavariate(0.6, 0.6), 4)
    row.verdict = "inconclusive" if share is None or 0.3 < share < 0.7 else "fake" if share >= 0.7 else "real"
    row.fake_probability, row.threshold = share, 0.7
    row.model_name, row.model_version = random.choice(MODELS)
    row.model_sha256 = "a" * 64
    row.duration_s, row.thumbnail = float(random.randrange(2, 600)), "thumbnail.jpg"
    row.document = document(random)


def document(random: Random) -> dict[str, Any]:
    """As large as one of a clip with one face, scored in four windows."""
    frames = [
        {
            "frame": number,
            "time_s": number / 25,
            "track": 1,
            "box": [612, 204, 180, 226],
            "score": random.random(),
        }
        for number in range(120)
    ]
    return {"schema": 1, "frames": frames, "evidence": [], "video": {"duration_s": 12.0}}


def measure(rows: int, repeats: int) -> Iterator[dict[str, Any]]:
    """Fills the database that the settings name, and asks for every page."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain_static_files()}
    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("owner@example.org")
    began = perf_counter()
    fill(owner, rows)
    yield {"page": "(filling)", "median_ms": 1000 * (perf_counter() - began)}
    settle()
    client = Client()
    client.force_login(owner)
    for name, query in {**PAGES, **dict(deep_pages(owner, rows))}.items():
        yield {"page": name, **time_page(client, query, repeats)}


def plain_static_files() -> dict[str, str]:
    return {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


def settle() -> None:
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def deep_pages(owner: "User", rows: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Behind the row in the middle, and before it, in every order."""
    from analyses.filters import HistoryParameters, Sort, filtered
    from analyses.keyset import place_of
    from analyses.models import Analysis

    for sort in SORTS:
        ordered = filtered(Analysis.objects.for_user(owner), HistoryParameters(sort=Sort(sort))).defer(
            "document"
        )
        place = place_of(ordered[rows // 2], Sort(sort))
        yield f"middle, {sort}, onwards", {"sort": sort, "after": place}
        yield f"middle, {sort}, backwards", {"sort": sort, "before": place}


def time_page(client: Any, query: dict[str, str], repeats: int) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        assert client.get("/analyses/", query).status_code == 200
    asked = len(queries)
    times = []
    for _ in range(repeats):
        began = perf_counter()
        client.get("/analyses/", query)
        times.append(1000 * (perf_counter() - began))
    return {"median_ms": statistics.median(times), "worst_ms": max(times), "queries": asked}


def in_own_process(url: str, rows: int, repeats: int, state: str) -> list[dict[str, Any]]:
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "TRUTHLENS_STATE": state,
        "TRUTHLENS_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "truthlens_site.settings",
    }
    command = [sys.executable, "-m", "benchmarks.history", "--measure", "--rows", str(rows)]
    run = subprocess.run(
        [*command, "--repeats", str(repeats)], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def databases(rows: int, repeats: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    from truthlens_site.tests.services import postgres

    with tempfile.TemporaryDirectory() as state:
        yield "sqlite", in_own_process(f"sqlite:///{state}/db.sqlite3", rows, repeats, state)
    with tempfile.TemporaryDirectory() as state, postgres() as url:
        yield "postgresql", in_own_process(url, rows, repeats, state)


def write(path: Path, rows: int, found: Sequence[tuple[str, list[dict[str, Any]]]]) -> None:
    from detector.evaluation.machine import machine_facts

    facts = {"date": datetime.now(UTC).date().isoformat(), **machine_facts()}
    columns = ("median_ms", "worst_ms", "queries")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["database", "rows", "page", *columns, *facts])
        for database, pages in found:
            for page in pages:
                figures = [f"{page[name]:.0f}" if name in page else "" for name in columns]
                table.writerow([database, rows, page["page"], *figures, *facts.values()])
                print(f"{database:10} {page['page']:38} " + " ".join(f"{figure:>7}" for figure in figures))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/history.csv"))
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        for page in measure(options.rows, options.repeats):
            print(json.dumps(page), flush=True)
        return
    write(options.out, options.rows, list(databases(options.rows, options.repeats)))


if __name__ == "__main__":
    main()
