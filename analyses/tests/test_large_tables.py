"""That nothing reads a whole table, on SQLite with a thousand analyses.

``benchmarks.million`` measures the milliseconds with a million.
"""

from collections.abc import Callable
from functools import partial

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from analyses import quotas
from analyses.models import Analysis, Dispute, Video
from analyses.reconciler import reconcile
from analyses.retention import purge
from analyses.table_statistics import refresh_table_statistics
from benchmarks.history import fill
from benchmarks.million import MODERATION, plans_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
ROWS = 1000
DEAR = ("SCAN analyses_analysis", "SCAN analyses_video\n")


@pytest.fixture
def many(alice: User, bob: User) -> User:
    """Alice's; one of them is disputed, and the copy of another one's video is due."""
    fill(alice, ROWS)
    done = list(Analysis.objects.filter(state="done")[:2])
    Dispute.objects.create(analysis=done[0], author=alice, opinion="real")
    Video.objects.filter(pk=done[1].video_id).update(proxy_due=True)
    refresh_table_statistics()
    return alice


def plans(work: Callable[[], object]) -> list[str]:
    """How the rows of each query over a large table are found."""
    found = [f"{plan}\n" for plan in plans_of(work)]
    assert found
    return found


def assert_cheap(what: str, work: Callable[[], object]) -> None:
    for plan in plans(work):
        assert not any(words in plan for words in DEAR), (what, plan)


def test_duties_and_quotas_read_what_they_need(many: User, settings: Settings) -> None:
    settings.RETENTION_FILES_DAYS = settings.RETENTION_RESULTS_DAYS = 3000
    for work in (reconcile, purge, lambda: list(quotas.meters(many))):
        assert_cheap(str(work), work)
    (plan,) = plans(lambda: list(Analysis.objects.awaiting_copy()))
    assert "USING COVERING INDEX video_awaits_copy" in plan
    stored = plans(lambda: list(quotas.meters(many)))
    assert any("USING COVERING INDEX video_stored (owner_id=?)" in plan for plan in stored)
    assert any("USING COVERING INDEX analysis_unfinished (owner_id=? AND state=?)" in plan for plan in stored)


def test_the_lists_and_the_dashboard_of_moderators_do_too(many: User, mo_client: Client) -> None:
    for name, query in MODERATION.items():
        assert_cheap(name, partial(mo_client.get, "/moderation/", query))
    assert_cheap("dashboard", partial(mo_client.get, "/moderation/dashboard/"))
