"""That the history reads its indexes and nothing else, with 5,000 analyses in one account.

``benchmarks.history`` measures the milliseconds with 100,000.
"""

import json
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from benchmarks.databases import in_each_database
from benchmarks.history import PAGES, deep_pages, fill
from truthlens_site.tests.site import printed_by

pytestmark = pytest.mark.slow
ROWS = 5000


def test_the_benchmark_measures_every_page_in_a_process_of_its_own() -> None:
    ((name, entries),) = in_each_database("benchmarks.history", 60, 1, only="sqlite")
    filling, *pages = (entry["what"] for entry in entries)
    assert (name, filling) == ("sqlite", "(filling)")
    assert pages[: len(PAGES)] == list(PAGES)
    assert len(pages) == len(PAGES) + 8
    assert all(entry["median_ms"] > 0 for entry in entries)
    with pytest.raises(SystemExit):
        list(in_each_database("benchmarks.no_such_module", 60, 1, only="sqlite"))


@pytest.fixture
def many(alice: User) -> User:
    fill(alice, ROWS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return alice


def plans(client: Client, query: dict[str, str]) -> list[str]:
    """How the database finds the rows of each query over the analyses of a page."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/analyses/", query).status_code == 200
    assert len(asked) <= 7
    found = []
    with connection.cursor() as cursor:
        for sql in (entry["sql"] for entry in asked if "analyses_analysis" in entry["sql"]):
            assert "OFFSET" not in sql
            assert '"analyses_analysis"."document"' not in sql
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            found.append(" / ".join(str(row[-1]) for row in cursor.fetchall()))
    return found


def test_every_page_on_sqlite_reads_an_index_in_its_order(many: User) -> None:
    client = Client()
    client.force_login(many)
    for name, query in {**PAGES, **dict(deep_pages(many, ROWS))}.items():
        models, places, *rest = plans(client, query)
        for plan in (models, places, *rest):
            assert "SCAN analyses_analysis" not in plan, (name, plan)
        assert "INDEX analysis_by_" in places or "INDEX analysis_of_all_by_" in places, (name, places)
        assert "TEMP B-TREE" not in places or "since" in query, (name, places)  # a month's rows are few


def narrowed(name: str) -> bool:
    """Whether few rows may be left, which the planner may well sort."""
    return bool(set(PAGES.get(name, {})) - {"sort"})


ON_POSTGRESQL = f"""
import json

import django

django.setup()
from django.conf import settings
from django.db import connection

from accounts.models import User
from analyses.filters import HistoryParameters, Sort, filtered
from analyses.keyset import Cursor, page_of
from analyses.models import Analysis
from benchmarks.databases import settle
from benchmarks.history import PAGES, deep_pages, fill

owner = User.objects.create_user("owner@example.org")
fill(owner, {ROWS})
settle()
plans = {{}}
for name, query in {{**PAGES, **dict(deep_pages(owner, {ROWS}))}}.items():
    params = HistoryParameters.of(query)
    rows, cursor = filtered(Analysis.objects.for_user(owner), params), Cursor.of(query, params.sort)
    with connection.execute_wrapper(lambda execute, sql, values, many, context: (
        plans.setdefault(name, []).append(connection.ops.compose_sql(sql, values)),
        execute(sql, values, many, context),
    )[1]):
        page_of(rows, params.sort, cursor)
with connection.cursor() as cursor:
    # So few rows lie in so few blocks that the planner would rather read all of them.
    cursor.execute("SET enable_seqscan = off")
    for name, (places, *_) in plans.items():
        cursor.execute("EXPLAIN " + places)
        plans[name] = "\\n".join(row[0] for row in cursor.fetchall())
print(json.dumps(plans))
"""


@pytest.mark.service
def test_every_page_on_postgresql_reads_an_index(migrated_postgresql_url: str, tmp_path: Path) -> None:
    plans = json.loads(printed_by(ON_POSTGRESQL, url=migrated_postgresql_url, state=tmp_path / "state"))
    assert len(plans) == len(PAGES) + 8
    for name, plan in plans.items():
        assert "Seq Scan" not in plan, (name, plan)
        assert re.search(r"Index Cond: .*\bowner_id = ", plan), (name, plan)
        in_order = "Index Only Scan" in plan and "_by_" in plan and "Sort Key" not in plan
        assert in_order or narrowed(name), (name, plan)
