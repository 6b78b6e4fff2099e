"""Milliseconds of every list, filter, dashboard and duty with a million analyses, and how they are found.

    python -m benchmarks.million [--rows 1000000] [--repeats 5] [--out benchmarks/results]

One account has half of the analyses, two hundred others share the rest; moderators see all of them. A
thousand rows are made as the worker records them, and the database itself makes the others of those, with
small result documents: lists never read a document. SQLite is used as the site uses it; PostgreSQL is a
server of its own, vacuumed as autovacuum does within a minute. Beside the CSV the plan of each query over a
large table is written, for each database. Exit status 1: something took longer than its budget.
"""

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.databases import (
    DATABASES,
    Entry,
    Work,
    in_each_database,
    milliseconds,
    page,
    print_entries,
    queries_of,
    set_up,
    settle,
    times_of,
)
from benchmarks.facts import run_facts
from benchmarks.history import PAGES, deep_pages, fill

if TYPE_CHECKING:
    from accounts.models import User

BASE = 1000
OTHERS = 200
CASES, DISPUTES = 5000, 300
PAGE_MS, DASHBOARD_MS, DUTY_MS = 500, 1500, 1000
EXPORT_MS_A_ROW = 0.6
MODERATION: dict[str, dict[str, str]] = {
    "disputed": {},
    "low confidence": {"show": "unsure"},
    "waiting for a second": {"show": "proposed"},
    "held by me": {"show": "mine"},
    "all": {"show": "newest"},
    "all, by age": {"show": "newest", "sort": "oldest"},
    "all, by probability": {"show": "newest", "sort": "probability"},
    "all, by name": {"show": "newest", "sort": "name"},
    "all, decided": {"show": "newest", "decided": "yes"},
    "all, fake, undecided": {"show": "newest", "verdict": "fake", "decided": "no"},
    "all, text, common": {"show": "newest", "q": "interview"},
    "all, text, rare": {"show": "newest", "q": "überwachung 99"},
}
LARGE_TABLES = ("analyses_analysis", "analyses_video", "analyses_analysisstart", "accounts_auditentry")
DOCUMENT = {
    "schema": 1,
    "frames": [],
    "evidence": [],
    "reasons": [],
    "video": {"duration_s": 12.0},
    "timing": {"total_s": 3.0},
}


# Filling

COPIED_VIDEOS = """
INSERT INTO analyses_video (uuid, owner_id, sha256, original_name, size_bytes, file, proxy, proxy_due,
    created_at)
SELECT {uuid}, CASE WHEN n % 2 = 0 THEN {heavy} ELSE {first} + n % {others} END,
       {hex}, original_name || ' ' || n, size_bytes, 'videos/' || {hex} || '.bin', '', {false},
       {earlier}
FROM analyses_video CROSS JOIN ({series}) AS numbers WHERE id <= {last}
"""
COPIED_ANALYSES = """
INSERT INTO analyses_analysis (uuid, owner_id, video_id, backbone, stability, state, stage, progress_done,
    progress_total, attempts, losses, claimed_by, heartbeat_at, cancel_requested, failure, verdict,
    fake_probability, threshold, model_name, model_version, model_sha256, document, duration_s, thumbnail,
    name_key, created_at, started_at, finished_at)
SELECT {uuid}, v.owner_id, v.id, '', {false}, b.state, '', 0, 0, 0, 0, b.claimed_by, b.heartbeat_at, {false},
    b.failure, b.verdict, b.fake_probability, b.threshold, b.model_name, b.model_version, b.model_sha256,
    CASE WHEN b.state = 'done' THEN {document} END, b.duration_s, b.thumbnail, lower(v.original_name),
    v.created_at, v.created_at, v.created_at
FROM analyses_video AS v JOIN analyses_analysis AS b ON b.video_id = 1 + v.id % {last}
WHERE v.id > {last} AND b.id <= {last} AND b.state IN ('done', 'failed', 'cancelled')
"""
DIALECTS = {
    "sqlite": {
        "uuid": "lower(hex(randomblob(16)))",
        "hex": "lower(hex(randomblob(32)))",
        "series": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {times})"
        " SELECT n FROM c",
        "earlier": "strftime('%Y-%m-%d %H:%M:%f', created_at, '-' || (n * 17) || ' minutes')",
        "false": "0",
        "document": "'{json}'",
    },
    "postgresql": {
        "uuid": "gen_random_uuid()",
        "hex": "encode(sha256(gen_random_uuid()::text::bytea), 'hex')",
        "series": "SELECT generate_series(1, {times}) AS n",
        "earlier": "created_at - make_interval(mins => n * 17)",
        "false": "false",
        "document": "'{json}'::jsonb",
    },
}


