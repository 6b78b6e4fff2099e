"""The same measurement on SQLite and on PostgreSQL, each with an empty database and a process of its own.

A benchmark's module is started anew with ``--measure``, and prints one JSON object a line, which names in
``what`` the thing it measured. SQLite is used as the site uses it, PostgreSQL is a server of its own.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

DATABASES = ("sqlite", "postgresql")
Entry = dict[str, Any]
Work = Callable[[], object]


def in_each_database(
    module: str, rows: int, repeats: int, only: str = ""
) -> Iterator[tuple[str, list[Entry]]]:
    """Each database's name, or of ``only`` this one, and what the module measured with so many rows in it."""
    from truthlens_site.tests.services import postgres

    if only in ("", "sqlite"):
        with tempfile.TemporaryDirectory() as state:
            url = f"sqlite:///{state}/db.sqlite3"
            yield "sqlite", _in_own_process(module, url, state, rows, repeats)
    if only in ("", "postgresql"):
        with tempfile.TemporaryDirectory() as state, postgres() as url:
            yield "postgresql", _in_own_process(module, url, state, rows, repeats)


def _in_own_process(module: str, url: str, state: str, rows: int, repeats: int) -> list[Entry]:
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "TRUTHLENS_STATE": state,
        "TRUTHLENS_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "truthlens_site.settings",
        "LOG_LEVEL": "ERROR",
    }
    options = ["--measure", "--rows", str(rows), "--repeats", str(repeats)]
    command = [sys.executable, "-m", module, *options]
    found = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as run:
        for line in run.stdout or ():
            entry = json.loads(line)
            print(f"{entry['median_ms']:>8.0f} ms  {entry['what']}", file=sys.stderr, flush=True)
            found.append(entry)
    if run.returncode:
        raise SystemExit(f"Measuring ended with status {run.returncode}.")
    return found


# In that process


def print_entries(entries: Iterable[Entry]) -> None:
    for entry in entries:
        print(json.dumps(entry), flush=True)


def set_up() -> None:
    """Tables in the database that the settings name, and pages that Django's test client can ask for."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["testserver"]
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": static}
    call_command("migrate", verbosity=0)


def settle() -> None:
    """As autovacuum does within a minute."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def page(client: Any, address: str, query: dict[str, str]) -> Work:
    def get() -> None:
        answer = client.get(address, query)
        assert answer.status_code == 200, (address, query, answer.status_code)

    return get


def queries_of(work: Work) -> list[str]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        work()
    return [entry["sql"] for entry in asked]


def times_of(work: Work, repeats: int) -> dict[str, float]:
    """Median and longest of so many times, in milliseconds."""
    times = [milliseconds(work) for _ in range(repeats)]
    return {"median_ms": statistics.median(times), "worst_ms": max(times)}


def milliseconds(work: Work) -> float:
    began = perf_counter()
    work()
    return 1000 * (perf_counter() - began)
