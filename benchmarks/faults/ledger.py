"""What became of every clip, from the site's own database and folders."""

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.faults.desk import Desk

TERMINAL = ("done", "failed", "cancelled")
TRIGGERS = {
    "sqlite": (
        "CREATE TABLE IF NOT EXISTS fault_ends (uuid text, state text)",
        """CREATE TRIGGER IF NOT EXISTS fault_ends AFTER UPDATE OF state ON analyses_analysis
           WHEN NEW.state IN ('done', 'failed', 'cancelled')
           BEGIN INSERT INTO fault_ends VALUES (NEW.uuid, NEW.state); END""",
    ),
    "postgresql": (
        "CREATE TABLE fault_ends (uuid uuid, state text)",
        """CREATE FUNCTION fault_end() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN INSERT INTO fault_ends VALUES (NEW.uuid, NEW.state); RETURN NEW; END'""",
        """CREATE TRIGGER fault_ends AFTER UPDATE OF state ON analyses_analysis FOR EACH ROW
           WHEN (NEW.state IN ('done', 'failed', 'cancelled')) EXECUTE FUNCTION fault_end()""",
    ),
}
"""The database itself notes each time that an analysis ends, whoever writes it."""


class Ledger:
    """``url`` is that of PostgreSQL, or empty for the SQLite of the state folder."""

    def __init__(self, desk: Desk, url: str = "") -> None:
        self._desk, self._url = desk, url

    def install(self) -> None:
        for statement in TRIGGERS["postgresql" if self._url else "sqlite"]:
            self.ask(statement)

    def ask(self, sql: str) -> list[Sequence[Any]]:
        if self._url:
            with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as server:
                cursor = server.execute(sql.encode())
                return list(cursor.fetchall()) if cursor.description else []
        with closing(sqlite3.connect(self._desk.state / "db.sqlite3", timeout=20)) as file, file:
            return list(file.execute(sql).fetchall())

    def states(self) -> Counter[str]:
        rows = self.ask("SELECT state, COUNT(*) FROM analyses_analysis GROUP BY state")
        return Counter({str(state): int(count) for state, count in rows})

    def unfinished(self) -> int:
        return sum(count for state, count in self.states().items() if state not in TERMINAL)

    def files(self) -> set[str]:
        """Every path in the storage that a row names."""
        pairs = self.ask("SELECT file, proxy FROM analyses_video")
        exports = self.ask("SELECT file FROM analyses_export")
        return {path for row in (*pairs, *exports) for path in row if path}

    def evidence(self) -> set[str]:
        """Every image that a result names."""
        rows = self.ask("SELECT uuid, document, thumbnail FROM analyses_analysis WHERE state = 'done'")
        return {path for uuid, document, thumbnail in rows for path in _images(uuid, document, thumbnail)}


def _images(uuid: object, document: Any, thumbnail: str) -> Iterator[str]:
    read = json.loads(document) if isinstance(document, str) else document
    names = [entry[kind] for entry in read["evidence"] for kind in ("crop", "heatmap")]
    yield from (f"evidence/{UUID(str(uuid))}/{name}" for name in (*names, thumbnail) if name)


@dataclass(frozen=True, slots=True)
class Audit:
    """``strays`` lie about at the end, ``orphans`` still do after the site's own sweep of older files."""

    outcomes: dict[str, int]
    unfinished: int
    lost: int
    doubled: int
    ended_twice: int
    missing: int
    strays: int
    orphans: int

    @property
    def is_clean(self) -> bool:
        faults = (self.unfinished, self.lost, self.doubled, self.ended_twice, self.missing, self.orphans)
        return not any(faults)


def audit(desk: Desk, ledger: Ledger, sent: set[str]) -> Audit:
    """``sent``: the SHA-256 of every clip that the site said it took."""
    rows = ledger.ask(
        "SELECT v.sha256, a.state, a.failure FROM analyses_analysis a"
        " JOIN analyses_video v ON v.id = a.video_id"
    )
    per_clip = Counter(sha256 for sha256, _, _ in rows)
    ends = Counter(str(uuid) for uuid, _ in ledger.ask("SELECT uuid, state FROM fault_ends"))
    strays = len(_strays(desk, ledger))
    _sweep(desk)
    return Audit(
        outcomes=dict(sorted(Counter(failure or state for _, state, failure in rows).items())),
        unfinished=ledger.unfinished(),
        lost=len(sent - per_clip.keys()),
        doubled=sum(count > 1 for count in per_clip.values()),
        ended_twice=sum(count > 1 for count in ends.values()),
        missing=len({*ledger.files(), *ledger.evidence()} - _stored(desk)),
        strays=strays,
        orphans=len(_strays(desk, ledger)),
    )


def _stored(desk: Desk) -> set[str]:
    return {str(path.relative_to(desk.media)) for path in desk.media.rglob("*") if path.is_file()}


def _strays(desk: Desk, ledger: Ledger) -> set[str]:
    """What lies in the storage and among the uploads, and belongs to no row."""
    begun = {f"{UUID(str(uuid))}.part" for (uuid,) in ledger.ask("SELECT uuid FROM analyses_upload")}
    drafts = {path.name for path in (desk.state / "uploads").glob("*")} - begun
    return (_stored(desk) - ledger.files() - ledger.evidence()) | drafts


def _sweep(desk: Desk) -> None:
    """Let the site's own sweep see everything as it will be in two hours."""
    then = time.time() - 7200
    for folder in (desk.media, desk.state / "uploads"):
        for path in folder.rglob("*"):
            os.utime(path, (then, then))
    desk.manage("reconcile")