def fill_all(rows: int) -> "tuple[User, User]":
    """The owner of half of them, and a moderator."""
    from django.db import connection

    from accounts.models import User

    heavy = User.objects.create_user("owner@example.org")
    others = [User.objects.create_user(f"user{number}@example.org") for number in range(OTHERS)]
    moderator = User.objects.create_user("mo@example.org", is_staff=True, is_superuser=True)
    fill(heavy, BASE)
    words = {
        **DIALECTS[connection.vendor],
        "heavy": str(heavy.pk),
        "first": str(others[0].pk),
        "others": str(OTHERS),
        "last": str(BASE),
    }
    words["series"] = words["series"].format(times=rows // BASE)
    words["document"] = words["document"].replace("{json}", json.dumps(DOCUMENT))
    with connection.cursor() as cursor:
        for statement in (COPIED_VIDEOS, COPIED_ANALYSES):
            cursor.execute(statement.format(**words))
    add_cases(moderator)
    return heavy, moderator


def add_cases(moderator: "User") -> None:
    """Some thousand results that moderators decided, and a few hundred that their owners dispute."""
    from analyses.models import Analysis, Dispute
    from analyses.moderation.models import Case, Decision

    done = Analysis.objects.filter(state="done").order_by("-created_at").only("pk", "owner_id")
    judged = done[: 20 * CASES : 20]
    decisions = [Decision(analysis=row, moderator=moderator, kind="confirm") for row in judged]
    Decision.objects.bulk_create(decisions, batch_size=BASE)
    pairs = zip(judged, decisions, strict=True)
    cases = (Case(analysis=row, judgement=made, last=made, label="fake") for row, made in pairs)
    Case.objects.bulk_create(cases, batch_size=BASE)
    disputed = done[7 : 311 * DISPUTES : 311]
    Dispute.objects.bulk_create(
        Dispute(analysis=row, author_id=row.owner_id, opinion="real") for row in disputed
    )


# Measuring


def measures(heavy: "User", moderator: "User", rows: int) -> Iterator[tuple[str, float, Work]]:
    """Name, budget in milliseconds, and what is measured."""
    from django.test import Client

    from analyses import quotas, strays
    from analyses.reconciler import reconcile, take_back
    from analyses.retention import purge
    from analyses.table_statistics import refresh_table_statistics
    from truthlens_site.health import database_answers

    own, other = Client(), Client()
    own.force_login(heavy)
    other.force_login(moderator)
    for name, query in {**PAGES, **dict(deep_pages(heavy, rows // 2))}.items():
        yield f"history: {name}", PAGE_MS, page(own, "/analyses/", query)
    for name, query in MODERATION.items():
        yield f"moderation: {name}", PAGE_MS, page(other, "/moderation/", query)
    yield "moderation: audit log", PAGE_MS, page(other, "/moderation/audit/", {})
    yield "dashboard", DASHBOARD_MS, page(other, "/moderation/dashboard/", {})
    yield "dashboard, what if", DASHBOARD_MS, page(other, "/moderation/dashboard/", {"threshold": "0.8"})
    yield "upload page", PAGE_MS, page(own, "/analyses/new/", {})
    yield "usage", PAGE_MS, page(own, "/usage/", {})
    yield "exports", PAGE_MS, page(own, "/exports/", {})
    for name, query in (("first page", {}), ("failed", {"state": "failed"}), ("text", {"text": "rally"})):
        yield f"API: {name}", PAGE_MS, page(own, "/api/v1/analyses/", {**query, "limit": "100"})
    yield "one that waits", PAGE_MS, page(own, address_of_one(heavy), {})
    yield "quotas of a submission", PAGE_MS, lambda: list(quotas.meters(heavy))
    for duty in (take_back, reconcile, purge, strays.remove_strays, refresh_table_statistics):
        yield f"duty: {duty.__name__}", DUTY_MS, duty
    yield "health", PAGE_MS, database_answers


def address_of_one(owner: "User") -> str:
    from analyses.models import Analysis

    return Analysis.objects.for_user(owner).queued().order_by("-created_at")[0].get_absolute_url()


def plans_of(work: Work) -> list[str]:
    """How the rows of each query over a large table are found."""
    large = [sql for sql in queries_of(work) if any(table in sql for table in LARGE_TABLES)]
    return [plan for plan in map(plan_of, large) if plan]


def plan_of(sql: str) -> str:
    """How the database finds the rows of a query."""
    from django.db import DatabaseError, connection

    if not sql.startswith("SELECT"):
        return ""
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN (COSTS OFF)"
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"{explain} {sql}")
            return "\n".join(str(row[-1]) for row in cursor.fetchall())
    except DatabaseError:  # sqlite shows parameters without quotes here and there
        return ""


def export_all(owner: "User") -> Iterator[Entry]:
    """The history as CSV, as the worker writes it."""
    from analyses import export_services
    from analyses.export_writing import write_export
    from analyses.models import Export

    asked = export_services.request_export(owner=owner, filters={})
    claimed = export_services.claim_export(uuid=asked.uuid, worker="worker-1")
    assert claimed is not None
    spent = milliseconds(partial(write_export, claimed))
    rows = Export.objects.get(pk=asked.pk).rows
    budget = EXPORT_MS_A_ROW * rows
    yield {"what": f"export of {rows} rows", "budget_ms": budget, "median_ms": spent, "worst_ms": spent}


def measure(rows: int, repeats: int) -> Iterator[Entry]:
    """Fills the database that the settings name, and asks for everything."""
    set_up()
    from django.conf import settings

    from analyses.table_statistics import refresh_table_statistics

    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
    settings.RETENTION_FILES_DAYS = settings.RETENTION_RESULTS_DAYS = 36_500
    began = perf_counter()
    heavy, moderator = fill_all(rows)
    settle()
    refresh_table_statistics()
    yield {"what": "(filling)", "median_ms": 1000 * (perf_counter() - began)}
    for name, budget, what in measures(heavy, moderator, rows):
        plans = plans_of(what)
        yield {"what": name, "budget_ms": budget, "plans": plans, **times_of(what, repeats)}
    yield from export_all(heavy)


# Writing


def write_figures(path: Path, rows: int, facts: dict[str, object], found: dict[str, list[Entry]]) -> int:
    """How many went over their budget."""
    columns = ("median_ms", "worst_ms", "budget_ms")
    over = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["database", "rows", "what", *columns, *facts])
        for database, entries in found.items():
            for entry in entries:
                figures = [f"{entry[name]:.0f}" if name in entry else "" for name in columns]
                table.writerow([database, rows, entry["what"], *figures, *facts.values()])
                late = entry["median_ms"] > entry.get("budget_ms", float("inf"))
                over += late
                words = " ".join(f"{figure:>8}" for figure in figures)
                print(f"{database:10} {entry['what']:50} {words}{'  LATE' if late else ''}")
    return over


def write_plans(folder: Path, found: dict[str, list[Entry]]) -> None:
    for database, entries in found.items():
        parts = [
            f"{entry['what']}\n" + "\n".join(indented(plan) for plan in dict.fromkeys(entry["plans"]))
            for entry in entries
            if entry.get("plans")
        ]
        (folder / f"plans-{database}.txt").write_text("\n".join(parts) + "\n", encoding="utf-8")


def indented(plan: str) -> str:
    """Without what differs from run to run."""
    steady = re.sub(r"'[^']{12,}'(::[a-z ]+)?", "'...'", plan)
    return "\n".join(f"    {line}" for line in steady.splitlines()) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=DATABASES, default="", help="this database alone")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print_entries(measure(options.rows, options.repeats))
        return 0
    facts = run_facts()
    found = dict(in_each_database("benchmarks.million", options.rows, options.repeats, options.only))
    options.out.mkdir(parents=True, exist_ok=True)
    write_plans(options.out, found)
    return 1 if write_figures(options.out / "million.csv", options.rows, facts, found) else 0


if __name__ == "__main__":
    sys.exit(main())
