"""How much room a clip takes: rows and documents in PostgreSQL, its job in the broker, its evidence.

    python -m benchmarks.sizes [--rows 20000] [--jobs 2000] [--out benchmarks/results/sizes.csv]

Rows and their documents are those of ``benchmarks.history``; the evidence is that of one made clip with one
face, judged by the installed model.
"""

import argparse
import csv
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.databases import set_up
from benchmarks.facts import run_facts
from benchmarks.history import fill

Figure = tuple[str, float]
DOCUMENTS = "SELECT SUM(pg_column_size(document)) FROM analyses_analysis"


def in_database(rows: int) -> Iterator[Figure]:
    """Bytes a clip with its indexes; documents as they are stored."""
    from django.db import connection

    from accounts.models import User
    from analyses.models import Analysis, Video

    fill(User.objects.create_user("owner@example.org"), rows)
    with connection.cursor() as cursor:
        for name, model in {"video": Video, "analysis": Analysis}.items():
            cursor.execute("SELECT pg_total_relation_size(%s)", [model._meta.db_table])
            yield f"{name} rows, bytes a clip", cursor.fetchone()[0] / rows
        cursor.execute(DOCUMENTS)
        yield "documents among these, bytes a clip", float(cursor.fetchone()[0]) / rows


def in_broker(jobs: int) -> Figure:
    """By the broker's own word, with as many of the analyses waiting."""
    from analyses.models import Analysis
    from analyses.queue import analysis_queue, enqueue

    broker = analysis_queue().connection
    before = broker.info("memory")["used_memory"]
    for uuid in Analysis.objects.values_list("uuid", flat=True)[:jobs]:
        enqueue(uuid)
    return "job, bytes in the broker", (broker.info("memory")["used_memory"] - before) / jobs


def of_evidence(folder: Path) -> Iterator[Figure]:
    from detector import DetectorConfig, analyze
    from detector.tests.clips import face_clip

    result = analyze(face_clip(folder / "clip.mp4", seconds=10), config=DetectorConfig(device="cpu"))
    images = [image for item in result.evidence for image in (item.crop_jpeg, item.heatmap_png)]
    yield "evidence images of a clip with one face", len(images)
    yield "evidence of a clip with one face, bytes", sum(map(len, images))


def write(path: Path, found: list[Figure]) -> None:
    facts = run_facts()
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["figure", "value", *facts])
        table.writerows([name, f"{value:.0f}", *facts.values()] for name, value in found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizes")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/sizes.csv"))
    options = parser.parse_args()
    from truthlens_site.tests.services import postgres, valkey

    with tempfile.TemporaryDirectory() as name, postgres() as database, valkey() as broker:
        os.environ |= {
            "DATABASE_URL": database,
            "REDIS_URL": broker,
            "TRUTHLENS_STATE": name,
            "TRUTHLENS_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "truthlens_site.settings",
        }
        set_up()
        found = [*in_database(options.rows), in_broker(options.jobs), *of_evidence(Path(name))]
    write(options.out, found)
    for figure, value in found:
        print(f"{value:>10,.0f}  {figure}")


if __name__ == "__main__":
    main()
