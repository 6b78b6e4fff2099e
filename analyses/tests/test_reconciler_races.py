"""Several reconcilers at once, as on several machines: on SQLite and on a real PostgreSQL."""

import json
from pathlib import Path

import pytest

from truthlens_site.tests.site import printed_by

pytestmark = pytest.mark.slow

RACES = """
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import django

django.setup()
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from analyses import strays
from analyses.models import Analysis, State
from analyses.queue import queued_uuids
from analyses.tests.factories import make_analysis, make_running

alice = User.objects.create_user("alice@example.org", "x")
silent = timezone.now() - timedelta(minutes=5)
lost = [make_running(alice, heartbeat_at=silent) for _ in range(10)]
spent = [make_running(alice, losses=4, heartbeat_at=silent) for _ in range(5)]
waiting = [make_analysis(alice) for _ in range(10)]
owned = {Path(analysis.video.file.path) for analysis in (*lost, *spent, *waiting)}
videos, drafts = Path(settings.MEDIA_ROOT, "videos"), Path(settings.FILE_UPLOAD_TEMP_DIR)
evidence = Path(settings.MEDIA_ROOT, "evidence")
for number in range(40):
    folder = evidence / str(uuid4())
    folder.mkdir(parents=True)
    (folder / "1-0-crop.jpg").touch()
    for path in (videos / f"stray{number}.bin", drafts / f"stray{number}.upload"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (0, 0))
barrier = Barrier(4)


def listed_by_all(folder):
    # Nobody removes anything before everybody has seen it.
    found = listed(folder)
    barrier.wait()
    return found


listed, strays.listed = strays.listed, listed_by_all


def run(_):
    barrier.wait()
    try:
        call_command("reconcile", stdout=open(os.devnull, "w"))
    finally:
        connection.close()


def fields_of(rows, *names):
    return list(Analysis.objects.filter(pk__in=[row.pk for row in rows]).values_list(*names))


with ThreadPoolExecutor(4) as pool:
    list(pool.map(run, range(4)))

print(json.dumps({
    "losses": fields_of(lost, "losses"),
    "failed": sorted(set(fields_of(spent, "state", "failure"))),
    "on the queue": queued_uuids() == {row.uuid for row in (*lost, *waiting)},
    "queued": Analysis.objects.filter(state=State.QUEUED).count(),
    "videos": set(videos.iterdir()) == owned,
    "left": len(list(evidence.iterdir())) + len(list(drafts.glob("*.upload"))),
}))
"""


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def test_four_at_once_count_each_loss_once_and_leave_nothing(
    database: str, tmp_path: Path, broker: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(f"migrated_{database}_url")
    printed = printed_by(RACES, url=url, state=tmp_path, REDIS_URL=broker)
    assert json.loads(printed) == {
        "losses": [[1]] * 10,
        "failed": [["failed", "worker_lost"]],
        "on the queue": True,
        "queued": 20,
        "videos": True,
        "left": 0,
    }
