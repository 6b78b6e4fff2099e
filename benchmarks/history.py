"""Milliseconds that the history page takes with very many analyses in one account.

    python -m benchmarks.history [--rows 100000] [--repeats 7] [--out benchmarks/results/history.csv]

Each database is filled in bulk with rows as the worker records them, result documents included, and every
page is asked for as a browser asks: session, filters, rows and the rendered page count. SQLite is used as the
site uses it; PostgreSQL is a server of its own, vacuumed as autovacuum does within a minute. The
pages come one after another, so these are not figures for a busy site.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from benchmarks.databases import (
    Entry,
    in_each_database,
    milliseconds,
    page,
    print_entries,
    queries_of,
    set_up,
    settle,
    times_of,
)

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


def measure(rows: int, repeats: int) -> Iterator[Entry]:
    """Fills the database that the settings name, and asks for every page."""
    set_up()
    from django.test import Client

    from accounts.models import User

    owner = User.objects.create_user("owner@example.org")
    yield {"what": "(filling)", "median_ms": milliseconds(partial(fill, owner, rows))}
    settle()
    client = Client()
    client.force_login(owner)
    for name, query in {**PAGES, **dict(deep_pages(owner, rows))}.items():
        work = page(client, "/analyses/", query)
        yield {"what": name, "queries": len(queries_of(work)), **times_of(work, repeats)}


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


def write(path: Path, rows: int, found: Sequence[tuple[str, list[Entry]]]) -> None:
    from detector.evaluation.machine import machine_facts

    facts = {"date": datetime.now(UTC).date().isoformat(), **machine_facts()}
    columns = ("median_ms", "worst_ms", "queries")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["database", "rows", "page", *columns, *facts])
        for database, pages in found:
            for entry in pages:
                figures = [f"{entry[name]:.0f}" if name in entry else "" for name in columns]
                table.writerow([database, rows, entry["what"], *figures, *facts.values()])
                print(f"{database:10} {entry['what']:38} " + " ".join(f"{figure:>7}" for figure in figures))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/history.csv"))
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print_entries(measure(options.rows, options.repeats))
        return
    found = in_each_database("benchmarks.history", options.rows, options.repeats)
    write(options.out, options.rows, list(found))


if __name__ == "__main__":
    main()
